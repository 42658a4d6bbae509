/** Random layer graphs and contexts for property tests: every shape that an import can give, small enough to try all cuts. */
import fc from 'fast-check';
import type { Context, Objective } from '../../src/core/context.js';
import type { Layer, LayerGraph, Tensor } from '../../src/core/layerGraph.js';
import type { PartitionInput } from '../../src/core/stateGraph.js';

export type Shape = 'chain' | 'layered' | 'parallel' | 'fork-join' | 'random' | 'skips';

interface Recipe {
  readonly shape: Shape;
  readonly layerCount: number;
  readonly numbers: readonly number[];
}

const recipe: fc.Arbitrary<Recipe> = fc.record({
  shape: fc.constantFrom<Shape>('chain', 'layered', 'parallel', 'fork-join', 'random', 'skips'),
  layerCount: fc.integer({ min: 1, max: 12 }),
  numbers: fc.array(fc.nat({ max: 1_000_000 }), { minLength: 200, maxLength: 200 }),
});

/** A graph with the seconds of two tiers, tensors sent as they are. */
export const partitionInput: fc.Arbitrary<PartitionInput> = recipe.map((r) => build(r, 2, 1));

/** The same with two or three tiers and up to three wire encodings. */
export const richPartitionInput: fc.Arbitrary<PartitionInput> = fc
  .tuple(recipe, fc.constantFrom(2, 3), fc.constantFrom(1, 1, 3))
  .map(([r, tierCount, encodingCount]) =>
    build(tierCount === 3 ? { ...r, layerCount: Math.min(r.layerCount, 7) } : r, tierCount, encodingCount),
  );

function build(
  { shape, layerCount, numbers }: Recipe,
  tierCount: number,
  encodingCount: number,
): PartitionInput {
  let cursor = 0;
  const next = (below: number): number => numbers[cursor++ % numbers.length]! % below;
  const layers: Layer[] = Array.from({ length: layerCount }, (_, v) => ({
    name: `layer${v}`,
    operators: ['Conv'],
    weightBytes: next(4) === 0 ? 0 : next(100_000),
    workingBytes: next(50_000),
    macs: null,
  }));
  const readers: number[][] = layers.map(() => []);
  const inputReaders: number[] = [];
  for (let v = 0; v < layerCount; v++) {
    const sources = predecessorsFor(shape, v, next);
    if (sources.length === 0) inputReaders.push(v);
    for (const u of sources) readers[u]!.push(v);
  }
  if (next(3) === 0) inputReaders.push(next(layerCount));
  const tensor = (
    name: string,
    producer: number | null,
    consumers: readonly number[],
    isOutput: boolean,
  ): Tensor => ({
    name,
    type: 'float32',
    shape: [1],
    bytes: next(5) === 0 ? 0 : next(200_000),
    producer,
    consumers: [...new Set(consumers)].sort((a, b) => a - b),
    isOutput,
  });
  const tensors = [
    tensor('input', null, inputReaders, false),
    ...readers.map((consumers, v) => tensor(`t${v}`, v, consumers, consumers.length === 0 || next(8) === 0)),
  ];
  // Some layers write a second tensor that only one of the readers wants.
  readers.forEach((consumers, v) => {
    if (consumers.length > 0 && next(6) === 0) tensors.push(tensor(`t${v}b`, v, [consumers[0]!], false));
  });
  const graph: LayerGraph = { name: shape, layers, tensors };
  const source = { kind: 'measured', machineId: 'm' } as const;
  const end = layers.map(() => next(10_000) / 1e6);
  const tiers = Array.from({ length: tierCount }, (_, t) => {
    const ratio = t === 0 ? 1 : (1 + next(40)) / 20;
    const seconds = end.map((s) => (t > 0 && next(3) === 0 ? next(10_000) / 1e6 : s * ratio));
    return { seconds, source };
  });
  const amounts = (below: number): number[] => tensors.map(() => next(below) / 1e7);
  const encodings = Array.from({ length: encodingCount }, (_, e) => ({
    name: `encoding${e}`,
    bytes: tensors.map((t) => (e === 0 ? t.bytes : Math.floor(t.bytes / (e + 1 + next(3))))),
    encodeSeconds: e === 0 ? tensors.map(() => 0) : amounts(10_000),
    decodeSeconds: e === 0 ? tensors.map(() => 0) : amounts(10_000),
    accuracyLoss: e === 0 ? 0 : next(100) / 1000,
  }));
  return { graph, tiers, ...(encodingCount > 1 ? { encodings } : {}) };
}

function predecessorsFor(shape: Shape, v: number, next: (below: number) => number): number[] {
  if (v === 0) return [];
  switch (shape) {
    case 'chain':
      return [v - 1];
    case 'skips':
      return v > 2 && next(2) === 0 ? [v - 1, next(v - 1)] : [v - 1];
    case 'layered':
      return v < 3 ? [] : [3 * (Math.floor(v / 3) - 1) + next(3), 3 * (Math.floor(v / 3) - 1) + next(3)];
    case 'parallel':
      return v < 4 ? [0] : [v - 3];
    case 'fork-join': {
      // Blocks of four: a cut vertex, then two branches of one and two layers that the next block joins.
      const start = v - (v % 4);
      if (v === start) return [start - 3, start - 1];
      return v === start + 3 ? [start + 2] : [start];
    }
    case 'random':
      return Array.from({ length: next(4) }, () => next(v));
  }
}

/** Positive amounts over many orders of magnitude, absent now and then. */
const amount = (min: number, max: number): fc.Arbitrary<number> =>
  fc.double({ min: Math.log(min), max: Math.log(max), noNaN: true }).map(Math.exp);
const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined, freq: 2 });

const tier = fc.record({
  slowdown: maybe(amount(0.1, 20)),
  freeStorageBytes: maybe(amount(1e3, 1e6)),
  freeMemoryBytes: maybe(amount(1e3, 1e6)),
});
const hop = fc.record({
  uplinkBitsPerSecond: fc.oneof({ arbitrary: amount(1e4, 1e9), weight: 9 }, fc.constantFrom(0, undefined)),
  downlinkBitsPerSecond: amount(1e5, 1e9),
  rttSeconds: maybe(amount(1e-4, 0.3)),
  queueSeconds: maybe(amount(1e-4, 0.1)),
  connected: fc.constantFrom(true, true, true, undefined, false),
});
const power = fc.record({
  computeWatts: amount(0.5, 10),
  transmitWatts: amount(0.5, 5),
  receiveWatts: amount(0.1, 2),
  idleWatts: amount(0.1, 2),
});
const battery = fc.record({
  level: fc.oneof(fc.constant(0), fc.double({ min: 0.01, max: 1, noNaN: true })),
  capacityJoules: amount(1e3, 1e5),
  charging: fc.boolean(),
});
const timeBounds = {
  latencySeconds: maybe(amount(1e-3, 1)),
  energyJoulesPerInference: maybe(amount(1e-3, 1)),
  batteryLifetimeSeconds: maybe(amount(1e2, 1e5)),
  inferencesPerSecond: maybe(amount(0.1, 30)),
};

/** Contexts of two tiers in which the constraints of the first requirements bind about as often as not. */
export const context: fc.Arbitrary<Context> = fc.record({
  tiers: fc.tuple(tier, tier),
  hops: fc.tuple(hop),
  power: maybe(power),
  battery: maybe(battery),
  requirements: fc.record(timeBounds),
});

const objective: fc.Arbitrary<Objective> = fc.oneof(
  fc.constantFrom('latency', 'energy', 'throughput'),
  fc.record({
    perLatencySecond: fc.constantFrom(0.5, 1),
    perEnergyJoule: maybe(fc.constant(0.3)),
    perBottleneckSecond: maybe(fc.constant(2)),
  }),
);

/** Contexts for `tierCount` tiers with every objective and every kind of bound. */
export function richContext(tierCount: number): fc.Arbitrary<Context> {
  const rarely = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
    fc.option(arbitrary, { nil: undefined, freq: 1 });
  return fc.record({
    tiers: fc.array(tier, { minLength: tierCount, maxLength: tierCount }),
    hops: fc.array(hop, { minLength: tierCount - 1, maxLength: tierCount - 1 }),
    power,
    battery: maybe(battery),
    requirements: fc.record({
      ...timeBounds,
      objective,
      bytesSent: rarely(amount(1e3, 1e6)),
      accuracyLoss: rarely(fc.double({ min: 0, max: 0.1, noNaN: true })),
      privacyDepth: rarely(fc.integer({ min: 0, max: 6 })),
      weightBytes: rarely(fc.array(maybe(amount(1e3, 1e6)), { maxLength: tierCount })),
      memoryBytes: rarely(fc.array(maybe(amount(1e3, 1e6)), { maxLength: tierCount })),
    }),
  });
}
