/** Graphs whose states are not held: what is claimed of a decision is true. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import type { Context } from '../../src/core/context.js';
import { createPartitioner } from '../../src/core/createPartitioner.js';
import { exhaustive } from '../../src/core/exhaustive.js';
import { buildStateGraph, type PartitionInput } from '../../src/core/stateGraph.js';
import { topologyOf } from '../../src/core/topology.js';
import { chainsOnTwoTiers } from '../support/parallelChains.js';
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

test('with every objective, bound and tier count: what is claimed is true, and the optimum is found', () => {
  const outcomes = { feasible: 0, met: 0, optimal: 0, exact: 0, impossible: 0, breaksAsLittle: 0 };
  const cases = richPartitionInput.chain((input) =>
    fc.tuple(fc.constant(input), richContext(input.tiers.length), fc.boolean(), fc.nat()),
  );
  fc.assert(
    fc.property(cases, ([input, context, isTight, seed]) => {
      const now = isTight ? tightened(input, context, seed) : context;
      const found = createPartitioner(buildStateGraph(input, 0)).decide(now);
      const oracle = exhaustive(input, now, 1_000_000);
      const best = oracle.objectiveValue;
      if (oracle.violations.length > 0) {
        assert.ok(found.violations.length > 0, 'no cut meets all bounds');
        assert.deepEqual(found.optimality, { kind: 'bounded', gap: null });
        outcomes.impossible++;
        if (isDeepStrictEqual(found.violations, oracle.violations)) outcomes.breaksAsLittle++;
        return;
      }
      outcomes.feasible++;
      if (found.violations.length > 0) {
        assert.deepEqual(found.optimality, { kind: 'bounded', gap: null });
        return;
      }
      outcomes.met++;
      assert.ok(
        found.objectiveValue >= best * (1 - 1e-9),
        `${found.objectiveValue} below the optimum ${best}`,
      );
      if (found.objectiveValue <= best * (1 + 1e-9)) outcomes.optimal++;
      if (found.optimality.kind === 'exact') outcomes.exact++;
      const gap = found.optimality.kind === 'exact' ? 0 : found.optimality.gap;
      assert.ok(
        gap === null || found.objectiveValue <= best * (1 + gap) * (1 + 1e-8),
        `${found.objectiveValue}, ${best}, gap ${gap}`,
      );
    }),
    { numRuns: 500 },
  );
  const { feasible, met, optimal, exact, impossible, breaksAsLittle } = outcomes;
  assert.ok(feasible > 250 && impossible > 50, JSON.stringify(outcomes));
  // Not promised of every graph, since the work is bounded; on graphs as small as these it suffices.
  assert.ok(met >= 0.99 * feasible && optimal >= 0.99 * feasible, JSON.stringify(outcomes));
  assert.ok(exact >= 0.98 * feasible, JSON.stringify(outcomes));
  assert.ok(breaksAsLittle >= 0.95 * impossible, JSON.stringify(outcomes));
});

/** The same context with bounds that some placement just meets: feasible by construction, and seldom slack. */
function tightened(input: PartitionInput, context: Context, seed: number): Context {
  const open: Context = {
    ...context,
    tiers: context.tiers.map(({ slowdown }) => ({ slowdown })),
    hops: context.hops.map((hop) => ({ ...hop, uplinkBitsPerSecond: 1e6 + (seed % 1e7), connected: true })),
    requirements: { objective: context.requirements.objective },
  };
  const { successors } = topologyOf(input.graph);
  const placement = input.graph.layers.map(() => 0);
  const top = input.tiers.length - 1;
  for (let v = placement.length - 1; v >= 0; v--) {
    const highest = successors[v]!.reduce((least, s) => Math.min(least, placement[s]!), top);
    placement[v] = ((seed >>> (v % 20)) + v) % (highest + 1);
  }
  const { prediction } = createPartitioner(buildStateGraph(input, 0)).predict(open, placement);
  const { memoryBytes, bytesUp, latencySeconds, energyJoules } = prediction;
  return {
    ...open,
    requirements: {
      ...open.requirements,
      memoryBytes: memoryBytes.map((bytes) => bytes * 1.0001),
      ...(seed % 2 === 0 ? { bytesSent: bytesUp[0] } : {}),
      ...(seed % 3 === 0 ? { latencySeconds: latencySeconds * 1.01 + 1e-6 } : {}),
      ...(seed % 5 === 0 ? { energyJoulesPerInference: energyJoules! * 1.01 } : {}),
    },
  };
}

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
  const input = chainsOnTwoTiers(20, 20);
  const states = buildStateGraph(input, 100_000);
  assert.equal(states.held, null);
  const partitioner = createPartitioner(states);
  const now: Context = {
    tiers: [{ slowdown: 1 }, { slowdown: 1 }],
    hops: [{ uplinkBitsPerSecond: 2e7, downlinkBitsPerSecond: 1e8, rttSeconds: 0.005, queueSeconds: 0 }],
    requirements: {},
  };
  const free = partitioner.decide(now);
  assert.deepEqual(free.optimality, { kind: 'exact' });
  assert.ok(free.endLayers.length > 0 && free.endLayers.length < input.graph.layers.length, 'a cut inside');
  const weights = free.prediction.weightBytes[0]!;
  const bounded = partitioner.decide({
    ...now,
    tiers: [{ slowdown: 1, freeStorageBytes: weights * 0.6 }, { slowdown: 1 }],
  });
  assert.deepEqual(bounded.violations, []);
  assert.ok(bounded.prediction.weightBytes[0]! <= weights * 0.6);
  assert.ok(bounded.objectiveValue >= free.objectiveValue);
  assert.ok(
    bounded.optimality.kind === 'exact' || bounded.optimality.gap! < 0.02,
    JSON.stringify(bounded.optimality),
  );
});
