/** What devices say. Checked strictly: a field that is not known is refused by name. */
import { Type, type TSchema } from 'typebox';
import { PowerSchema } from '../schema/context.js';
import { DeploymentId, DeviceId, kebabCase, maybe, strict, Tier, Version } from './fields.js';

const wholeNumber = { minimum: 0, maximum: Number.MAX_SAFE_INTEGER } as const;

const RunningSchema = Type.Object(
  {
    deploymentId: DeploymentId,
    version: Version,
    fallback: maybe(Type.Boolean({ description: 'The safe local cut runs in place of this version' })),
  },
  strict,
);

const HelloSchema = Type.Object(
  {
    type: Type.Literal('hello'),
    deviceId: DeviceId,
    role: Tier,
    bootEpoch: maybe(
      Type.Integer({
        ...wholeNumber,
        description:
          'Another one after each start of the device; sequences go on within one. Absent: sequences start anew',
      }),
    ),
    machineId: maybe(
      Type.String({
        minLength: 1,
        maxLength: 128,
        description: 'machine.id of a profile taken on this device',
      }),
    ),
    computeRatio: maybe(
      Type.Number({
        exclusiveMinimum: 0,
        maximum: 1e6,
        description:
          'Seconds here per second on the controller; used where no profile of this machine is known',
      }),
    ),
    power: maybe(PowerSchema),
    batteryCapacityJoules: maybe(Type.Number({ exclusiveMinimum: 0, maximum: 1e12 })),
    agent: maybe(Type.String({ maxLength: 200, description: 'Name and version of the client' })),
    capabilities: maybe(
      Type.Array(kebabCase('prepare: loads a cut before it switches. Others are kept and shown'), {
        maxItems: 32,
        description: 'What the device can do beyond the least that is asked',
      }),
    ),
    models: maybe(
      Type.Array(Type.String({ pattern: '^[0-9a-f]{64}$' }), {
        maxItems: 256,
        description: 'SHA-256 (hex) of the ONNX files that are on the device',
      }),
    ),
    switchSeconds: maybe(
      Type.Number({
        minimum: 0,
        maximum: 3600,
        description: 'For how long serving stops when this device switches cuts, s',
      }),
    ),
    running: maybe(
      Type.Array(RunningSchema, {
        maxItems: 1000,
        description: 'The cut version of each deployment that the device runs now',
      }),
    ),
  },
  strict,
);

const measured = (
  description: string,
  range: { minimum?: number; exclusiveMinimum?: number; maximum?: number },
) => maybe(Type.Number({ ...range, description }));

const TelemetrySchema = Type.Object(
  {
    type: Type.Literal('telemetry'),
    sequence: Type.Integer({
      ...wholeNumber,
      description:
        'Rises from frame to frame within one boot epoch; a frame that is not above the last is dropped',
    }),
    uplinkBitsPerSecond: measured('bit/s from this device to the next tier', { minimum: 0, maximum: 1e15 }),
    downlinkBitsPerSecond: measured('bit/s from the next tier to this device', { minimum: 0, maximum: 1e15 }),
    rttSeconds: measured('Round trip to the next tier, s', { minimum: 0, maximum: 3600 }),
    cpuLoad: measured(
      'Share of the CPU that others use; becomes slowdown 1 / (1 - cpuLoad). Send 0.99 for a full one',
      { minimum: 0, maximum: 0.999_999 },
    ),
    slowdown: measured('Seconds now per second of the profile; wins over cpuLoad', {
      exclusiveMinimum: 0,
      maximum: 1e6,
    }),
    freeMemoryBytes: measured('bytes', { minimum: 0, maximum: 1e18 }),
    freeStorageBytes: measured('bytes', { minimum: 0, maximum: 1e18 }),
    battery: maybe(
      Type.Object(
        {
          level: Type.Number({ minimum: 0, maximum: 1, description: 'State of charge' }),
          charging: Type.Boolean(),
        },
        strict,
      ),
    ),
    temperatureCelsius: measured('degrees Celsius', { minimum: -100, maximum: 300 }),
    queueLength: measured('Requests that wait here', { minimum: 0, maximum: 1e6 }),
    meanServiceSeconds: measured('Mean seconds that this device takes for one request of its queue', {
      minimum: 0,
      maximum: 86_400,
    }),
  },
  { ...strict, description: 'All that the device knows now: a value that is absent is not known' },
);

const ofVersion = { deploymentId: DeploymentId, version: Version };

const PreparedSchema = Type.Object(
  { type: Type.Literal('prepared'), ...ofVersion },
  { ...strict, description: 'This version is loaded; the cut before still serves' },
);

const AckSchema = Type.Object(
  { type: Type.Literal('ack'), ...ofVersion },
  { ...strict, description: 'This version is active here now' },
);

const NackSchema = Type.Object(
  {
    type: Type.Literal('nack'),
    ...ofVersion,
    code: kebabCase('Stable reason, e.g. no-memory'),
    message: maybe(Type.String({ maxLength: 500 })),
    running: maybe(Version),
  },
  {
    ...strict,
    description:
      'This version cannot be prepared or activated here; `running` is the one that still runs, absent: none',
  },
);

const FallbackSchema = Type.Object(
  {
    type: Type.Literal('fallback'),
    ...ofVersion,
    reason: kebabCase('edge-lost, time-to-live or a reason of the device'),
  },
  {
    ...strict,
    description:
      'The safe local cut runs in place of this version; an ack says that the device is back at it',
  },
);

const meanSeconds = (description: string) =>
  maybe(Type.Number({ exclusiveMinimum: 0, maximum: 86_400, description }));

/** Fields of a measurement that hold seconds; at least one is there. */
export const measuredStages = [
  'endSeconds',
  'uplinkSeconds',
  'edgeSeconds',
  'downlinkSeconds',
  'edgeUplinkSeconds',
  'cloudSeconds',
  'edgeDownlinkSeconds',
  'latencySeconds',
] as const;

const MeasurementSchema = Type.Object(
  {
    type: Type.Literal('measurement'),
    ...ofVersion,
    count: Type.Integer({ minimum: 1, maximum: 1e9, description: 'Inferences since the last measurement' }),
    endSeconds: meanSeconds('Mean time of the layers on the end device, s'),
    uplinkSeconds: meanSeconds('Mean time from the end device to the edge, s'),
    edgeSeconds: meanSeconds('Mean time of the layers on the edge, s'),
    downlinkSeconds: meanSeconds('Mean time from the edge to the end device, s'),
    edgeUplinkSeconds: meanSeconds('Mean time from the edge to the cloud, s'),
    cloudSeconds: meanSeconds('Mean time of the layers in the cloud, s'),
    edgeDownlinkSeconds: meanSeconds('Mean time from the cloud to the edge, s'),
    latencySeconds: meanSeconds('Mean time of one inference from input to result, s'),
  },
  {
    ...strict,
    // null says the same as absent, so it is not enough that the name is there
    anyOf: measuredStages.map((stage) => ({
      properties: { [stage]: { type: 'number' } },
      required: [stage],
    })),
    description: 'Means over `count` inferences with this version; at least one of the times',
  },
);

/** Device to controller, by `type`. */
export const deviceMessageSchemas = {
  hello: HelloSchema,
  telemetry: TelemetrySchema,
  prepared: PreparedSchema,
  ack: AckSchema,
  nack: NackSchema,
  fallback: FallbackSchema,
  measurement: MeasurementSchema,
} as const satisfies Record<string, TSchema>;
