/** GADS against the exhaustive oracle, and the promises that hold for any graph. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Context } from '../../src/core/context.js';
import { createPartitioner } from '../../src/core/createPartitioner.js';
import type { Decision } from '../../src/core/decision.js';
import { featuresOfPlacement } from '../../src/core/cut.js';
import { exhaustive } from '../../src/core/exhaustive.js';
import {
  buildStateGraph,
  placementOfState,
  type PartitionInput,
  type StateGraph,
} from '../../src/core/stateGraph.js';
import { topologyOf } from '../../src/core/topology.js';
import { chain, tierOf } from '../support/chain.js';
import { context, partitionInput, richContext, richPartitionInput } from '../support/graphs.js';

const near = (a: number, b: number): boolean =>
  a === b || Math.abs(a - b) <= 1e-9 * Math.max(Math.abs(a), Math.abs(b));

function assertSameAnswer(found: Decision, oracle: Decision): void {
  assert.deepEqual(
    found.violations.map((v) => v.constraint),
    oracle.violations.map((v) => v.constraint),
  );
  found.violations.forEach((v, i) => {
    assert.ok(near(v.value, oracle.violations[i]!.value), `${v.constraint}: ${v.value}`);
  });
  assert.ok(
    near(found.objectiveValue, oracle.objectiveValue),
    `${found.objectiveValue} found, ${oracle.objectiveValue} is best`,
  );
}

test('a decision equals the oracle on random graphs and contexts, cold and from any present state', () => {
  let bound = 0;
  let violated = 0;
  let total = 0;
  fc.assert(
    fc.property(partitionInput, fc.array(context, { minLength: 20, maxLength: 20 }), (input, walk) => {
      const partitioner = createPartitioner(buildStateGraph(input, 100_000));
      let present: Decision | null = null;
      for (const now of walk) {
        const oracle = exhaustive(input, now, 100_000);
        const cold = partitioner.decide(now);
        const warm: Decision = partitioner.decide(now, present);
        assertSameAnswer(cold, oracle);
        assertSameAnswer(warm, oracle);
        present = warm;
        total++;
        if (oracle.violations.length > 0) violated++;
        const free = exhaustive(input, withoutBounds(now), 100_000);
        if (!near(free.prediction.latencySeconds, oracle.prediction.latencySeconds)) bound++;
      }
    }),
    { numRuns: 150 },
  );
  // The property is worth little where constraints never decide.
  assert.ok(bound > total / 4, `constraints decided in ${bound} of ${total}`);
  assert.ok(violated > total / 20, `no cut met all constraints in ${violated} of ${total}`);
});

test('a decision equals the oracle for two and three tiers, every objective, every bound, and wire encodings', () => {
  let violated = 0;
  let total = 0;
  const seen = new Set<string>();
  const cases = richPartitionInput.chain((input) =>
    fc.tuple(fc.constant(input), fc.array(richContext(input.tiers.length), { minLength: 8, maxLength: 8 })),
  );
  fc.assert(
    fc.property(cases, ([input, walk]) => {
      const states = buildStateGraph(input, 100_000);
      const partitioner = createPartitioner(states);
      let present: Decision | null = null;
      for (const now of walk) {
        const oracle = exhaustive(input, now, 1_000_000);
        const found: Decision = partitioner.decide(now, present);
        assertSameAnswer(found, oracle);
        const again = partitioner.predict(now, found.placement);
        if (input.encodings === undefined) assert.ok(near(again.objectiveValue, found.objectiveValue));
        present = found;
        total++;
        if (oracle.violations.length > 0) violated++;
        for (const { constraint } of oracle.violations) seen.add(constraint);
      }
    }),
    { numRuns: 250 },
  );
  assert.ok(violated < total * 0.9, `no cut met all constraints in ${violated} of ${total}`);
  for (const name of ['tiers[0].weightBytes', 'tiers[1].memoryBytes', 'latencySeconds']) {
    assert.ok(seen.has(name), `${name} was never broken: the cases are too easy`);
  }
});

test('a link that carries less than a bit per second is no link; amounts beyond all measure are refused', () => {
  fc.assert(
    fc.property(partitionInput, context, fc.constantFrom(1e-305, 1e-9, 0.99), (input, now, rate) => {
      const dead: Context = { ...now, hops: [{ ...now.hops[0], uplinkBitsPerSecond: rate }] };
      for (const maxStates of [100_000, 0]) {
        const found = createPartitioner(buildStateGraph(input, maxStates)).decide(dead);
        assert.equal(found.endLayers.length, input.graph.layers.length);
      }
      const endless: Context = { ...now, hops: [{ ...now.hops[0], rttSeconds: 1e308 }] };
      assert.throws(() => exhaustive(input, endless, 100_000), /hops\[0\]\.rttSeconds/);
    }),
    { numRuns: 40 },
  );
});

function withoutBounds({ tiers, hops }: Context): Context {
  return { tiers: tiers.map(({ slowdown }) => ({ slowdown })), hops, requirements: {} };
}

test('every raw cut is enumerated exactly once, and each kept one dominates what was pruned', () => {
  fc.assert(
    fc.property(partitionInput, (input) => {
      const states = buildStateGraph(input, 100_000);
      const free: Context = { tiers: [{}, {}], hops: [{}], requirements: {} };
      const held = states.held!;
      assert.equal(held.rawCount, exhaustive(input, free, 100_000).statesVisited);
      const masks = Array.from({ length: held.count }, (_, s) =>
        held.masks.subarray(s * held.words, (s + 1) * held.words).join(),
      );
      assert.equal(new Set(masks).size, held.count);
      const width = states.layout.length;
      const raw = rawStates(states);
      assert.equal(raw.length, held.rawCount);
      for (const features of raw) {
        const isDominated = masks.some((_, s) =>
          features.every((value, f) => held.features[s * width + f]! <= value * (1 + 1e-12)),
        );
        assert.ok(isDominated, `no kept state is as good as ${features.join()}`);
      }
    }),
    { numRuns: 200 },
  );
});

/** Features of every valid cut of two tiers, from their definitions, by trying all sets of layers. */
function rawStates({ graph, tiers, facts, layout, topology, encodings }: StateGraph): Float64Array[] {
  let placements: number[][] = [[]];
  topology.predecessors.forEach((sources) => {
    placements = placements.flatMap((below) =>
      [0, 1].filter((tier) => sources.every((p) => below[p]! <= tier)).map((tier) => [...below, tier]),
    );
  });
  return placements.map((placement) =>
    featuresOfPlacement(graph, tiers, facts, layout, placement, encodings[0]!),
  );
}

test('against equals the present state wins', () => {
  const tiers = [tierOf([1, 2, 4]), tierOf([1, 2, 4])];
  const states = buildStateGraph({ graph: chain([0, 0, 0, 0]), tiers }, 100);
  const hops = [{ uplinkBitsPerSecond: 1e6, downlinkBitsPerSecond: 1e6, rttSeconds: 0, queueSeconds: 0 }];
  for (const requirements of [{}, { latencySeconds: 7 }]) {
    const now: Context = { tiers: [{ slowdown: 1 }, { slowdown: 1 }], hops, requirements };
    const present = Array.from({ length: states.held!.count }, (_, s) => {
      const { placement } = placementOfState(states, states.held!, s);
      assert.deepEqual(createPartitioner(states).decide(now, { placement }).placement, placement);
      return placement.join();
    });
    assert.equal(new Set(present).size, 4);
  }
});

test('more uplink never makes the predicted optimum worse', () => {
  fc.assert(
    fc.property(
      partitionInput,
      context,
      fc.double({ min: 1, max: 100, noNaN: true }),
      (input, now, factor) => {
        const partitioner = createPartitioner(buildStateGraph(input, 100_000));
        const free = withoutBounds(now);
        const hop = free.hops[0]!;
        if (!hop.uplinkBitsPerSecond) return;
        const faster = { ...hop, uplinkBitsPerSecond: hop.uplinkBitsPerSecond * factor };
        const before = partitioner.decide(free).prediction.latencySeconds;
        const after = partitioner.decide({ ...free, hops: [faster] }).prediction.latencySeconds;
        assert.ok(after <= before * (1 + 1e-12), `${before} s became ${after} s`);
      },
    ),
  );
});

test('a constraint more never improves the answer', () => {
  fc.assert(
    fc.property(partitionInput, context, (input, now) => {
      const partitioner = createPartitioner(buildStateGraph(input, 100_000));
      const bounded = partitioner.decide(now);
      const free = partitioner.decide(withoutBounds(now));
      assert.ok(free.prediction.latencySeconds <= bounded.prediction.latencySeconds * (1 + 1e-12));
    }),
  );
});

test('times scaled by a factor scale the answer', () => {
  fc.assert(
    fc.property(partitionInput, context, (input, now) => {
      const free = withoutBounds(now);
      const hop = free.hops[0]!;
      if (!hop.uplinkBitsPerSecond) return;
      const partitioner = createPartitioner(buildStateGraph(input, 100_000));
      const factor = 8; // a power of two: scaling is then exact
      const scaled: Context = {
        tiers: free.tiers.map(({ slowdown }) => ({ slowdown: (slowdown ?? 1) * factor })),
        hops: [
          {
            ...hop,
            uplinkBitsPerSecond: hop.uplinkBitsPerSecond / factor,
            downlinkBitsPerSecond: hop.downlinkBitsPerSecond! / factor,
            rttSeconds: (hop.rttSeconds ?? 0) * factor,
            queueSeconds: (hop.queueSeconds ?? 0) * factor,
          },
        ],
        requirements: {},
      };
      const once = partitioner.decide(free).prediction.latencySeconds;
      assert.ok(near(partitioner.decide(scaled).prediction.latencySeconds, once * factor));
    }),
  );
});

test('layers and tensors in another order, under other names, change nothing', () => {
  const cases = richPartitionInput.chain((input) =>
    fc.tuple(
      fc.constant(input),
      fc.array(richContext(input.tiers.length), { minLength: 4, maxLength: 4 }),
      fc.array(fc.nat(), {
        minLength: input.graph.layers.length + input.graph.tensors.length,
        maxLength: input.graph.layers.length + input.graph.tensors.length,
      }),
    ),
  );
  let moved = 0;
  fc.assert(
    fc.property(cases, ([input, contexts, draws]) => {
      const other = relabelled(input, draws);
      if (other.graph.layers.some(({ name }, v) => name !== `other-${input.graph.layers[v]!.name}`)) moved++;
      const before = createPartitioner(buildStateGraph(input, 100_000));
      const after = createPartitioner(buildStateGraph(other, 100_000));
      for (const now of contexts) assertSameAnswer(after.decide(now), before.decide(now));
    }),
    { numRuns: 150 },
  );
  assert.ok(moved > 40, `layers changed places in ${moved} of 150 graphs only`);
});

/** The same model with its layers in another topological order and its tensors in another order, as `draws` say. */
function relabelled(input: PartitionInput, draws: readonly number[]): PartitionInput {
  const { graph, tiers, encodings } = input;
  const { predecessors } = topologyOf(graph);
  const order: number[] = [];
  const isFree = (v: number): boolean =>
    !order.includes(v) && predecessors[v]!.every((p) => order.includes(p));
  for (let i = 0; i < graph.layers.length; i++) {
    const free = graph.layers.map((_, v) => v).filter(isFree);
    order.push(free[draws[i]! % free.length]!);
  }
  const placeOf = (v: number): number => order.indexOf(v);
  const shuffled = graph.tensors
    .map((tensor, t) => ({ tensor, t, draw: draws[graph.layers.length + t]! }))
    .sort((a, b) => a.draw - b.draw);
  const reordered = (values: readonly number[]): number[] => shuffled.map(({ t }) => values[t]!);
  return {
    graph: {
      name: 'other',
      layers: order.map((v) => ({ ...graph.layers[v]!, name: `other-${graph.layers[v]!.name}` })),
      tensors: shuffled.map(({ tensor }) => ({
        ...tensor,
        name: `other-${tensor.name}`,
        producer: tensor.producer === null ? null : placeOf(tensor.producer),
        consumers: tensor.consumers.map(placeOf).sort((a, b) => a - b),
      })),
    },
    tiers: tiers.map((tier) => ({ ...tier, seconds: order.map((v) => tier.seconds[v]!) })),
    encodings: encodings?.map((encoding) => ({
      ...encoding,
      bytes: reordered(encoding.bytes),
      encodeSeconds: reordered(encoding.encodeSeconds),
      decodeSeconds: reordered(encoding.decodeSeconds),
    })),
  };
}

test('the proof looks at a small share of the states', () => {
  // 12 stages of two parallel layers: 12 * 3 + 1 states.
  const layerCount = 36;
  const layers = Array.from({ length: layerCount }, (_, v) => ({
    name: `l${v}`,
    operators: ['Conv'],
    weightBytes: 1000,
    workingBytes: 1000,
    macs: null,
  }));
  const tensors = [{ name: 'input', producer: null as number | null, consumers: [0] }];
  for (let stage = 0; stage < 12; stage++) {
    const v = stage * 3;
    tensors.push({ name: `t${v}`, producer: v, consumers: [v + 1, v + 2] });
    const after = stage < 11 ? [v + 3] : [];
    tensors.push({ name: `t${v + 1}`, producer: v + 1, consumers: after });
    tensors.push({ name: `t${v + 2}`, producer: v + 2, consumers: after });
  }
  const graph = {
    name: 'stages',
    layers,
    tensors: tensors.map((t, i) => ({
      ...t,
      type: 'float32',
      shape: [1],
      bytes: 40_000 - i * 900,
      isOutput: t.consumers.length === 0,
    })),
  };
  const source = { kind: 'measured', machineId: 'm' } as const;
  const seconds = layers.map(() => 0.002);
  const tiers = [
    { seconds, source },
    { seconds: seconds.map((s) => s / 10), source },
  ];
  const partitioner = createPartitioner(buildStateGraph({ graph, tiers }, 1000));
  const now: Context = {
    tiers: [{ slowdown: 1 }, { slowdown: 1 }],
    hops: [{ uplinkBitsPerSecond: 1e7, downlinkBitsPerSecond: 1e8, rttSeconds: 0.002, queueSeconds: 0 }],
    requirements: {},
  };
  const cold = partitioner.decide(now);
  const warm = partitioner.decide(now, cold);
  assert.deepEqual(warm.endLayers, cold.endLayers);
  assert.ok(warm.statesVisited < partitioner.stateCount, `${warm.statesVisited} visited`);
});
