/** Every message of the device protocol, version 1: one schema gives the check, the type and the documentation. */
import { Type, type Static, type TSchema } from 'typebox';
import { PowerSchema } from '../schema/context.js';

export const protocolName = 'cutpoint.v1';

const DeviceIdSchema = Type.String({
  pattern: '^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$',
  description: 'Letters, digits and . _ : - ; up to 128 characters, the first one a letter or digit',
});
const DeploymentId = Type.String({ minLength: 1, maxLength: 128 });
const Version = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER });

const ReasonCode = Type.String({
  pattern: '^[a-z][a-z0-9-]{0,63}$',
  description: 'Stable reason, kebab-case',
});
const Tier = Type.Union([Type.Literal('end'), Type.Literal('edge'), Type.Literal('cloud')]);

const strict = { additionalProperties: false } as const;

/** A number, or absent where it is not known; null means the same. */
function measured(range: {
  minimum?: number;
  exclusiveMinimum?: number;
  maximum?: number;
  description: string;
}) {
  return Type.Optional(Type.Unsafe<number | null>({ type: ['number', 'null'], ...range }));
}

export const HelloSchema = Type.Object(
  {
    type: Type.Literal('hello'),
    deviceId: DeviceIdSchema,
    role: Tier,
    bootEpoch: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: Number.MAX_SAFE_INTEGER,
        description:
          'Another one after each start of the device; sequences go on within one. Absent: sequences start anew',
      }),
    ),
    machineId: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 128,
        description: 'machine.id of a profile taken on this device',
      }),
    ),
    computeRatio: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        maximum: 1e6,
        description:
          'Seconds here per second on the controller; used where no profile of this machine is known',
      }),
    ),
    power: Type.Optional(PowerSchema),
    batteryCapacityJoules: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 1e12 })),
    agent: Type.Optional(Type.String({ maxLength: 200, description: 'Name and version of the client' })),
    capabilities: Type.Optional(
      Type.Array(Type.String({ pattern: '^[a-z][a-z0-9-]{0,63}$' }), {
        maxItems: 32,
        description:
          '`prepare`: loads a cut before it switches to it. Others are kept and shown, and change nothing',
      }),
    ),
    models: Type.Optional(
      Type.Array(Type.String({ pattern: '^[0-9a-f]{64}$' }), {
        maxItems: 256,
        description: 'SHA-256 of the ONNX files that are on the device',
      }),
    ),
    switchSeconds: Type.Optional(
      Type.Number({
        minimum: 0,
        maximum: 3600,
        description: 'For how long serving stops when this device switches to another cut, s',
      }),
    ),
    running: Type.Optional(
      Type.Array(
        Type.Object(
          {
            deploymentId: DeploymentId,
            version: Version,
            fallback: Type.Optional(
              Type.Boolean({ description: 'True: the safe local cut runs in place of this version' }),
            ),
          },
          strict,
        ),
        { maxItems: 1000, description: 'The cut version of each deployment that the device runs now' },
      ),
    ),
  },
  strict,
);

export const TelemetrySchema = Type.Object(
  {
    type: Type.Literal('telemetry'),
    sequence: Type.Integer({
      minimum: 0,
      maximum: Number.MAX_SAFE_INTEGER,
      description:
        'Rises from frame to frame within one boot epoch; a frame that is not above the last is dropped',
    }),
    uplinkBitsPerSecond: measured({
      minimum: 0,
      maximum: 1e15,
      description: 'bit/s from end device to edge',
    }),
    downlinkBitsPerSecond: measured({
      minimum: 0,
      maximum: 1e15,
      description: 'bit/s from edge to end device',
    }),
    rttSeconds: measured({ minimum: 0, maximum: 3600, description: 'Round trip end device - edge, s' }),
    cpuLoad: measured({
      minimum: 0,
      maximum: 0.999_999,
      description:
        'Share of the CPU that others use; becomes slowdown 1 / (1 - cpuLoad). Send 0.99 for a full one',
    }),
    slowdown: measured({
      exclusiveMinimum: 0,
      maximum: 1e6,
      description: 'Seconds now per second of the profile; wins over cpuLoad',
    }),
    freeMemoryBytes: measured({ minimum: 0, maximum: 1e18, description: 'bytes' }),
    freeStorageBytes: measured({ minimum: 0, maximum: 1e18, description: 'bytes' }),
    battery: Type.Optional(
      Type.Unsafe<{ level: number; charging: boolean } | null>({
        type: ['object', 'null'],
        additionalProperties: false,
        required: ['level', 'charging'],
        properties: {
          level: { type: 'number', minimum: 0, maximum: 1, description: 'State of charge' },
          charging: { type: 'boolean' },
        },
      }),
    ),
    temperatureCelsius: measured({ minimum: -100, maximum: 300, description: 'degrees Celsius' }),
    queueLength: measured({ minimum: 0, maximum: 1e6, description: 'Requests that wait on an edge' }),
    meanServiceSeconds: measured({
      minimum: 0,
      maximum: 86_400,
      description: 'Mean seconds that an edge takes for one request of its queue',
    }),
  },
  strict,
);

export const PreparedSchema = Type.Object(
  { type: Type.Literal('prepared'), deploymentId: DeploymentId, version: Version },
  strict,
);

export const AckSchema = Type.Object(
  { type: Type.Literal('ack'), deploymentId: DeploymentId, version: Version },
  strict,
);

export const NackSchema = Type.Object(
  {
    type: Type.Literal('nack'),
    deploymentId: DeploymentId,
    version: Version,
    code: ReasonCode,
    message: Type.Optional(Type.String({ maxLength: 500 })),
    running: Type.Optional(
      Type.Unsafe<number>({ ...Version, description: 'The version that still runs; absent: none' }),
    ),
  },
  strict,
);

export const FallbackSchema = Type.Object(
  { type: Type.Literal('fallback'), deploymentId: DeploymentId, version: Version, reason: ReasonCode },
  strict,
);

/** Mean seconds of one stage over the inferences that are reported. */
function stage(description: string) {
  return Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 86_400, description }));
}

export const MeasurementSchema = Type.Object(
  {
    type: Type.Literal('measurement'),
    deploymentId: DeploymentId,
    version: Version,
    count: Type.Integer({
      minimum: 1,
      maximum: 1e9,
      description: 'Inferences since the last report; the seconds are means over them',
    }),
    endSeconds: stage('Layers on the end device, s'),
    uplinkSeconds: stage('Tensors from end device to edge, s'),
    edgeSeconds: stage('Layers on the edge, s'),
    downlinkSeconds: stage('Results back to the end device, s'),
    latencySeconds: stage('From the input to the result, s'),
  },
  { ...strict, minProperties: 5 },
);

export type HelloMessage = Static<typeof HelloSchema>;
export type TelemetryMessage = Static<typeof TelemetrySchema>;
export type PreparedMessage = Static<typeof PreparedSchema>;
export type AckMessage = Static<typeof AckSchema>;
export type NackMessage = Static<typeof NackSchema>;
export type FallbackMessage = Static<typeof FallbackSchema>;
export type MeasurementMessage = Static<typeof MeasurementSchema>;
export type DeviceMessage =
  | HelloMessage
  | TelemetryMessage
  | PreparedMessage
  | AckMessage
  | NackMessage
  | FallbackMessage
  | MeasurementMessage;

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

const WelcomeSchema = Type.Object({
  type: Type.Literal('welcome'),
  protocol: Type.Literal(protocolName),
  verdict: Type.Literal('accepted', {
    description: 'A device that is not accepted gets an error and a close instead',
  }),
  serverTimeMs: Type.Number({ description: 'ms since 1970-01-01T00:00:00Z' }),
  heartbeatMs: Type.Number({
    description: 'The controller pings this often; three without any answer end it',
  }),
  telemetryIntervalMs: Type.Number({ description: 'How often telemetry is wanted' }),
  previousCutMs: Type.Number({
    description:
      'For how long the cut before stays ready after a switch: the other tier may still ask for it',
  }),
  limits: Type.Object({
    frameBytes: Type.Number({ description: 'A larger frame ends the connection with 1009' }),
    jsonDepth: Type.Number({ description: 'A frame that is nested deeper is refused' }),
    framesPerSecond: Type.Number({
      description: 'Who sends faster for long is warned, then closed with 4008',
    }),
    frameBurst: Type.Number({ description: 'Frames that may come at once' }),
    outboxBytes: Type.Number({ description: 'A device that leaves more unread is closed with 4006' }),
    deployments: Type.Number({ description: 'Deployments that one device may have' }),
    prepareMs: Type.Number({ description: 'A cut that is not prepared by then counts as refused' }),
  }),
});

export const CutSchema = Type.Object({
  type: Type.Literal('cut'),
  deploymentId: DeploymentId,
  version: Version,
  phase: Type.Union([Type.Literal('prepare'), Type.Literal('active')], {
    description: '`prepare`: load it while the cut before serves; `active`: switch to it',
  }),
  tier: Tier,
  model: Type.Object({ id: Type.String(), name: Type.String(), sha256: Type.String() }),
  layerCount: Type.Integer(),
  endLayers: Type.Array(Type.Integer(), {
    description: 'Layers on the end device, ascending; the edge has the rest',
  }),
  tensors: Type.Array(
    Type.Object({
      name: Type.String({ description: 'Name in the ONNX model' }),
      type: Type.String(),
      shape: Type.Array(Type.Integer()),
      bytes: Type.Integer(),
    }),
    { description: 'What crosses from end device to edge, each once' },
  ),
  predictedLatencySeconds: Type.Unsafe<number | null>({ type: ['number', 'null'] }),
  timeToLiveMs: Type.Number({
    description:
      'Without any sign of life from the controller for so long, the safe local cut takes its place',
  }),
});

const CurrentSchema = Type.Object(
  { type: Type.Literal('current'), deploymentId: DeploymentId, version: Version },
  { description: 'What the device said in its hello is what it is to run' },
);

const RemovedSchema = Type.Object({ type: Type.Literal('removed'), deploymentId: DeploymentId });

const ErrorSchema = Type.Object({
  type: Type.Literal('error'),
  code: Type.String({ description: 'Stable, kebab-case' }),
  message: Type.String(),
  field: Type.Optional(Type.String({ description: 'The field at fault, e.g. battery.level' })),
  sequence: Type.Optional(Type.Integer({ description: 'Of the telemetry frame that is answered' })),
});

const WarningSchema = Type.Object({
  type: Type.Literal('warning'),
  code: Type.String({ description: 'Stable, kebab-case' }),
  message: Type.String(),
});

/** Controller to device, by `type`. */
export const controllerMessageSchemas = {
  welcome: WelcomeSchema,
  cut: CutSchema,
  current: CurrentSchema,
  removed: RemovedSchema,
  error: ErrorSchema,
  warning: WarningSchema,
} as const satisfies Record<string, TSchema>;

export type WelcomeMessage = Static<typeof WelcomeSchema>;
export type CutMessage = Static<typeof CutSchema>;
export type CurrentMessage = Static<typeof CurrentSchema>;
export type RemovedMessage = Static<typeof RemovedSchema>;
export type ErrorMessage = Static<typeof ErrorSchema>;
export type WarningMessage = Static<typeof WarningSchema>;
export type ControllerMessage =
  WelcomeMessage | CutMessage | CurrentMessage | RemovedMessage | ErrorMessage | WarningMessage;
