import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Deadlines } from '../../src/control/deadlines.js';
import { SetAsides } from '../../src/control/setAside.js';
import { until } from '../support/controlRig.js';

describe('deadlines', () => {
  it('come in their order, the last word on each counts, and none after the stop', async () => {
    const due: string[] = [];
    const start = performance.now();
    const deadlines = new Deadlines<string>(
      () => performance.now(),
      (key) => due.push(key),
    );
    deadlines.set('late', start + 60);
    deadlines.set('early', start + 20);
    deadlines.set('moved', start + 10);
    deadlines.set('moved', start + 90);
    deadlines.set('gone', start + 15);
    deadlines.set('gone', null);
    await until(() => due.length === 3);
    assert.deepEqual(due, ['early', 'late', 'moved']);
    assert.equal(deadlines.size, 0);
    deadlines.set('never', performance.now() + 10);
    deadlines.stop();
    await sleep(30);
    assert.equal(due.length, 3);
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
