/** Records as the store gets them, drawn at random; every field of every type is reached. */
import fc from 'fast-check';
import type {
  DecisionRecord,
  DeploymentRecord,
  DeviceRecord,
  ModelRecord,
  ProfileRecord,
  StoredCut,
} from '../../src/control/records.js';
import type { Context } from '../../src/core/context.js';
import type { Decision } from '../../src/core/decision.js';
import type { LayerGraph } from '../../src/core/layerGraph.js';
import type { Profile, ProfileOptions } from '../../src/core/profile.js';

/** fast-check draws objects without a prototype too; records are plain objects. */
const plain = <T>(value: T): T => structuredClone(value);

/** JSON knows no -0; no record means one. */
const number = fc.double().map((value) => (Object.is(value, -0) ? 0 : value));
const count = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const text = fc.string({ unit: 'binary', maxLength: 20 });
const id = fc.uuid();
const numbers = fc.array(number, { maxLength: 4 });
const indices = fc.array(fc.nat(), { maxLength: 6 });
const numberOrNull = fc.option(number);
const optionalNumber = fc.option(number, { nil: undefined });

const profileOptions: fc.Arbitrary<ProfileOptions> = fc.record({
  optimizationLevel: fc.constantFrom('disabled', 'basic', 'extended', 'all'),
  intraOpThreads: fc.nat(),
  runs: fc.nat(),
  warmupRuns: fc.nat(),
  inputs: fc.dictionary(
    text.filter((key) => key !== '__proto__'),
    fc.oneof(fc.record({ shape: indices }), fc.record({ shape: indices, fill: number })),
    { maxKeys: 3, noNullPrototype: true },
  ),
});

const layerGraph: fc.Arbitrary<LayerGraph> = fc.record({
  name: text,
  layers: fc.array(
    fc.record({
      name: text,
      operators: fc.array(text, { maxLength: 3 }),
      weightBytes: count,
      workingBytes: count,
      macs: fc.option(count),
    }),
    { maxLength: 4 },
  ),
  tensors: fc.array(
    fc.record({
      name: text,
      type: text,
      shape: indices,
      bytes: count,
      producer: fc.option(fc.nat()),
      consumers: indices,
      isOutput: fc.boolean(),
    }),
    { maxLength: 4 },
  ),
});

export const model: fc.Arbitrary<ModelRecord> = fc
  .record({
    id,
    name: text,
    sha256: text,
    sizeBytes: count,
    status: fc.constantFrom('importing', 'ready', 'failed'),
    error: fc.option(fc.record({ code: text, message: text })),
    graph: fc.option(layerGraph),
    options: profileOptions,
    createdAtMs: count,
  })
  .map(plain);

const spread = { medianSeconds: number, minSeconds: number, maxSeconds: number };
const machine = fc.record({
  id: text,
  cpuModel: text,
  logicalCores: fc.nat(),
  architecture: text,
  platform: text,
  memoryBytes: count,
  runtime: text,
});
const profile: fc.Arbitrary<Profile> = fc.record({
  modelSha256: text,
  machine,
  options: profileOptions,
  layers: fc.array(fc.record({ ...spread, name: text }), { maxLength: 4 }),
  wholeModel: fc.record(spread),
});

export const profileOf = (modelId: string): fc.Arbitrary<ProfileRecord> =>
  fc
    .record({
      id,
      modelId: fc.constant(modelId),
      origin: fc.constantFrom('import', 'upload'),
      profile,
      createdAtMs: count,
    })
    .map(plain);

const power = fc.record({
  computeWatts: number,
  transmitWatts: number,
  receiveWatts: number,
  idleWatts: number,
});

export const device: fc.Arbitrary<DeviceRecord> = fc
  .record({
    id,
    description: fc.record(
      {
        role: fc.constantFrom('end' as const, 'edge' as const, 'cloud' as const),
        machineId: text,
        computeRatio: number,
        power,
        batteryCapacityJoules: number,
        agent: text,
      },
      { requiredKeys: ['role'] },
    ),
    firstSeenAtMs: count,
    lastSeenAtMs: count,
  })
  .map(plain);

const cut: fc.Arbitrary<StoredCut> = fc.record({
  endLayers: indices,
  layerCount: fc.nat(),
  tensors: fc.array(text, { maxLength: 3 }),
});
const cutOfAnyTiers = fc.oneof(
  cut,
  fc
    .tuple(cut, indices, fc.array(text, { maxLength: 3 }))
    .map(([two, edgeLayers, edgeTensors]): StoredCut => ({ ...two, edgeLayers, edgeTensors })),
);
const requirements = fc.record(
  {
    latencySeconds: number,
    energyJoulesPerInference: number,
    batteryLifetimeSeconds: number,
    inferencesPerSecond: number,
  },
  { requiredKeys: [] },
);
const binding = fc.record(
  { deviceId: text, profileId: text, computeRatio: number },
  { requiredKeys: ['deviceId'] },
);

export const deploymentOf = (modelId: string): fc.Arbitrary<DeploymentRecord> =>
  fc
    .record({
      id,
      modelId: fc.constant(modelId),
      end: binding,
      edge: binding,
      requirements,
      version: fc.nat({ max: 1_000_000 }),
      cut: fc.option(cutOfAnyTiers),
      reported: fc.record({ end: fc.option(fc.nat()), edge: fc.option(fc.nat()) }),
      lastGood: fc.option(fc.record({ version: fc.nat(), cut: cutOfAnyTiers })),
      createdAtMs: count,
      updatedAtMs: count,
    })
    .chain((two) =>
      fc
        .option(fc.tuple(binding, fc.option(fc.nat())))
        .map((third): DeploymentRecord =>
          third === null ? two : { ...two, cloud: third[0], reported: { ...two.reported, cloud: third[1] } },
        ),
    )
    .map(plain);

const context: fc.Arbitrary<Context> = fc.record(
  {
    tiers: fc.array(
      fc.record(
        { slowdown: number, freeStorageBytes: number, freeMemoryBytes: number },
        { requiredKeys: [] },
      ),
    ),
    hops: fc.array(
      fc.record(
        {
          uplinkBitsPerSecond: number,
          downlinkBitsPerSecond: number,
          rttSeconds: number,
          queueSeconds: number,
          connected: fc.boolean(),
        },
        { requiredKeys: [] },
      ),
    ),
    power,
    battery: fc.record({ level: number, capacityJoules: number, charging: fc.boolean() }),
    requirements,
  },
  { requiredKeys: ['tiers', 'hops', 'requirements'] },
);

const decision: fc.Arbitrary<Decision> = fc.record({
  algorithm: fc.constantFrom('gads', 'min-cut', 'exhaustive'),
  placement: indices,
  endLayers: indices,
  cutTensors: indices,
  encoding: text,
  objectiveValue: number,
  prediction: fc.record({
    // NaN is no latency; the typed column refuses it
    latencySeconds: number.filter((value) => !Number.isNaN(value)),
    tierSeconds: numbers,
    uplinkSeconds: numbers,
    downlinkSeconds: numbers,
    rttSeconds: numbers,
    queueSeconds: numbers,
    bottleneckSeconds: number,
    energyJoules: numberOrNull,
    bytesUp: numbers,
    bytesDown: numbers,
    weightBytes: numbers,
    memoryBytes: numbers,
    privacyDepth: numberOrNull,
    accuracyLoss: number,
  }),
  violations: fc.array(
    fc.record({
      constraint: fc.constantFrom('latencySeconds', 'tiers[0].weightBytes'),
      limit: number,
      value: number,
    }),
    { maxLength: 2 },
  ),
  optimality: fc.oneof(
    fc.constant({ kind: 'exact' as const }),
    fc.record({ kind: fc.constant('bounded' as const), gap: number }),
  ),
  statesVisited: count,
  certified: fc.boolean(),
  assumed: fc.array(text, { maxLength: 2 }),
  notJudged: fc.array(text, { maxLength: 2 }),
});

export const decisionOf = (deploymentId: string): fc.Arbitrary<DecisionRecord> =>
  fc
    .record({
      deploymentId: fc.constant(deploymentId),
      atMs: count,
      reason: fc.constantFrom('deployed', 'telemetry', 'restart'),
      versionBefore: fc.nat(),
      versionAfter: fc.nat(),
      cutBefore: fc.option(cut),
      cutAfter: cutOfAnyTiers,
      context,
      decision,
      switching: fc.option(
        decision.chain(({ objectiveValue, prediction, violations }) =>
          fc.record({
            reason: fc.constantFrom('stay' as const, 'first' as const, 'asked' as const),
            switchSeconds: fc.option(number),
            kept: fc.option(
              fc.constant({
                why: 'not-worth-the-switch' as const,
                objectiveValue,
                prediction,
                violations,
              }),
            ),
          }),
        ),
      ),
      secondsSources: fc.array(
        fc.oneof(
          fc.record({ kind: fc.constant('measured' as const), machineId: text }),
          fc.record({
            kind: fc.constant('scaled' as const),
            machineId: text,
            computeRatio: optionalNumber.map((n) => n ?? 1),
          }),
        ),
        { maxLength: 2 },
      ),
      corrections: fc.option(fc.record({ end: number, uplink: number }, { requiredKeys: [] })),
      searchNanoseconds: count,
      keptBefore: fc.nat(),
    })
    .map(plain);

/** One record of its kind, always the same for a seed. */
export function sample<T>(arbitrary: fc.Arbitrary<T>, seed: number): T {
  return fc.sample(arbitrary, { numRuns: 1, seed })[0]!;
}
