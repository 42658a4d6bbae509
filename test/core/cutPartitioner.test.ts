/** Graphs whose states are not held: what is claimed of a decision is true. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Context } from '../../src/core/context.js';
import { createPartitioner } from '../../src/core/createPartitioner.js';
import { exhaustive } from '../../src/core/exhaustive.js';
import type { LayerGraph, Tensor } from '../../src/core/layerGraph.js';
import { buildStateGraph } from '../../src/core/stateGraph.js';
import { context, partitionInput, richContext, richPartitionInput } from '../support/graphs.js';

const extreme = fc.double({ min: Math.log(1e-9), max: Math.log(1e18), noNaN: true }).map(Math.exp);

test('without bounds the minimum cut is the optimum, and says so', () => {
  fc.assert(
    fc.property(partitionInput, context, (input, now) => {
      const free: Context = {
        ...now,
        tiers: now.tiers.map(({ slowdown }) => ({ slowdown })),
        requirements: {},
      };
      const found = createPartitioner(buildStateGraph(input, 0)).decide(free);
      const oracle = exhaustive(input, free, 100_000);
      assert.equal(found.algorithm, 'min-cut');
      assert.deepEqual(found.optimality, { kind: 'exact' });
      assert.ok(Math.abs(found.objectiveValue - oracle.objectiveValue) <= 1e-9 * oracle.objectiveValue);
    }),
    { numRuns: 300 },
  );
});

test('with every objective, bound and tier count the optimum lies inside the gap that is claimed', () => {
  const outcomes = { exact: 0, bounded: 0, unproven: 0, missed: 0 };
  const cases = richPartitionInput.chain((input) =>
    fc.tuple(fc.constant(input), richContext(input.tiers.length)),
  );
  fc.assert(
    fc.property(cases, ([input, now]) => {
      const found = createPartitioner(buildStateGraph(input, 0)).decide(now);
      const oracle = exhaustive(input, now, 1_000_000);
      const best = oracle.objectiveValue;
      if (found.optimality.kind === 'bounded' && found.optimality.gap === null) {
        outcomes.unproven++;
        return;
      }
      assert.deepEqual(found.violations, []);
      assert.deepEqual(oracle.violations, []);
      assert.ok(
        found.objectiveValue >= best * (1 - 1e-9),
        `${found.objectiveValue} below the optimum ${best}`,
      );
      const gap = found.optimality.kind === 'exact' ? 0 : found.optimality.gap!;
      assert.ok(
        found.objectiveValue <= best * (1 + gap) * (1 + 1e-8),
        `${found.objectiveValue}, ${best}, gap ${gap}`,
      );
      outcomes[found.optimality.kind]++;
      if (found.objectiveValue > best * (1 + 1e-9)) outcomes.missed++;
    }),
    { numRuns: 300 },
  );
  assert.ok(outcomes.exact > 60, JSON.stringify(outcomes));
  assert.ok(outcomes.bounded > 10, JSON.stringify(outcomes));
  // Not promised, but a search that often misses what it cannot prove would be of little use.
  assert.ok(outcomes.missed < outcomes.bounded / 2, JSON.stringify(outcomes));
});

test('amounts from 1e-9 to 1e18: what is called exact is the optimum, and a gap is true', () => {
  let exact = 0;
  let large = 0;
  const cases = richPartitionInput.chain((input) =>
    fc.tuple(
      fc.constant(input),
      richContext(input.tiers.length),
      fc.array(extreme, { minLength: 12, maxLength: 12 }),
    ),
  );
  fc.assert(
    fc.property(cases, ([input, { requirements, ...now }, amounts]) => {
      // Where no tier is fast enough, the least sum is large itself.
      const slowest = amounts[8]! < 1 ? 3e17 : 1e-9;
      const stretched: Context = {
        ...now,
        tiers: now.tiers.map((_, t) => ({ slowdown: Math.max(slowest, amounts[t]!) })),
        hops: now.hops.map((_, h) => ({
          uplinkBitsPerSecond: Math.max(1, amounts[3 + h]!),
          downlinkBitsPerSecond: Math.max(1, amounts[5 + h]!),
          rttSeconds: amounts[7 + h]!,
        })),
        requirements: {
          objective: requirements.objective,
          ...(amounts[9]! < 1 ? { latencySeconds: amounts[10] } : {}),
          ...(amounts[11]! < 1 ? { bytesSent: requirements.bytesSent } : {}),
        },
      };
      const found = createPartitioner(buildStateGraph(input, 0)).decide(stretched);
      const oracle = exhaustive(input, stretched, 1_000_000);
      if (found.optimality.kind === 'bounded' && found.optimality.gap === null) return;
      assert.deepEqual(oracle.violations, []);
      const gap = found.optimality.kind === 'exact' ? 0 : found.optimality.gap!;
      const best = oracle.objectiveValue;
      assert.ok(
        found.objectiveValue <= best * (1 + gap) * (1 + 1e-8),
        `${found.objectiveValue}, ${best}, ${JSON.stringify(found.optimality)}`,
      );
      if (found.optimality.kind === 'exact') exact++;
      if (found.objectiveValue > 1e15) large++;
    }),
    { numRuns: 400 },
  );
  assert.ok(exact > 150 && large > 5, `${exact} exact, ${large} large`);
});

test('20 parallel chains of 20 layers are decided: exactly without bounds, with a gap that is proven with them', () => {
  const graph = parallelChains(20, 20);
  const source = { kind: 'measured', machineId: 'm' } as const;
  const end = graph.layers.map((_, v) => 0.0005 + ((v * 37) % 11) * 0.0002);
  const tiers = [
    { seconds: end, source },
    { seconds: end.map((s) => s / 6), source },
  ];
  const states = buildStateGraph({ graph, tiers }, 100_000);
  assert.equal(states.held, null);
  const partitioner = createPartitioner(states);
  const now: Context = {
    tiers: [{ slowdown: 1 }, { slowdown: 1 }],
    hops: [{ uplinkBitsPerSecond: 2e7, downlinkBitsPerSecond: 1e8, rttSeconds: 0.005, queueSeconds: 0 }],
    requirements: {},
  };
  const free = partitioner.decide(now);
  assert.deepEqual(free.optimality, { kind: 'exact' });
  assert.ok(free.endLayers.length > 0 && free.endLayers.length < graph.layers.length, 'a cut inside');
  const weights = free.prediction.weightBytes[0]!;
  const bounded = partitioner.decide({
    ...now,
    tiers: [{ slowdown: 1, freeStorageBytes: weights * 0.6 }, { slowdown: 1 }],
  });
  assert.deepEqual(bounded.violations, []);
  assert.ok(bounded.prediction.weightBytes[0]! <= weights * 0.6);
  assert.ok(bounded.objectiveValue >= free.objectiveValue);
  assert.ok(
    bounded.optimality.kind === 'exact' || bounded.optimality.gap! < 0.5,
    JSON.stringify(bounded.optimality),
  );
});

function parallelChains(width: number, length: number): LayerGraph {
  const layers = Array.from({ length: width * length }, (_, v) => ({
    name: `l${v}`,
    operators: ['Conv'],
    weightBytes: 1000 + ((v * 13) % 7) * 500,
    workingBytes: 10_000,
    macs: null,
  }));
  const tensor = (producer: number | null, consumers: number[], bytes: number): Tensor => ({
    name: `t${producer}`,
    type: 'float32',
    shape: [1],
    bytes,
    producer,
    consumers,
    isOutput: consumers.length === 0,
  });
  const tensors = [
    tensor(
      null,
      Array.from({ length: width }, (_, chain) => chain * length),
      600_000,
    ),
  ];
  for (let v = 0; v < layers.length; v++) {
    const isLast = v % length === length - 1;
    tensors.push(
      tensor(v, isLast ? [] : [v + 1], Math.max(200, 20_000 - (v % length) * 1500 + ((v * 7) % 5) * 900)),
    );
  }
  return { name: `${width} chains of ${length}`, layers, tensors };
}
