import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { DecisionLoop, type Trigger } from '../../src/control/decisionLoop.js';

const telemetry = (isBulk: boolean, at = 1n): Trigger => ({
  reason: 'telemetry',
  receivedAtNanoseconds: at,
  isBulk,
});

function loopOf(batch: number) {
  const decided: string[] = [];
  const triggers = new Map<string, Trigger>();
  const state = { coalesced: 0, hasRoom: true };
  const loop = new DecisionLoop(batch, {
    hasRoom: () => state.hasRoom,
    decide: (id, trigger) => {
      decided.push(id);
      triggers.set(id, trigger);
    },
    coalesced: () => state.coalesced++,
  });
  return { loop, decided, triggers, state };
}

describe('the decision loop', () => {
  it('decides what is marked once, on the oldest frame that waits, for the reason that says most', async () => {
    const { loop, decided, triggers, state } = loopOf(8);
    loop.mark('a', telemetry(false, 1n));
    loop.mark('a', telemetry(false, 2n));
    loop.mark('a', { reason: 'requirements', receivedAtNanoseconds: null, isBulk: false });
    loop.mark('a', telemetry(false, 3n));
    await nextTurn();
    assert.deepEqual(decided, ['a']);
    assert.deepEqual(triggers.get('a'), { reason: 'requirements', receivedAtNanoseconds: 1n, isBulk: false });
    assert.equal(state.coalesced, 2);
    assert.equal(loop.waiting, 0);
  });

  it('lets nobody wait for more than a part of a batch of what a device marked in bulk, nor that for ever', async () => {
    const { loop, decided } = loopOf(8);
    for (let i = 0; i < 100; i++) loop.mark(`bulk-${i}`, telemetry(true));
    for (let turn = 0; turn < 30; turn++) {
      loop.mark(`single-${turn}`, telemetry(false));
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
    const { loop, decided, triggers } = loopOf(4);
    for (let i = 0; i < 10; i++) loop.mark(`d${i}`, telemetry(true, 1n));
    loop.mark('d9', telemetry(false, 2n));
    assert.equal(loop.waiting, 10);
    await nextTurn();
    assert.equal(decided[0], 'd9');
    assert.equal(triggers.get('d9')!.receivedAtNanoseconds, 1n);
    loop.mark('d9', telemetry(false));
    loop.mark('d9', telemetry(true));
    assert.equal(loop.waitingSingle, 1, 'it stays there');
  });

  it('waits while there is no room, and goes on when told', async () => {
    const { loop, decided, state } = loopOf(4);
    state.hasRoom = false;
    loop.mark('a', telemetry(false));
    loop.mark('b', telemetry(true));
    await nextTurn();
    assert.deepEqual(decided, []);
    state.hasRoom = true;
    loop.resume();
    await nextTurn();
    assert.deepEqual(decided, ['a', 'b']);
    loop.stop();
    loop.mark('c', telemetry(false));
    await nextTurn();
    assert.equal(decided.length, 2);
  });
});
