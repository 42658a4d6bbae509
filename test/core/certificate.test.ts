/** Certificates against the oracle: on every step of a walk, and at the edges of what they claim. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Context } from '../../src/core/context.js';
import { createPartitioner } from '../../src/core/createPartitioner.js';
import type { Decision } from '../../src/core/decision.js';
import { exhaustive } from '../../src/core/exhaustive.js';
import { buildStateGraph } from '../../src/core/stateGraph.js';
import { context, partitionInput } from '../support/graphs.js';

/** Factors by which the values of a context move from step to step. */
const factors = fc.record({
  uplink: fc.double({ min: 0.6, max: 1.7, noNaN: true }),
  downlink: fc.double({ min: 0.6, max: 1.7, noNaN: true }),
  rtt: fc.double({ min: 0.8, max: 1.25, noNaN: true }),
  slowdown: fc.double({ min: 0.95, max: 1.05, noNaN: true }),
  storage: fc.double({ min: 0.95, max: 1.05, noNaN: true }),
  latency: fc.double({ min: 0.9, max: 1.1, noNaN: true }),
});
type Factors = typeof factors extends fc.Arbitrary<infer F> ? F : never;

function moved(start: Context, by: Factors): Context {
  const times = (value: number | undefined, factor: number): number | undefined =>
    value === undefined ? undefined : value * factor;
  return {
    ...start,
    tiers: start.tiers.map((tier, t) => ({
      ...tier,
      slowdown: times(tier.slowdown, t === 0 ? by.slowdown : 1),
      freeStorageBytes: times(tier.freeStorageBytes, by.storage),
    })),
    hops: start.hops.map((hop) => ({
      ...hop,
      uplinkBitsPerSecond: times(hop.uplinkBitsPerSecond, by.uplink),
      downlinkBitsPerSecond: times(hop.downlinkBitsPerSecond, by.downlink),
      rttSeconds: times(hop.rttSeconds, by.rtt),
    })),
    requirements: {
      ...start.requirements,
      latencySeconds: times(start.requirements.latencySeconds, by.latency),
    },
  };
}

test('on a walk of small steps no decision is wrong, and most need no search', () => {
  let certified = 0;
  let total = 0;
  fc.assert(
    fc.property(
      partitionInput,
      context,
      fc.array(factors, { minLength: 40, maxLength: 40 }),
      (input, start, walk) => {
        const partitioner = createPartitioner(buildStateGraph(input, 100_000));
        let present: Decision | null = null;
        for (const step of walk) {
          const now = moved(start, step);
          const found: Decision = partitioner.decide(now, present);
          const oracle = exhaustive(input, now, 100_000);
          assert.deepEqual(
            found.violations.map((v) => v.constraint),
            oracle.violations.map((v) => v.constraint),
          );
          const off = Math.abs(found.objectiveValue - oracle.objectiveValue);
          assert.ok(
            off <= 1e-9 * oracle.objectiveValue,
            `${found.objectiveValue}, best ${oracle.objectiveValue}`,
          );
          if (found.certified) {
            certified++;
            assert.equal(found.statesVisited, 0, 'no search ran');
          }
          if (oracle.violations.length === 0) total++;
          present = found;
        }
      },
    ),
    { numRuns: 120 },
  );
  assert.ok(certified > total * 0.7, `${certified} of ${total} were certified`);
});

test('a certificate does not outlive a bound that let it stand', () => {
  fc.assert(
    fc.property(
      partitionInput,
      context,
      fc.array(context, { minLength: 4, maxLength: 4 }),
      (input, start, others) => {
        const partitioner = createPartitioner(buildStateGraph(input, 100_000));
        partitioner.decide(start);
        // The same link and load, other bounds: whatever was certified must not leak through.
        for (const other of others) {
          const now = {
            ...start,
            tiers: start.tiers.map((tier, t) => ({ ...other.tiers[t], slowdown: tier.slowdown })),
          };
          const found = partitioner.decide({ ...now, requirements: other.requirements });
          const oracle = exhaustive(input, { ...now, requirements: other.requirements }, 100_000);
          assert.ok(Math.abs(found.objectiveValue - oracle.objectiveValue) <= 1e-9 * oracle.objectiveValue);
        }
      },
    ),
    { numRuns: 200 },
  );
});
