/** What the controller says. Messages may get new fields in time: devices ignore those that they do not know. */
import { Type, type TSchema } from 'typebox';
import { DeploymentId, oneOf, Tier, Version } from './fields.js';

export const protocolName = 'cutpoint.v1';

const LimitsSchema = Type.Object(
  {
    frameBytes: Type.Number({ description: 'A larger frame ends the connection with 1009' }),
    jsonDepth: Type.Number({ description: 'A frame nested deeper is answered with too-deep' }),
    framesPerSecond: Type.Number({ description: 'Frames that a connection may send per second' }),
    frameBurst: Type.Number({
      description:
        'Frames that it may send at once. Above both: a warning, frames are dropped, then close 4008',
    }),
    outboxBytes: Type.Number({ description: 'A device that leaves more unread is closed with 4006' }),
    deployments: Type.Number({ description: 'Deployments that one device may have' }),
    prepareMs: Type.Number({
      description: 'Without prepared or nack within this time the cut is taken for refused (prepare-timeout)',
    }),
    helloMs: Type.Number({ description: 'Without a hello for so long a connection is closed with 4002' }),
    tooFastMs: Type.Number({
      description:
        'Frames above framesPerSecond for so long after the warning, or frameBurst of them, end it with 4008',
    }),
    hellosPerMinute: Type.Number({ description: 'Hellos of one deviceId that are taken per minute' }),
    helloBurst: Type.Number({ description: 'Hellos of it that are taken at once. Above both: close 4011' }),
  },
  { description: 'Every limit that the controller enforces' },
);

const WelcomeSchema = Type.Object({
  type: Type.Literal('welcome'),
  protocol: Type.Literal(protocolName),
  verdict: Type.Literal('accepted'),
  serverTimeMs: Type.Number({ description: 'ms since 1970-01-01T00:00:00Z' }),
  heartbeatMs: Type.Number({
    description: 'The controller pings this often; three without any answer end it',
  }),
  telemetryIntervalMs: Type.Number({ description: 'How often telemetry is wanted' }),
  previousCutMs: Type.Number({
    description: 'For how long after a switch the cut before must still be served to the other tier',
  }),
  limits: LimitsSchema,
});

const TensorsSchema = (description: string) =>
  Type.Array(
    Type.Object({
      name: Type.String({ description: 'Name in the ONNX model' }),
      type: Type.String(),
      shape: Type.Array(Type.Integer()),
      bytes: Type.Integer(),
    }),
    { description },
  );

const CutSchema = Type.Object(
  {
    type: Type.Literal('cut'),
    deploymentId: DeploymentId,
    version: Version,
    phase: oneOf(
      ['prepare', 'active'],
      'prepare: load it, serve the cut before, answer prepared or nack. active: switch to it, answer ack or nack',
    ),
    tier: Tier,
    model: Type.Object({ id: Type.String(), name: Type.String(), sha256: Type.String() }),
    layerCount: Type.Integer(),
    endLayers: Type.Array(Type.Integer(), {
      description:
        'Layers on the end device, ascending; the edge has the rest, unless edgeLayers says otherwise',
    }),
    edgeLayers: Type.Optional(
      Type.Array(Type.Integer(), {
        description:
          'Where the deployment has a cloud: layers on the edge, ascending; the cloud has what is in neither list',
      }),
    ),
    tensors: TensorsSchema('What crosses from end device to edge, each once'),
    edgeTensors: Type.Optional(
      TensorsSchema('Where the deployment has a cloud: what crosses from edge to cloud, each once'),
    ),
    predictedLatencySeconds: Type.Unsafe<number | null>({
      type: ['number', 'null'],
      description: 'Of one inference with this cut; null where none is recorded',
    }),
    timeToLiveMs: Type.Number({
      description:
        'For how long it holds without any frame or ping of the controller; then the safe local cut',
    }),
  },
  { description: 'A state, not an event: the same version and phase twice must do no harm' },
);

const CurrentSchema = Type.Object(
  { type: Type.Literal('current'), deploymentId: DeploymentId, version: Version },
  { description: 'The version that the hello said is running is the one that is wanted' },
);

const RemovedSchema = Type.Object(
  { type: Type.Literal('removed'), deploymentId: DeploymentId },
  { description: 'The deployment is gone, or is none of this device' },
);

const ErrorSchema = Type.Object({
  type: Type.Literal('error'),
  code: Type.String({ description: 'Stable, kebab-case' }),
  message: Type.String(),
  field: Type.Optional(Type.String({ description: 'The field at fault, e.g. battery.level' })),
  sequence: Type.Optional(Type.Integer({ description: 'Of the telemetry frame that is answered' })),
});

const WarningSchema = Type.Object({
  type: Type.Literal('warning'),
  code: Type.String({ description: 'Stable, kebab-case: too-fast' }),
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
