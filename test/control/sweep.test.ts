import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Sweep } from '../../src/control/sweep.js';

test('many things are worked off some in each turn, each once', async () => {
  const done: number[] = [];
  const sweep = new Sweep<number>(3, (thing) => done.push(thing));
  sweep.add([1, 2, 3, 4]);
  sweep.add([4, 5, 6, 7]);
  const perTurn: number[] = [];
  for (let before = 0; done.length < 7; before = done.length) {
    await nextTurn();
    perTurn.push(done.length - before);
  }
  assert.deepEqual(perTurn, [3, 3, 1]);
  assert.deepEqual(done, [1, 2, 3, 4, 5, 6, 7]);
  sweep.add([8]);
  sweep.stop();
  await nextTurn();
  await nextTurn();
  assert.equal(done.length, 7, 'what waits at the end is left undone');
});
