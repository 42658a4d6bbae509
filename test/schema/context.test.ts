import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkContext } from '../../src/schema/context.js';

const problems = (value: unknown): readonly string[] => {
  const checked = checkContext(value);
  return checked.ok ? [] : checked.problems;
};
const good = { tiers: [{}, {}], hops: [{ uplinkBitsPerSecond: 1e6 }], requirements: {} };

test('a context with nothing measured is a context', () => {
  assert.deepEqual(problems(good), []);
  assert.deepEqual(problems({ ...good, hops: [{}] }), []);
});

test('every wrong field is named at once', () => {
  assert.deepEqual(
    [
      ...problems({
        tiers: [{ slowdown: 0 }, { freeMemory: 5 }],
        hops: [{ uplinkBitsPerSecond: '5', rttSeconds: -1 }],
        battery: { level: 1.5, capacityJoules: 10, charging: false },
      }),
    ].sort(),
    [
      'battery.level must be <= 1, not 1.5',
      'hops[0].rttSeconds must be >= 0, not -1',
      'hops[0].uplinkBitsPerSecond must be a number, not "5"',
      'requirements is missing',
      'tiers[0].slowdown must be > 0, not 0',
      'tiers[1].freeMemory is not a known field',
    ],
  );
});

test('a third tier comes with its link', () => {
  assert.deepEqual(problems({ ...good, tiers: [{}, {}, {}], hops: [{}, {}] }), []);
  assert.deepEqual(problems({ ...good, tiers: [{}, {}, {}] }), [
    'hops must have one entry less than tiers (3), not 1',
  ]);
  assert.deepEqual(problems({ ...good, requirements: { weightBytes: [1, 2, 3] } }), [
    'requirements.weightBytes must have at most one entry per tier (2), not 3',
  ]);
});

test('null, infinity and a fourth tier are refused', () => {
  assert.deepEqual(problems({ ...good, hops: [{ rttSeconds: null }] }), [
    'hops[0].rttSeconds must be a number, not null',
  ]);
  assert.deepEqual(problems({ ...good, hops: [{ rttSeconds: Infinity }] }), [
    'hops[0].rttSeconds must be a number, not Infinity',
  ]);
  assert.deepEqual(problems({ ...good, tiers: [{}, {}, {}, {}] }), [
    'tiers must have at most 3 entries, not 4',
  ]);
  assert.deepEqual(problems([]), ['the document must be an object, not []']);
});

test('what is nested beyond all measure is refused like anything else', () => {
  let deep: unknown = [];
  for (let level = 0; level < 50_000; level++) deep = [deep];
  const checked = checkContext({ tiers: deep, hops: [{}], requirements: deep });
  assert.ok(!checked.ok);
  assert.ok(
    checked.problems.some((problem) => problem.includes('nested too deeply')),
    checked.problems.join(),
  );
});
