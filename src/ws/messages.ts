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

const strict = { additionalProperties: false } as const;

/** A number that is absent (unchanged) or null (no longer known). */
function measured(range: {
  minimum?: number;
  exclusiveMinimum?: number;
  maximum?: number;
  exclusiveMaximum?: number;
  description: string;
}) {
  return Type.Optional(Type.Unsafe<number | null>({ type: ['number', 'null'], ...range }));
}

export const HelloSchema = Type.Object(
  {
    type: Type.Literal('hello'),
    deviceId: DeviceIdSchema,
    role: Type.Union([Type.Literal('end'), Type.Literal('edge')]),
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
    running: Type.Optional(
      Type.Array(Type.Object({ deploymentId: DeploymentId, version: Version }, strict), {
        maxItems: 1000,
        description: 'The cut version of each deployment that the device runs now',
      }),
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
      exclusiveMaximum: 1,
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

export const AckSchema = Type.Object(
  { type: Type.Literal('ack'), deploymentId: DeploymentId, version: Version },
  strict,
);

export const NackSchema = Type.Object(
  {
    type: Type.Literal('nack'),
    deploymentId: DeploymentId,
    version: Version,
    code: Type.String({ pattern: '^[a-z][a-z0-9-]{0,63}$', description: 'Stable reason, kebab-case' }),
    message: Type.Optional(Type.String({ maxLength: 500 })),
  },
  strict,
);

export type HelloMessage = Static<typeof HelloSchema>;
export type TelemetryMessage = Static<typeof TelemetrySchema>;
export type AckMessage = Static<typeof AckSchema>;
export type NackMessage = Static<typeof NackSchema>;
export type DeviceMessage = HelloMessage | TelemetryMessage | AckMessage | NackMessage;

/** Device to controller, by `type`. */
export const deviceMessageSchemas = {
  hello: HelloSchema,
  telemetry: TelemetrySchema,
  ack: AckSchema,
  nack: NackSchema,
} as const satisfies Record<string, TSchema>;

const WelcomeSchema = Type.Object({
  type: Type.Literal('welcome'),
  protocol: Type.Literal(protocolName),
  serverTimeMs: Type.Number({ description: 'ms since 1970-01-01T00:00:00Z' }),
  heartbeatMs: Type.Number({
    description: 'The controller pings this often; three without any answer end it',
  }),
  telemetryIntervalMs: Type.Number({ description: 'How often telemetry is wanted' }),
  limits: Type.Object({
    frameBytes: Type.Number({ description: 'A larger frame ends the connection with 1009' }),
    outboxBytes: Type.Number({ description: 'A device that leaves more unread is closed with 4006' }),
    deployments: Type.Number({ description: 'Deployments that one device may have' }),
  }),
});

export const CutSchema = Type.Object({
  type: Type.Literal('cut'),
  deploymentId: DeploymentId,
  version: Version,
  tier: Type.Union([Type.Literal('end'), Type.Literal('edge')]),
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
});

const RemovedSchema = Type.Object({ type: Type.Literal('removed'), deploymentId: DeploymentId });

const ErrorSchema = Type.Object({
  type: Type.Literal('error'),
  code: Type.String({ description: 'Stable, kebab-case' }),
  message: Type.String(),
  field: Type.Optional(Type.String({ description: 'The field at fault, e.g. battery.level' })),
  sequence: Type.Optional(Type.Integer({ description: 'Of the telemetry frame that is answered' })),
});

/** Controller to device, by `type`. */
export const controllerMessageSchemas = {
  welcome: WelcomeSchema,
  cut: CutSchema,
  removed: RemovedSchema,
  error: ErrorSchema,
} as const satisfies Record<string, TSchema>;

export type WelcomeMessage = Static<typeof WelcomeSchema>;
export type CutMessage = Static<typeof CutSchema>;
export type RemovedMessage = Static<typeof RemovedSchema>;
export type ErrorMessage = Static<typeof ErrorSchema>;
export type ControllerMessage = WelcomeMessage | CutMessage | RemovedMessage | ErrorMessage;
