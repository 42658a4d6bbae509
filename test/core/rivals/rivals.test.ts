// Over 300 lines: one case beside the other, to be compared; split, each part would repeat the same set-up.
/** The rivals against the exhaustive oracle, each held to what it claims and no more. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Context } from '../../../src/core/context.js';
import { featuresOfPlacement, placementOf } from '../../../src/core/cut.js';
import { rawEncoding } from '../../../src/core/encoding.js';
import { exhaustive } from '../../../src/core/exhaustive.js';
import { featureLayout, weightedSum } from '../../../src/core/features.js';
import type { LayerGraph } from '../../../src/core/layerGraph.js';
import { layerFacts } from '../../../src/core/layerFacts.js';
import { linearObjective, objectiveValue, slowestStage as slowest } from '../../../src/core/objective.js';
import { assess, type Problem } from '../../../src/core/problem.js';
import { Dads, dadsRebuilt } from '../../../src/core/rivals/dads.js';
import { DadsHeavy } from '../../../src/core/rivals/dadsHeavy.js';
import { DeviceOnly, EdgeOnly } from '../../../src/core/rivals/fixedCuts.js';
import { Neurosurgeon } from '../../../src/core/rivals/neurosurgeon.js';
import { Qdmp, qdmpRebuilt } from '../../../src/core/rivals/qdmp.js';
import { sumWeights, type Rival } from '../../../src/core/rivals/rival.js';
import { StateScan } from '../../../src/core/rivals/stateScan.js';
import { buildStateGraph, type PartitionInput } from '../../../src/core/stateGraph.js';
import { topologyOf } from '../../../src/core/topology.js';
import { context, partitionInput, richContext, richPartitionInput } from '../../support/graphs.js';

const layout = featureLayout(2);
const maxCuts = 100_000;

const near = (a: number, b: number): boolean =>
  a === b || Math.abs(a - b) <= 1e-9 * Math.max(Math.abs(a), Math.abs(b));

/** Contexts in which cuts in the middle often win: uplinks that carry a tensor in about the time of a layer. */
const balanced: fc.Arbitrary<Context> = fc
  .tuple(...[20, 3, 3000, 100, 10].map((range) => fc.double({ min: 0, max: Math.log(range), noNaN: true })))
  .map((logs) => logs.map(Math.exp))
  .map(([end, edge, uplink, downlink, rtt]) => ({
    tiers: [{ slowdown: end! }, { slowdown: 0.1 * edge! }],
    hops: [
      { uplinkBitsPerSecond: 1e7 * uplink!, downlinkBitsPerSecond: 1e9 * downlink!, rttSeconds: 1e-4 * rtt! },
    ],
    requirements: {},
  }));

/** Nothing asked for; a hop that cannot be used stays so. */
function unbounded({ tiers, hops }: Context): Context {
  return { tiers: tiers.map(({ slowdown }) => ({ slowdown })), hops, requirements: {} };
}

const free = fc.oneof({ arbitrary: balanced, weight: 3 }, { arbitrary: context.map(unbounded), weight: 1 });
const contexts = fc.array(free, { minLength: 8, maxLength: 8 });

function problemOf(input: PartitionInput, now: Context): Problem {
  return assess(now, featureLayout(input.tiers.length), layerFacts(input.graph).maxDepth);
}

function weightsOf({ objective, hopUsable }: Problem): ReturnType<typeof sumWeights> {
  return sumWeights(objective, hopUsable[0]!);
}

function featuresOf({ graph, tiers }: PartitionInput, endLayers: readonly number[]): Float64Array {
  const placement = placementOf(endLayers, graph.layers.length);
  for (const [v, before] of topologyOf(graph).predecessors.entries()) {
    for (const p of before) assert.ok(placement[p]! <= placement[v]!, `layer ${v} is below layer ${p}`);
  }
  return featuresOfPlacement(graph, tiers, layerFacts(graph), layout, placement, rawEncoding(graph));
}

/** The value that a rival finds; fails where the cut that it tells is none, or costs other than the rival says. */
function searchAndCheck(rival: Rival, input: PartitionInput, problem: Problem): number {
  const value = rival.search(weightsOf(problem));
  const features = featuresOf(input, rival.endLayers());
  const isBlocked = !problem.hopUsable[0] && features[layout.hopUsed]! > 0;
  const cost = isBlocked ? Infinity : weightedSum(problem.latency, features, 0);
  assert.ok(near(value, cost), `says ${value}, its cut costs ${cost}`);
  return value;
}

const exact: Record<string, (input: PartitionInput) => Rival> = {
  'DADS with capacities updated': (input) => new Dads(input),
  'DADS over the plain network': (input) => new Dads(input, false),
  'DADS built per search': dadsRebuilt,
  QDMP: (input) => new Qdmp(input),
  'QDMP built per search': qdmpRebuilt,
};

for (const [name, build] of Object.entries(exact)) {
  test(`${name} equals the oracle where nothing is bounded, on every kind of graph`, () => {
    let between = 0;
    let total = 0;
    fc.assert(
      fc.property(partitionInput, contexts, (input, walk) => {
        const rival = build(input);
        for (const now of walk) {
          const found = searchAndCheck(rival, input, problemOf(input, now));
          const oracle = exhaustive(input, now, maxCuts);
          const best = oracle.prediction.latencySeconds;
          assert.ok(near(found, best), `${found} s, best ${best} s`);
          total++;
          if (oracle.endLayers.length > 0 && oracle.endLayers.length < input.graph.layers.length) between++;
        }
      }),
      { numRuns: 300 },
    );
    // Worth little where the best cut is mostly one of the two that need no search.
    assert.ok(between > total / 8, `a cut in the middle was best in ${between} of ${total}`);
  });
}

test('the scan equals the oracle for every objective, bound, number of tiers and encoding', () => {
  let packed = 0;
  const cases = richPartitionInput.chain((input) => {
    const now = fc.oneof(
      { arbitrary: richContext(input.tiers.length), weight: 3 },
      { arbitrary: input.tiers.length === 2 ? balanced : richContext(input.tiers.length), weight: 1 },
    );
    return fc.tuple(fc.constant(input), fc.array(now, { minLength: 8, maxLength: 8 }));
  });
  fc.assert(
    fc.property(cases, ([input, walk]) => {
      const { held } = buildStateGraph(input, maxCuts);
      const scan = new StateScan(held!);
      const width = held!.features.length / held!.count;
      for (const now of walk) {
        const problem = problemOf(input, now);
        const state = scan.decide(problem);
        const oracle = exhaustive(input, now, 1_000_000);
        const found = objectiveValue(problem.objective, held!.features, state * width);
        const broken = problem.constraints.filter(
          ({ weights, limit }) => weightedSum(weights, held!.features, state * width) > limit,
        );
        if (problem.constraints.length === 0) packed++;
        if (problem.hopUsable.every(Boolean)) {
          assert.ok(near(found, oracle.objectiveValue), `${found}, best ${oracle.objectiveValue}`);
        }
        assert.deepEqual(
          broken.map((c) => c.name),
          oracle.violations.map((v) => v.constraint),
        );
      }
    }),
    { numRuns: 200 },
  );
  assert.ok(packed > 50, `${packed} problems without constraints`);
});

test('Neurosurgeon equals the oracle on chains, is never better elsewhere, and is worse somewhere', () => {
  let worse = 0;
  let chains = 0;
  fc.assert(
    fc.property(partitionInput, contexts, (input, walk) => {
      const rival = new Neurosurgeon(input);
      const isChain = topologyOf(input.graph).predecessors.every((p, v) => v === 0 || p.includes(v - 1));
      if (isChain) chains++;
      for (const now of walk) {
        const found = searchAndCheck(rival, input, problemOf(input, now));
        const best = exhaustive(input, now, maxCuts).prediction.latencySeconds;
        assert.ok(found >= best * (1 - 1e-9), `${found} s is below the optimum, ${best} s`);
        if (isChain) assert.ok(near(found, best), `${found} s on a chain, best ${best} s`);
        else if (!near(found, best)) worse++;
      }
    }),
    { numRuns: 400 },
  );
  assert.ok(chains > 20, `${chains} chains`);
  assert.ok(worse > 0, 'no graph showed that a prefix is not enough');
});

test('QDMP that solves only the nearest blocks is never better than the oracle, and mostly equals it', () => {
  let worse = 0;
  let total = 0;
  fc.assert(
    fc.property(partitionInput, contexts, (input, walk) => {
      const prepared = new Qdmp(input, { stageOne: 'nearest' });
      const rebuilt = qdmpRebuilt(input, 'nearest');
      for (const now of walk) {
        const problem = problemOf(input, now);
        const found = searchAndCheck(prepared, input, problem);
        assert.ok(near(rebuilt.search(weightsOf(problem)), found));
        assert.ok(prepared.solved <= 2);
        const best = exhaustive(input, now, maxCuts).prediction.latencySeconds;
        assert.ok(found >= best * (1 - 1e-9), `${found} s is below the optimum, ${best} s`);
        total++;
        if (!near(found, best)) worse++;
      }
    }),
    { numRuns: 400 },
  );
  assert.ok(worse < total / 10, `worse in ${worse} of ${total}`);
});

test('the fixed cuts cost what their definition says, and the edge alone cannot be had without a hop', () => {
  fc.assert(
    fc.property(partitionInput, free, (input, now) => {
      const problem = problemOf(input, now);
      searchAndCheck(new DeviceOnly(input), input, problem);
      searchAndCheck(new EdgeOnly(input), input, problem);
      if (!problem.hopUsable[0]) assert.equal(new EdgeOnly(input).search(weightsOf(problem)), Infinity);
    }),
    { numRuns: 300 },
  );
});

test('rebuilt and updated find equal values in every context of a walk', () => {
  fc.assert(
    fc.property(partitionInput, contexts, (input, walk) => {
      const dads = new Dads(input);
      const qdmp = new Qdmp(input);
      for (const now of walk) {
        const weights = weightsOf(problemOf(input, now));
        const value = dads.search(weights);
        for (const other of [new Dads(input), dadsRebuilt(input), qdmp, qdmpRebuilt(input)]) {
          assert.ok(near(other.search(weights), value));
        }
      }
    }),
    { numRuns: 300 },
  );
});

/** Graphs too large to try all cuts: up to 120 layers, each reading some of the few before it, so that heads stay open. */
const largeInput: fc.Arbitrary<PartitionInput> = fc
  .tuple(fc.integer({ min: 30, max: 120 }), fc.integer({ min: 1, max: 6 }), fc.infiniteStream(fc.nat(999)))
  .map(([count, reach, stream]) => {
    const next = (below: number): number => (stream.next().value as number) % below;
    const readers = Array.from({ length: count }, () => new Set<number>());
    const inputReaders: number[] = [0];
    for (let v = 1; v < count; v++) {
      // Now and then all that is open is joined: a cut vertex.
      if (next(5) === 0) readers.forEach((set, u) => u < v && (set.size === 0 || u === v - 1) && set.add(v));
      else for (let i = 0; i <= next(3); i++) readers[Math.max(0, v - 1 - next(reach))]!.add(v);
      if (next(30) === 0) inputReaders.push(v);
    }
    const source = { kind: 'measured', machineId: 'm' } as const;
    const tensor = (
      producer: number | null,
      consumers: number[],
      i: number,
    ): LayerGraph['tensors'][number] => ({
      name: `t${i}`,
      type: 'float32',
      shape: [1],
      bytes: next(6) === 0 ? 0 : 100 * next(999),
      producer,
      consumers,
      isOutput: consumers.length === 0 || next(20) === 0,
    });
    return {
      graph: {
        name: 'large',
        layers: readers.map((_, v) => ({
          name: `l${v}`,
          operators: [],
          weightBytes: 0,
          workingBytes: 0,
          macs: null,
        })),
        tensors: [
          tensor(null, inputReaders, 0),
          ...readers.map((set, v) =>
            tensor(
              v,
              [...set].sort((x, y) => x - y),
              v + 1,
            ),
          ),
        ],
      },
      tiers: [0, 1].map(() => ({ seconds: readers.map(() => next(999) / 1e5), source })),
    };
  });

test('on graphs too large to try all cuts, all exact rivals find one value, and it is the cost of their cuts', () => {
  let solved = 0;
  let between = 0;
  let total = 0;
  fc.assert(
    fc.property(largeInput, fc.array(balanced, { minLength: 5, maxLength: 5 }), (input, walk) => {
      const dads = new Dads(input);
      const qdmp = new Qdmp(input);
      const others = [new Dads(input, false), dadsRebuilt(input), qdmp, qdmpRebuilt(input)];
      for (const now of walk) {
        const problem = problemOf(input, now);
        const value = searchAndCheck(dads, input, problem);
        for (const other of others) {
          const found = searchAndCheck(other, input, problem);
          assert.ok(near(found, value), `${found} s and ${value} s`);
        }
        solved += qdmp.solved;
        total++;
        const onEnd = dads.endLayers().length;
        if (onEnd > 0 && onEnd < input.graph.layers.length) between++;
      }
    }),
    { numRuns: 50 },
  );
  assert.ok(between > total / 50, `a cut in the middle was best in ${between} of ${total}`);
  assert.ok(solved > total / 20, `${solved} blocks solved in ${total} searches`);
});

test('DADS under heavy load: within a factor of 4, never below the optimum, and its bound is true', () => {
  let equal = 0;
  let total = 0;
  fc.assert(
    fc.property(partitionInput, free, (input, now) => {
      const problem = problemOf(input, now);
      const heavy = new DadsHeavy(input);
      const found = heavy.search(weightsOf(problem));
      assert.ok(near(found, slowestStage(input, problem, heavy.endLayers())));
      let best = Infinity;
      for (const endLayers of everyCut(input)) best = Math.min(best, slowestStage(input, problem, endLayers));
      assert.ok(found >= best * (1 - 1e-9) && found <= 4 * best * (1 + 1e-9), `${found} s, best ${best} s`);
      assert.ok(
        heavy.lowerBoundSeconds <= best * (1 + 1e-9),
        `bound ${heavy.lowerBoundSeconds}, best ${best}`,
      );
      const first = new DadsHeavy(input, 1).search(weightsOf(problem));
      assert.ok(found <= first, `${found} s after all rounds, ${first} s after one`);
      total++;
      if (near(found, best)) equal++;
    }),
    { numRuns: 500 },
  );
  assert.ok(equal > total / 2, `optimal in ${equal} of ${total}`);
});

function slowestStage(input: PartitionInput, problem: Problem, endLayers: readonly number[]): number {
  const f = featuresOf(input, endLayers);
  if (!problem.hopUsable[0] && f[layout.hopUsed]! > 0) return Infinity;
  return slowest(problem.stages, f, 0);
}

function everyCut(input: PartitionInput): number[][] {
  const { predecessors } = topologyOf(input.graph);
  let cuts: number[][] = [[]];
  predecessors.forEach((before, v) => {
    cuts = cuts.concat(cuts.filter((cut) => before.every((p) => cut.includes(p))).map((cut) => [...cut, v]));
  });
  return cuts;
}

test('QDMP drops no block that is better by little', () => {
  // Only the first layer and the last stage care where they run, so the least bytes decide, in blocks as well as between them.
  const stages = 6;
  const bytes = fc.array(fc.integer({ min: 500, max: 530 }), {
    minLength: 5 * stages + 1,
    maxLength: 5 * stages + 1,
  });
  let inside = 0;
  fc.assert(
    fc.property(bytes, (amounts) => {
      const plain = parallelStages(stages, 2);
      const tensors = plain.graph.tensors.map((t, i) => ({
        ...t,
        bytes: t.consumers.length === 1 && i > 0 ? amounts[i]! : 2 * amounts[i]!,
      }));
      const last = plain.graph.layers.length - 1;
      const seconds = plain.graph.layers.map(() => 1e-3);
      const source = { kind: 'measured', machineId: 'm' } as const;
      const input: PartitionInput = {
        graph: { ...plain.graph, tensors },
        tiers: [
          { seconds: seconds.map((s, v) => (v > last - 5 ? 1e3 : s)), source },
          { seconds: seconds.map((s, v) => (v === 0 ? 1e3 : s)), source },
        ],
      };
      const weights = { end: 1, edge: 1, hop: 0.01, up: 1e-3, down: 0, usable: true };
      const qdmp = new Qdmp(input);
      const best = new Dads(input).search(weights);
      assert.ok(near(qdmp.search(weights), best), `best ${best}`);
      if (qdmp.endLayers().length % 5 >= 3) inside++;
    }),
    { numRuns: 200 },
  );
  assert.ok(inside > 20, `${inside} were decided inside a block`);
});

test('QDMP solves few blocks, and none where a prefix is proven best', () => {
  // 20 stages of two parallel layers between cut vertices.
  const stages = 20;
  const input = parallelStages(stages);
  const rival = new Qdmp(input);
  const dads = new Dads(input);
  let solved = 0;
  let searches = 0;
  for (let uplink = 1e5; uplink < 1e9; uplink *= 1.3) {
    const now = {
      tiers: [{}, {}],
      hops: [{ uplinkBitsPerSecond: uplink, downlinkBitsPerSecond: 1e8, rttSeconds: 0.002 }],
      requirements: {},
    };
    const weights = weightsOf(problemOf(input, now));
    assert.ok(near(rival.search(weights), dads.search(weights)));
    assert.ok(rival.solved <= stages);
    solved += rival.solved;
    searches++;
  }
  assert.ok(solved < (searches * stages) / 4, `${solved} blocks solved in ${searches} searches`);
});

/** Each stage: a layer that forks, and two branches of `depth` layers that the next stage joins. */
function parallelStages(stages: number, depth = 1): PartitionInput {
  const width = 1 + 2 * depth;
  const count = stages * width;
  const layers = Array.from({ length: count }, (_, v) => ({
    name: `l${v}`,
    operators: ['Conv'],
    weightBytes: 0,
    workingBytes: 0,
    macs: null,
  }));
  const tensors = [{ producer: null as number | null, consumers: [0] }];
  for (let v = 0; v < count; v += width) {
    tensors.push({ producer: v, consumers: [v + 1, v + 1 + depth] });
    for (let i = 1; i < width; i++) {
      const after = i % depth > 0 ? [v + i + 1] : v + width < count ? [v + width] : [];
      tensors.push({ producer: v + i, consumers: after });
    }
  }
  const source = { kind: 'measured', machineId: 'm' } as const;
  const seconds = layers.map((_, v) => 0.001 * (1 + (v % 5)));
  return {
    graph: {
      name: 'stages',
      layers,
      tensors: tensors.map((t, i) => ({
        ...t,
        name: `t${i}`,
        type: 'float32',
        shape: [1],
        bytes: 60_000 - i * 900,
        isOutput: t.consumers.length === 0,
      })),
    },
    tiers: [
      { seconds, source },
      { seconds: seconds.map((s) => s / 10), source },
    ],
  };
}

test('what a rival cannot decide is refused by name', () => {
  const input = parallelStages(1);
  const source = { kind: 'measured', machineId: 'm' } as const;
  assert.throws(() => new Dads({ ...input, tiers: [input.tiers[0]!] }), /tiers: 1 given/);
  assert.throws(
    () => new Qdmp({ ...input, tiers: [input.tiers[0]!, { seconds: [1], source }] }),
    /tiers\[1\]\.seconds: 1 values for 3 layers/,
  );
  assert.throws(
    () => new Neurosurgeon({ ...input, encodings: [rawEncoding(input.graph)] }),
    /encodings: these algorithms send tensors as they are/,
  );
  const ones = new Float64Array(layout.length).fill(1);
  const sum = linearObjective(ones);
  assert.throws(() => sumWeights(sum, true), /cannot weigh feature 5/);
  assert.throws(() => sumWeights({ ...sum, stageWeight: 1 }, true), /not a slowest stage/);
  assert.throws(() => sumWeights({ ...sum, linear: new Float64Array(20) }, true), /two tiers/);
  assert.throws(() => dadsRebuilt(input).endLayers(), /no cut before the first search/);
  assert.throws(() => new DadsHeavy(input, 0), /rounds: 0/);
});
