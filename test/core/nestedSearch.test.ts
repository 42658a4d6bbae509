/** The two nested cuts of a state of three tiers: what they add up to, and the search over them against a scan of all states. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { weightedSum } from '../../src/core/features.js';
import { Gads } from '../../src/core/gads.js';
import { measureOf } from '../../src/core/objective.js';
import { assess, type Constraint, type ObjectiveFunction } from '../../src/core/problem.js';
import { StateScan } from '../../src/core/rivals/stateScan.js';
import { cutFigures } from '../../src/core/nestedCuts.js';
import { buildStateGraph, type PartitionInput } from '../../src/core/stateGraph.js';
import { createRandom } from '../../src/demo/random.js';
import { chain, tierOf } from '../support/chain.js';
import { richContext, richPartitionInput } from '../support/graphs.js';

const threeTiers = richPartitionInput.filter(({ tiers, encodings }) => tiers.length === 3 && !encodings);
const near = (a: number, b: number): boolean =>
  a === b || Math.abs(a - b) <= 1e-9 * Math.max(Math.abs(a), Math.abs(b));

test('figures of two nested cuts add up to the features of their state, or of one that it dominates', () => {
  let own = 0;
  fc.assert(
    fc.property(threeTiers, (input) => {
      const { held, layout } = buildStateGraph(input, 100_000);
      const nested = held!.nested!;
      const { lower, upper, start, uppers, states, edgeSeconds, edgeWeights } = nested;
      assert.equal(states.length, held!.rawCount);
      const at = (side: typeof lower, cut: number, figure: number): number => {
        for (let leaf = side.leafCount; leaf < 2 * side.leafCount; leaf++) {
          if (Math.floor(((leaf - side.leafCount + 1) * side.count) / side.leafCount) === cut + 1)
            return side.nodes[leaf * cutFigures.count + figure]!;
        }
        throw new Error(`no leaf of cut ${cut}`);
      };
      for (let state = 0; state < held!.count; state++) {
        const seconds = held!.features.subarray(state * layout.length + layout.seconds);
        const own = (side: typeof lower, leaf: number): number => {
          assert.ok(leaf >= side.leafCount, 'a leaf');
          return side.nodes[leaf * cutFigures.count + cutFigures.ownSeconds]!;
        };
        assert.equal(own(lower, nested.lowerLeaf[state]!), seconds[0], `lower cut of state ${state}`);
        assert.equal(own(upper, nested.upperLeaf[state]!), seconds[2], `upper cut of state ${state}`);
      }
      for (let a = 0; a < lower.count; a++) {
        for (let p = start[a]!; p < start[a + 1]!; p++) {
          const b = uppers[p]!;
          const sums = [
            [layout.seconds, at(lower, a, cutFigures.ownSeconds)],
            [
              layout.seconds + 1,
              at(lower, a, cutFigures.edgeSeconds) + at(upper, b, cutFigures.edgeSeconds) - edgeSeconds,
            ],
            [layout.seconds + 2, at(upper, b, cutFigures.ownSeconds)],
            [layout.bytesUp, at(lower, a, cutFigures.bytesUp)],
            [layout.bytesUp + 1, at(upper, b, cutFigures.bytesUp)],
            [layout.bytesDown + 1, at(upper, b, cutFigures.bytesDown)],
            [layout.hopUsed + 1, at(upper, b, cutFigures.hopUsed)],
            [layout.exposure, at(lower, a, cutFigures.exposure)],
            [layout.weights, at(lower, a, cutFigures.weights)],
            [
              layout.weights + 1,
              at(lower, a, cutFigures.edgeWeights) + at(upper, b, cutFigures.edgeWeights) - edgeWeights,
            ],
            [layout.weights + 2, at(upper, b, cutFigures.weights)],
          ] as const;
          const row = states[p]! * layout.length;
          for (const [feature, sum] of sums) {
            const value = held!.features[row + feature]!;
            assert.ok(value <= sum + 1e-12, `${feature}: ${value} is more than ${sum}`);
          }
          if (sums.every(([feature, sum]) => Math.abs(held!.features[row + feature]! - sum) < 1e-12)) own++;
        }
      }
    }),
    { numRuns: 60 },
  );
  assert.ok(own > 1000, `${own} pairs are states of their own`);
});

test('any objective under any bounds, from any state: as good as the best of a scan of all states', () => {
  const seen = { none: 0, bound: 0, staged: 0, column: 0, kept: 0 };
  const cases = threeTiers.chain((input) =>
    fc.tuple(
      fc.constant(input),
      fc.array(fc.tuple(richContext(3), fc.nat()), { minLength: 12, maxLength: 12 }),
    ),
  );
  fc.assert(
    fc.property(cases, ([input, draws]) => {
      const { held, layout, facts } = buildStateGraph(input, 100_000);
      const gads = new Gads(held!);
      const scan = new StateScan(held!);
      const check = (
        objective: ObjectiveFunction,
        constraints: readonly Constraint[],
        start: number,
      ): void => {
        const best = scan.search(objective, constraints);
        const found = gads.search(objective, constraints, start);
        assert.equal(found < 0, best < 0);
        if (best < 0) {
          seen.none++;
          return;
        }
        const [value, least] = [gads.valueOf(objective, found), gads.valueOf(objective, best)];
        assert.ok(near(value, least), `${value} found, ${least} is best`);
        for (const { weights, limit } of constraints)
          assert.ok(weightedSum(weights, held!.features, found * layout.length) <= limit);
        if (constraints.length > 0 && gads.valueOf(objective, scan.search(objective, [])) < least)
          seen.bound++;
        if (objective.stageWeight > 0) seen.staged++;
        if (objective.column >= 0) seen.column++;
        if (found === start) seen.kept++;
      };
      for (const [context, draw] of draws) {
        const { objective, constraints } = assess(context, layout, facts.maxDepth);
        const start = (draw % (held!.count + 1)) - 1;
        check(objective, constraints, start);
        check(objective, constraints.slice(0, 2), start);
        const kept: Constraint[] = [];
        for (const constraint of constraints) {
          check(measureOf(constraint), kept, start);
          kept.push(constraint);
        }
      }
    }),
    { numRuns: 150 },
  );
  for (const [what, count] of Object.entries(seen)) assert.ok(count > 100, `${what}: ${count}`);
});

test('an edge whose seconds dwarf the optimum: rounding of what both cuts count hides no better state', () => {
  const random = createRandom(5);
  const graph = chain(new Array<number>(15).fill(0));
  const hop = { uplinkBitsPerSecond: 1e9, downlinkBitsPerSecond: 1e9, rttSeconds: 0, queueSeconds: 0 };
  for (const objective of [
    'throughput',
    'latency',
    { perLatencySecond: 1, perBottleneckSecond: 1 },
  ] as const) {
    for (let run = 0; run < 30; run++) {
      const tiers = [1e-6, 1e10, 1e-6].map((seconds) =>
        tierOf(graph.layers.map(() => seconds * random.between(1, 2))),
      );
      const { held, layout, facts } = buildStateGraph({ graph, tiers }, 100_000);
      const context = { tiers: [{}, {}, {}], hops: [hop, hop], requirements: { objective } };
      const problem = assess(context, layout, facts.maxDepth);
      const gads = new Gads(held!);
      const found = gads.valueOf(problem.objective, gads.decide(problem, -1));
      const least = gads.valueOf(problem.objective, new StateScan(held!).decide(problem));
      assert.ok(near(found, least), `${JSON.stringify(objective)}: ${found} found, ${least} is best`);
    }
  }
});

test('several encodings, one that loses accuracy, and two tiers are searched without nested cuts', () => {
  const encoded = richPartitionInput.filter(({ encodings }) => encodings !== undefined);
  fc.assert(
    fc.property(encoded, (input) => {
      const nestedOf = (encodings: PartitionInput['encodings']): boolean =>
        buildStateGraph({ ...input, encodings }, 100_000).held!.nested !== null;
      const [plain, lossy] = [input.encodings![0]!, { ...input.encodings![1]!, accuracyLoss: 0.01 }];
      assert.equal(nestedOf([plain, lossy]), false);
      assert.equal(nestedOf([lossy]), false);
      assert.equal(nestedOf([plain]), input.tiers.length === 3);
    }),
    { numRuns: 20 },
  );
});

test('under bounds it looks at less than two thirds of what the tree over all states looks at', () => {
  // A chain whose tensors shrink and grow, so that neither hop has its best cut at an end.
  const count = 120;
  const size = (v: number): number => 1000 * (1 + ((v * 37) % 23)) * (count - v / 2);
  const graph = chain(
    Array.from({ length: count + 1 }, (_, t) => size(t)),
    (v) => ({ weightBytes: 1000 * (1 + ((v * 13) % 7)), workingBytes: 1000 * (1 + ((v * 29) % 11)) }),
  );
  const tiers = [8, 1, 0.3].map((ratio, t) =>
    tierOf(graph.layers.map((_, v) => (ratio * (1 + ((v * (17 + t)) % 5))) / 1000)),
  );
  const { held, layout, facts } = buildStateGraph({ graph, tiers }, 100_000);
  const nested = new Gads(held!);
  const tree = new Gads({ ...held!, nested: null });
  for (let i = 0; i < 200; i++) {
    const rate = 1e6 * 1.03 ** i;
    const hop = (r: number) => ({
      uplinkBitsPerSecond: r,
      downlinkBitsPerSecond: 4 * r,
      rttSeconds: 0.002,
      queueSeconds: 0,
    });
    const { objective, constraints } = assess(
      {
        tiers: [{ freeStorageBytes: 250_000 }, { freeMemoryBytes: 150_000 }, {}],
        hops: [hop(rate), hop(3 * rate)],
        requirements: { privacyDepth: 20, weightBytes: [undefined, undefined, 300_000] },
      },
      layout,
      facts.maxDepth,
    );
    const [a, b] = [nested.search(objective, constraints, -1), tree.search(objective, constraints, -1)];
    assert.ok(a >= 0 && near(nested.valueOf(objective, a), tree.valueOf(objective, b)));
  }
  assert.ok(3 * nested.visited < 2 * tree.visited, `${nested.visited} of ${tree.visited}`);
});
