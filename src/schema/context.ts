/** The context of a deployment (`Context` of the core) as a JSON document, with the range of every value. */
import { Type } from 'typebox';
import type { Context } from '../core/context.js';
import { largestAmount } from '../core/contextRanges.js';
import { compileCheck, type Checked } from './problems.js';

const bytes = (description: string) =>
  Type.Optional(Type.Number({ minimum: 0, maximum: largestAmount, description }));
const watts = (description: string) => Type.Number({ minimum: 0, maximum: largestAmount, description });

const TierContextSchema = Type.Object(
  {
    slowdown: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        maximum: largestAmount,
        description: 'Seconds now per second of the profile. Absent: taken as 1, and the decision says so.',
      }),
    ),
    freeStorageBytes: bytes('Bound on the bytes of the weights on this tier. Absent: no bound.'),
    freeMemoryBytes: bytes('Bound on weights plus the largest working set on this tier. Absent: no bound.'),
  },
  { additionalProperties: false },
);

const rate = (direction: string) =>
  Type.Optional(
    Type.Number({
      minimum: 0,
      maximum: largestAmount,
      description: `${direction}, bit/s. Absent or below 1: the link cannot be used.`,
    }),
  );
const wait = (description: string) =>
  Type.Optional(
    Type.Number({
      minimum: 0,
      maximum: largestAmount,
      description: `${description}. Absent: taken as 0, and the decision says so.`,
    }),
  );

const HopContextSchema = Type.Object(
  {
    uplinkBitsPerSecond: rate('From the lower tier to the upper one'),
    downlinkBitsPerSecond: rate('From the upper tier to the lower one'),
    rttSeconds: wait('Round trip without payload'),
    queueSeconds: wait('Time a request waits before the upper tier starts it'),
    connected: Type.Optional(
      Type.Boolean({
        description: 'False: the upper tier is known to be unreachable, the link cannot be used.',
      }),
    ),
  },
  { additionalProperties: false },
);

export const PowerSchema = Type.Object(
  {
    computeWatts: watts('While the end device computes'),
    transmitWatts: watts('While it sends'),
    receiveWatts: watts('While it receives'),
    idleWatts: watts('While it waits for the tiers above'),
  },
  { additionalProperties: false },
);

const BatterySchema = Type.Object(
  {
    level: Type.Number({ minimum: 0, maximum: 1, description: 'State of charge' }),
    capacityJoules: Type.Number({ exclusiveMinimum: 0, maximum: largestAmount }),
    charging: Type.Boolean({ description: 'True: the battery sets no energy budget' }),
  },
  { additionalProperties: false },
);

const positive = (description: string) =>
  Type.Optional(
    Type.Number({
      exclusiveMinimum: 0,
      maximum: largestAmount,
      description: `${description}. Absent: not asked.`,
    }),
  );

const weight = (unit: string) =>
  Type.Optional(Type.Number({ minimum: 0, maximum: largestAmount, description: `Per ${unit}` }));
const perTierBytes = (description: string) =>
  Type.Optional(
    Type.Array(Type.Number({ minimum: 0, maximum: largestAmount }), {
      minItems: 2,
      maxItems: 3,
      description: `${description}, per tier`,
    }),
  );

/** What is asked of a deployment. */
export const RequirementsSchema = Type.Object(
  {
    latencySeconds: positive('Upper bound on the latency of one inference'),
    energyJoulesPerInference: positive('Upper bound on the energy of the end device per inference'),
    batteryLifetimeSeconds: positive('The battery must last this long at `inferencesPerSecond`'),
    inferencesPerSecond: positive(
      'Rate that goes with `batteryLifetimeSeconds`, and for which switches are weighed',
    ),
    switchSeconds: Type.Optional(
      Type.Number({
        minimum: 0,
        maximum: 3600,
        description:
          'For how long a switch to another cut stops serving, in place of what the devices report',
      }),
    ),
    objective: Type.Optional(
      Type.Union(
        [
          Type.Literal('latency'),
          Type.Literal('energy'),
          Type.Literal('throughput'),
          Type.Object(
            {
              perLatencySecond: weight('second of latency'),
              perEnergyJoule: weight('joule of the end device'),
              perBottleneckSecond: weight('second of the slowest stage'),
            },
            { additionalProperties: false },
          ),
        ],
        { description: 'What is minimised. Absent: latency' },
      ),
    ),
    bytesSent: Type.Optional(
      Type.Number({ minimum: 0, maximum: largestAmount, description: 'Upper bound on the bytes sent up' }),
    ),
    accuracyLoss: Type.Optional(
      Type.Number({ minimum: 0, maximum: 1, description: 'Upper bound on what wire encodings may cost' }),
    ),
    privacyDepth: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: largestAmount,
        description: 'Lower bound on the layers that each tensor leaving the end device has passed',
      }),
    ),
    weightBytes: perTierBytes('Upper bound on the weights, beside the free storage'),
    memoryBytes: perTierBytes('Upper bound on weights plus largest working set, beside the free memory'),
  },
  { additionalProperties: false },
);

/** End device and edge, or end device, edge and cloud: one hop less than tiers. */
export const ContextSchema = Type.Object(
  {
    tiers: Type.Array(TierContextSchema, {
      minItems: 2,
      maxItems: 3,
      description: 'The end device, the edge, and the cloud where there is one',
    }),
    hops: Type.Array(HopContextSchema, {
      minItems: 1,
      maxItems: 2,
      description: 'The link between end device and edge, then that between edge and cloud',
    }),
    power: Type.Optional(PowerSchema),
    battery: Type.Optional(BatterySchema),
    requirements: RequirementsSchema,
  },
  {
    additionalProperties: false,
    description: 'The measured present and what is asked for. What was not measured is left out, never 0.',
  },
);

const checkSchema = compileCheck(ContextSchema);

/** A JSON value as a context, or every problem with its field. */
export function checkContext(value: unknown): Checked<Context> {
  const checked = checkSchema(value);
  if (!checked.ok) return checked;
  const { tiers, hops, requirements } = checked.value;
  const problems: string[] = [];
  if (hops.length !== tiers.length - 1) {
    problems.push(`hops must have one entry less than tiers (${tiers.length}), not ${hops.length}`);
  }
  for (const name of ['weightBytes', 'memoryBytes'] as const) {
    const count = requirements[name]?.length ?? 0;
    if (count <= tiers.length) continue;
    problems.push(
      `requirements.${name} must have at most one entry per tier (${tiers.length}), not ${count}`,
    );
  }
  return problems.length === 0 ? checked : { ok: false, problems };
}
