import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { CutRefused } from '../../src/client/cutRefused.js';
import { DeviceCuts, type Cut } from '../../src/client/deviceCuts.js';
import type { DeviceMessage } from '../../src/protocol/messages.js';
import { cutMessage, local } from './cutMessages.js';
import { FakeClock } from './fakeClock.js';

/** Lets the promises of loads come true. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('the deployments of a device', () => {
  let clock: FakeClock;
  let sent: DeviceMessage[];
  let done: string[];
  let problems: unknown[];
  let prepare: (cut: Cut, signal: AbortSignal) => Promise<void>;
  let activate: (cut: Cut) => void;
  let cuts: DeviceCuts;
  beforeEach(() => {
    clock = new FakeClock();
    sent = [];
    done = [];
    problems = [];
    prepare = () => Promise.resolve();
    activate = () => undefined;
    cuts = new DeviceCuts({
      clock,
      send: (message) => sent.push(message),
      problem: (error) => problems.push(error),
      maxDeployments: 2,
      handlers: {
        prepare: (cut, signal) => prepare(cut, signal),
        activate: (cut) => {
          activate(cut);
          done.push(`activate ${cut.version}`);
        },
        fallBack: (cut, reason) => done.push(`fall back from ${cut.version}: ${reason}`),
        release: (cut) => done.push(`release ${cut.version}`),
        removed: (id) => done.push(`removed ${id}`),
      },
    });
    cuts.previousCutMs = 50;
  });
  const types = () => sent.splice(0).map(({ type }) => type);

  it('keep the cut before for as long as the welcome says, then release it', async () => {
    for (const version of [1, 2]) {
      cuts.cut(cutMessage(version, 'active'));
      await settled();
    }
    clock.advance(49);
    assert.deepEqual(done, ['activate 1', 'activate 2']);
    clock.advance(1);
    assert.deepEqual(done, ['activate 1', 'activate 2', 'release 1']);
    assert.deepEqual(cuts.running, [{ deploymentId: 'd', version: 2 }]);
  });

  it('abort the load of an older version, and release it should it end all the same', async () => {
    const ends: (() => void)[] = [];
    const signals: AbortSignal[] = [];
    prepare = (_, signal) => {
      signals.push(signal);
      return new Promise((resolve) => ends.push(resolve));
    };
    cuts.cut(cutMessage(1, 'prepare'));
    cuts.cut(cutMessage(2, 'prepare'));
    assert.deepEqual(
      signals.map(({ aborted }) => aborted),
      [true, false],
    );
    for (const end of ends) end();
    await settled();
    assert.deepEqual(done, ['release 1']);
    assert.deepEqual(sent, [{ type: 'prepared', deploymentId: 'd', version: 2 }]);
  });

  it('name a refusal by its own code, else by what went wrong', async () => {
    prepare = () => Promise.reject(new CutRefused('no-memory', 'needs 2 GB'));
    cuts.cut(cutMessage(1, 'prepare'));
    await settled();
    prepare = () => {
      throw new Error('at once');
    };
    cuts.cut(cutMessage(2, 'prepare'));
    await settled();
    prepare = () => Promise.resolve();
    activate = () => {
      throw new Error('x'.repeat(600));
    };
    cuts.cut(cutMessage(3, 'active'));
    await settled();
    const nacks = sent.map((message) => (message.type === 'nack' ? [message.code, message.message] : []));
    assert.deepEqual(nacks, [
      ['no-memory', 'needs 2 GB'],
      ['prepare-failed', 'at once'],
      ['activate-failed', 'x'.repeat(500)],
    ]);
    assert.throws(() => new CutRefused('No Memory', ''), TypeError);
  });

  it('fall back when nothing is heard for the time to live, and return with a ping', async () => {
    cuts.cut(cutMessage(1, 'active'));
    await settled();
    clock.advance(900);
    cuts.signOfLife();
    clock.advance(900);
    assert.deepEqual(done, ['activate 1']);
    clock.advance(100);
    assert.deepEqual(done, ['activate 1', 'fall back from 1: time-to-live']);
    assert.deepEqual(cuts.running, [{ deploymentId: 'd', version: 1, fallback: true }]);
    assert.equal(cuts.serves('d', 1), false);
    cuts.signOfLife();
    assert.equal(done.at(-1), 'activate 1');
    assert.deepEqual(types(), ['ack', 'fallback', 'ack']);
    clock.advance(1_000);
    assert.equal(done.at(-1), 'fall back from 1: time-to-live', 'time counts anew after a return');
  });

  it('each have a time to live of their own', async () => {
    cuts.cut(cutMessage(1, 'active', { timeToLiveMs: 5_000 }));
    cuts.cut(cutMessage(7, 'active', { deploymentId: 'e', timeToLiveMs: 200 }));
    await settled();
    clock.advance(200);
    assert.deepEqual(done.slice(2), ['fall back from 7: time-to-live']);
    clock.advance(4_800);
    assert.deepEqual(done.slice(3), ['fall back from 1: time-to-live']);
  });

  it('need no time to live where all runs here', async () => {
    cuts.cut(cutMessage(1, 'active', local));
    await settled();
    clock.advance(10_000);
    assert.deepEqual(done, ['activate 1']);
    assert.deepEqual(cuts.running, [{ deploymentId: 'd', version: 1 }]);
  });

  it('take what handlers call back while a switch is under way', async () => {
    activate = () => cuts.edgeLost('d');
    cuts.cut(cutMessage(1, 'active'));
    await settled();
    assert.deepEqual(done, ['activate 1', 'fall back from 1: edge-lost']);
    assert.deepEqual(types(), ['ack', 'fallback']);
  });

  it('are refused above the cap, and there is room again after one was removed', async () => {
    for (const deploymentId of ['a', 'b', 'c']) cuts.cut(cutMessage(1, 'active', { deploymentId }));
    await settled();
    const refused = sent.filter((message) => message.type === 'nack');
    assert.deepEqual(
      refused.map(({ deploymentId, code }) => [deploymentId, code]),
      [['c', 'too-many-deployments']],
    );
    cuts.removed('a');
    assert.deepEqual(done.slice(-2), ['release 1', 'removed a']);
    cuts.cut(cutMessage(1, 'active', { deploymentId: 'c' }));
    await settled();
    assert.deepEqual(
      cuts.running.map(({ deploymentId }) => deploymentId),
      ['b', 'c'],
    );
  });

  it('release what was still loading when the deployment was removed', async () => {
    cuts.cut(cutMessage(1, 'prepare'));
    cuts.removed('d');
    cuts.cut(cutMessage(1, 'prepare'));
    await settled();
    assert.deepEqual(done, ['removed d', 'release 1']);
    assert.deepEqual(types(), ['prepared']);
  });

  it('tell of handlers that throw where nobody else would hear of it', async () => {
    cuts.cut(cutMessage(1, 'active'));
    await settled();
    done.push = () => {
      throw new Error('full');
    };
    cuts.edgeLost('d');
    assert.deepEqual(
      problems.map((error) => (error as Error).message),
      ['full'],
    );
  });

  it('leave no timer and no load behind when the device stops', async () => {
    for (const version of [1, 2]) {
      cuts.cut(cutMessage(version, 'active'));
      await settled();
    }
    let aborted = false;
    prepare = (_, signal) => {
      signal.addEventListener('abort', () => (aborted = true));
      return Promise.resolve();
    };
    cuts.cut(cutMessage(3, 'prepare'));
    assert.ok(clock.timerCount > 0);
    cuts.stop();
    assert.equal(clock.timerCount, 0);
    assert.ok(aborted);
  });
});
