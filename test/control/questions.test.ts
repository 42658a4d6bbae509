/** What operators ask that takes long: in slices, a bounded number at once, given up when nobody waits. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { ControlError } from '../../src/control/controlError.js';
import { Questions } from '../../src/control/questions.js';
import type { Steps } from '../../src/core/steps.js';
import { recordedEvents } from '../support/recordedEvents.js';

/** A clock that the steps move, and what they did. */
function rig({ maxQuestions = 10, sliceMs = 2, stepMs = 0.5 } = {}) {
  let nowMs = 0;
  const recorded = recordedEvents();
  const clock = { monotonicNanoseconds: () => BigInt(Math.round(nowMs * 1e6)) };
  const questions = new Questions(clock, recorded.events, { maxQuestions, sliceMs });
  const taken: string[] = [];
  function* steps(name: string, count: number): Steps<string> {
    for (let step = 0; step < count; step++) {
      nowMs += stepMs;
      taken.push(name);
      yield;
    }
    return name;
  }
  const signal = new AbortController().signal;
  return { questions, recorded, taken, steps, signal };
}

const isRefused = (code: string) => (error: unknown) => error instanceof ControlError && error.code === code;

test('a turn of the event loop has the steps of one slice and no more', async () => {
  const { questions, taken, steps, signal } = rig();
  const answer = questions.ask(() => steps('long', 20), signal);
  assert.equal(taken.length, 0, 'nothing is done while the request is being taken');
  const perTurn: number[] = [];
  for (let before = 0; taken.length < 20; before = taken.length) {
    await nextTurn();
    perTurn.push(taken.length - before);
  }
  assert.deepEqual(perTurn, [4, 4, 4, 4, 4]);
  assert.equal(await answer, 'long');
});

test('many questions share one slice, and a short one does not wait for the end of a long one', async () => {
  const { questions, taken, steps, signal } = rig();
  let longIsThere = false;
  const long = questions.ask(() => steps('long', 50), signal).then(() => (longIsThere = true));
  const short = questions.ask(() => steps('short', 3), signal);
  await nextTurn();
  assert.equal(taken.length, 4, 'both together');
  assert.equal(await short, 'short');
  assert.ok(!longIsThere);
  await long;
});

test('beyond the cap a question is refused and counted; one that is answered makes room', async () => {
  const { questions, recorded, steps, signal } = rig({ maxQuestions: 2 });
  const first = questions.ask(() => steps('a', 1), signal);
  const second = questions.ask(() => steps('b', 1), signal);
  await assert.rejects(
    questions.ask(() => steps('c', 1), signal),
    isRefused('too-many-questions'),
  );
  assert.deepEqual(recorded.of('capHit'), [['questions', { cap: 2 }]]);
  assert.deepEqual(recorded.of('inventory').at(-1), [{ questions: 2 }]);
  assert.deepEqual(await Promise.all([first, second]), ['a', 'b']);
  assert.deepEqual(recorded.of('inventory').at(-1), [{ questions: 0 }]);
  assert.equal(await questions.ask(() => steps('d', 1), signal), 'd');
});

test('a question that nobody waits for any more is given up', async () => {
  const { questions, recorded, taken, steps } = rig();
  const left = new AbortController();
  const answer = questions.ask(() => steps('long', 1_000_000), left.signal);
  await nextTurn();
  left.abort();
  await assert.rejects(answer, isRefused('client-gone'));
  const before = taken.length;
  await nextTurn();
  assert.equal(taken.length, before, 'no step after that');
  assert.deepEqual(recorded.of('inventory').at(-1), [{ questions: 0 }]);
  await assert.rejects(
    questions.ask(() => steps('late', 1), left.signal),
    isRefused('client-gone'),
  );
});

test('a question that fails is answered with that, and the next one is taken', async () => {
  const { questions, steps, signal } = rig();
  const failing = questions.ask(() => {
    throw new RangeError('hops: 1 given');
  }, signal);
  await assert.rejects(failing, /hops: 1 given/);
  assert.equal(await questions.ask(() => steps('next', 2), signal), 'next');
});

test('at the end all questions are refused, and later ones too', async () => {
  const { questions, steps, signal } = rig();
  const answer = questions.ask(() => steps('long', 1_000_000), signal);
  await nextTurn();
  questions.stop();
  await assert.rejects(answer, isRefused('shutting-down'));
  await assert.rejects(
    questions.ask(() => steps('late', 1), signal),
    isRefused('shutting-down'),
  );
});
