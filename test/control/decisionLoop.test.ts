import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { DecisionLoop, Mark, type Trigger } from '../../src/control/decisionLoop.js';

class Target {
  readonly mark = new Mark();
  constructor(readonly id: string) {}
}

function loopOf(batch: number) {
  const decided: string[] = [];
  const triggers = new Map<string, Trigger>();
  const state = { coalesced: 0, hasRoom: true };
  const targets = new Map<string, Target>();
  const loop = new DecisionLoop<Target>(batch, {
    hasRoom: () => state.hasRoom,
    decide: ({ id }, trigger) => {
      decided.push(id);
      const { reason, receivedAtMs, isBulk } = trigger;
      triggers.set(id, { reason, receivedAtMs, isBulk });
    },
    coalesced: () => state.coalesced++,
  });
  const targetOf = (id: string): Target => {
    const target = targets.get(id) ?? new Target(id);
    targets.set(id, target);
    return target;
  };
  const telemetry = (id: string, isBulk: boolean, atMs = 1) =>
    loop.mark(targetOf(id), 'telemetry', atMs, isBulk);
  return { loop, decided, triggers, state, telemetry, targetOf };
}

describe('the decision loop', () => {
  it('decides what is marked once, on the oldest frame that waits, for the reason that says most', async () => {
    const { loop, decided, triggers, state, telemetry, targetOf } = loopOf(8);
    telemetry('a', false, 1);
    telemetry('a', false, 2);
    loop.mark(targetOf('a'), 'requirements', NaN, false);
    telemetry('a', false, 3);
    await nextTurn();
    assert.deepEqual(decided, ['a']);
    assert.deepEqual(triggers.get('a'), { reason: 'requirements', receivedAtMs: 1, isBulk: false });
    assert.equal(state.coalesced, 2);
    assert.equal(loop.waiting, 0);
  });

  it('lets nobody wait for more than a part of a batch of what a device marked in bulk, nor that for ever', async () => {
    const { loop, decided, telemetry } = loopOf(8);
    for (let i = 0; i < 100; i++) telemetry(`bulk-${i}`, true);
    for (let turn = 0; turn < 30; turn++) {
      telemetry(`single-${turn}`, false);
      assert.ok(loop.waitingSingle <= 1);
      const before = decided.length;
      await nextTurn();
      assert.equal(decided[before], `single-${turn}`);
      assert.ok(decided.length - before <= 3, 'one, and a quarter of a batch of 8');
    }
    while (loop.waiting > 0) await nextTurn();
    assert.equal(new Set(decided).size, 130);
    assert.equal(decided.length, 130);
  });

  it('gives a deployment of such a device its own turn when its other device speaks', async () => {
    const { loop, decided, triggers, telemetry } = loopOf(4);
    for (let i = 0; i < 10; i++) telemetry(`d${i}`, true, 1);
    telemetry('d9', false, 2);
    assert.equal(loop.waiting, 10);
    await nextTurn();
    assert.equal(decided[0], 'd9');
    assert.equal(triggers.get('d9')!.receivedAtMs, 1);
    telemetry('d9', false);
    telemetry('d9', true);
    assert.equal(loop.waitingSingle, 1, 'it stays there');
  });

  it('waits while there is no room, and goes on when told', async () => {
    const { loop, decided, state, telemetry } = loopOf(4);
    state.hasRoom = false;
    telemetry('a', false);
    telemetry('b', true);
    await nextTurn();
    assert.deepEqual(decided, []);
    state.hasRoom = true;
    loop.resume();
    await nextTurn();
    assert.deepEqual(decided, ['a', 'b']);
    loop.stop();
    telemetry('c', false);
    await nextTurn();
    assert.equal(decided.length, 2);
  });

  it('decides once what was marked in bulk and singly in turns, whichever queue it stands in', async () => {
    const { loop, decided, telemetry } = loopOf(8);
    for (let round = 0; round < 3; round++) {
      telemetry('a', true);
      telemetry('a', false);
      telemetry('a', true);
      await nextTurn();
      assert.equal(loop.waiting, 0);
      assert.equal(loop.waitingSingle, 0);
      assert.equal(decided.length, round + 1);
      await nextTurn();
    }
  });
});
