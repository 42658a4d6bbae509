/** Ranges for people: inside them the cut is the best, just beyond them it is not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Context } from '../../src/core/context.js';
import { createPartitioner } from '../../src/core/createPartitioner.js';
import { exhaustive } from '../../src/core/exhaustive.js';
import { movables } from '../../src/core/ranges.js';
import { buildStateGraph } from '../../src/core/stateGraph.js';
import { context, partitionInput } from '../support/graphs.js';

test('a range ends where the oracle changes its mind, to 1 %', () => {
  let ends = 0;
  fc.assert(
    fc.property(
      partitionInput,
      context,
      fc.double({ min: 0.05, max: 0.95, noNaN: true }),
      (input, now, share) => {
        const partitioner = createPartitioner(buildStateGraph(input, 100_000));
        const decision = partitioner.decide(now);
        const isBest = (at: typeof now): boolean => {
          const oracle = exhaustive(input, at, 100_000);
          const own = partitioner.predict(at, decision.placement);
          const isNear = Math.abs(own.objectiveValue - oracle.objectiveValue) <= 1e-9 * oracle.objectiveValue;
          return isNear && own.violations.length === oracle.violations.length;
        };
        const byName = new Map(movables(now).map((m) => [m.name, m]));
        for (const { value, present, from, to } of partitioner.ranges(now, decision)) {
          const movable = byName.get(value)!;
          assert.equal(movable.present, present);
          assert.ok(from <= present && (to === null || to >= present));
          const low = Math.max(from, present / 1000);
          const high = to ?? Math.min(present * 1000, value === 'battery.level' ? 1 : Infinity);
          assert.ok(isBest(movable.with(low * (high / low) ** share)), `${value} inside ${from} to ${to}`);
          if (to !== null && !(value === 'battery.level' && to * 1.01 > 1)) {
            ends++;
            assert.ok(!isBest(movable.with(to * 1.01)), `${value} just above ${to}`);
          }
          if (from > 0) {
            ends++;
            assert.ok(!isBest(movable.with(from / 1.01)), `${value} just below ${from}`);
          }
        }
      },
    ),
    { numRuns: 25 },
  );
  assert.ok(ends > 8, `${ends} ends were looked at`);
});

test('the walk for a range ends where values end', () => {
  const [input] = fc.sample(partitionInput, { numRuns: 1, seed: 1 });
  const partitioner = createPartitioner(buildStateGraph(input!, 100_000));
  const now: Context = {
    tiers: [{ freeStorageBytes: 1e18, slowdown: 1e17 }, { freeStorageBytes: 9.99e17 }],
    hops: [{ uplinkBitsPerSecond: 1e6, downlinkBitsPerSecond: 1e6, connected: true }],
    requirements: {},
  };
  const ranges = partitioner.ranges(now, partitioner.decide(now));
  assert.ok(ranges.some(({ value, to }) => value === 'tiers[1].freeStorageBytes' && to === null));
});
