import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { Deadlines } from '../../src/control/deadlines.js';
import { SetAsides } from '../../src/control/setAside.js';

describe('deadlines', () => {
  /** Time passes when the test says so, for the timers and for the clock. */
  function rig(t: TestContext) {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const time = { nowMs: 1_000 };
    const due: string[] = [];
    const deadlines = new Deadlines<string>(
      () => time.nowMs,
      (key) => due.push(key),
    );
    const pass = (ms: number): void => {
      time.nowMs += ms;
      t.mock.timers.tick(ms);
    };
    return { time, due, deadlines, pass };
  }

  it('come in their order, the last word on each counts, and none after the stop', (t) => {
    const { due, deadlines, pass } = rig(t);
    deadlines.set('late', 1_060);
    deadlines.set('early', 1_020);
    deadlines.set('moved', 1_010);
    deadlines.set('moved', 1_090);
    deadlines.set('gone', 1_015);
    deadlines.set('gone', null);
    pass(19);
    assert.deepEqual(due, []);
    pass(6);
    assert.deepEqual(due, ['early']);
    pass(40);
    assert.deepEqual(due, ['early', 'late']);
    pass(30);
    assert.deepEqual(due, ['early', 'late', 'moved']);
    assert.equal(deadlines.size, 0);
    deadlines.set('never', 1_110);
    deadlines.stop();
    pass(1_000);
    assert.equal(due.length, 3);
  });

  it('come in their order also where the timer comes after all of them', (t) => {
    const { time, due, deadlines, pass } = rig(t);
    deadlines.set('third', 1_060);
    deadlines.set('first', 1_020);
    deadlines.set('second', 1_030);
    time.nowMs = 2_000; // the process was held up
    pass(20);
    assert.deepEqual(due, ['first', 'second', 'third']);
  });

  it('that another one takes away or puts off as it comes is not due', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const due: string[] = [];
    const deadlines = new Deadlines<string>(
      () => 2_000,
      (key) => {
        due.push(key);
        deadlines.set('gone', null);
        deadlines.set('later', 3_000);
      },
    );
    deadlines.set('later', 1_030);
    deadlines.set('gone', 1_020);
    deadlines.set('first', 1_010);
    t.mock.timers.tick(5);
    assert.deepEqual([due, deadlines.size], [['first'], 1]);
    deadlines.stop();
  });

  it('come also where they are further away than a timer can be set', (t) => {
    const { due, deadlines, pass } = rig(t);
    const farMs = 1_000 + 2 ** 31 + 50;
    deadlines.set('far', farMs);
    pass(2 ** 31 - 1);
    assert.deepEqual(due, []);
    pass(100);
    assert.deepEqual(due, ['far']);
  });
});

describe('placements set aside', () => {
  const settings = { retryMs: 10, maxRetryMs: 35, maxSetAside: 2 };
  const cut = (...endLayers: number[]) => ({ endLayers, layerCount: 9, tensors: [] });

  it('are left alone for a wait that doubles up to its end, and not after they work', () => {
    const aside = new SetAsides();
    const waits = [0, 100, 200, 300].map((now) => {
      const { entry } = aside.add(cut(1), 'no-memory', now, 5_000 + now, settings);
      assert.equal(entry.retryAtClockMs - (5_000 + now), entry.retryAtMs - now);
      return entry.retryAtMs - now;
    });
    assert.deepEqual(waits, [10, 20, 35, 35]);
    assert.deepEqual(
      [aside.holds(cut(1), 334), aside.holds(cut(1), 335), aside.holds(cut(2), 334)],
      [true, false, false],
    );
    assert.deepEqual([aside.dueAtMs(301), aside.dueAtMs(335)], [335, null]);
    aside.clear(cut(1));
    assert.deepEqual(aside.list(), []);
  });

  it('are as many as the cap says; the one that is due first is forgotten', () => {
    const aside = new SetAsides();
    assert.equal(aside.add(cut(1), 'a', 0, 0, settings).isFull, false);
    aside.add(cut(2), 'b', 1, 1, settings);
    assert.equal(aside.add(cut(3), 'c', 2, 2, settings).isFull, true);
    assert.deepEqual(
      aside.list().map(({ code }) => code),
      ['b', 'c'],
    );
  });
});
