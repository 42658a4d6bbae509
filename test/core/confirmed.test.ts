import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Context, Requirements } from '../../src/core/context.js';
import { createPartitioner } from '../../src/core/createPartitioner.js';
import { scaledPartitioner } from '../../src/core/scaledPartitioner.js';
import { buildStateGraph } from '../../src/core/stateGraph.js';
import { smallImporter } from '../support/smallModel.js';

const { graph, profile } = await smallImporter().import(`/${'a'.repeat(64)}.onnx`, {} as never, {});
const source = { kind: 'scaled', machineId: 'controller', computeRatio: 1 } as const;
const seconds = profile.layers.map((layer) => layer.medianSeconds);
const states = (tierCount: number) =>
  buildStateGraph({ graph, tiers: Array.from({ length: tierCount }, () => ({ seconds, source })) }, 1000);
const partitioners = [2, 3].map((tierCount) =>
  scaledPartitioner(createPartitioner(states(tierCount)), [4, 0.5, 0.1].slice(0, tierCount)),
);

const rate = fc
  .tuple(fc.constantFrom(0, 1e4, 1e6, 1e7, 1e8), fc.double({ min: 0.9, max: 1.1, noNaN: true }))
  .map(([base, factor]) => base * factor);
const tier = fc.record({
  slowdown: fc.constantFrom(undefined, 1, 1.1),
  freeMemoryBytes: fc.constantFrom(undefined, 1e9, 1e3),
});
const hop = fc.record({ uplinkBitsPerSecond: rate, downlinkBitsPerSecond: rate, connected: fc.boolean() });
const requirements: fc.Arbitrary<Requirements> = fc.constantFrom(
  {},
  { latencySeconds: 0.15 },
  { bytesSent: 5_000, latencySeconds: 0.3 },
  { objective: 'throughput' as const },
);
const context = (tierCount: number): fc.Arbitrary<Context> =>
  fc.record({
    tiers: fc.array(tier, { minLength: tierCount, maxLength: tierCount }),
    hops: fc.array(hop, { minLength: tierCount - 1, maxLength: tierCount - 1 }),
    requirements,
  });
const walk = fc
  .constantFrom(2, 3)
  .chain((tierCount) => fc.array(context(tierCount), { minLength: 2, maxLength: 12 }));

test('confirmed: the cut that decide gives, with the bounds that it breaks, and no other', () => {
  const seen = { confirmed: 0, broken: 0, other: 0 };
  fc.assert(
    fc.property(walk, (contexts) => {
      const partitioner = partitioners[contexts[0]!.tiers.length - 2]!;
      let present = partitioner.decide(contexts[0]!);
      for (const now of contexts) {
        const confirmed = partitioner.confirmed(now, present.placement);
        const decision = partitioner.decide(now, present);
        if (confirmed === null) {
          seen.other++;
          assert.notDeepEqual([...decision.placement], [...present.placement]);
        } else {
          seen.confirmed++;
          if (confirmed.length > 0) seen.broken++;
          assert.deepEqual([...decision.placement], [...present.placement]);
          assert.deepEqual(
            confirmed,
            decision.violations.map(({ constraint }) => constraint),
          );
        }
        present = decision;
      }
    }),
  );
  assert.ok(Math.min(seen.confirmed, seen.broken, seen.other) > 20, JSON.stringify(seen));
});
