/**
 * Every key of the configuration: default, limits, meaning. The file config/cutpoint.yaml, the messages about
 * wrong values and the type of the configuration are made from here.
 */
import { Type, type Static } from 'typebox';
import type { DeepReadonly } from './schema/problems.js';

const whole = (fallback: number, minimum: number, maximum: number, description: string) =>
  Type.Integer({ default: fallback, minimum, maximum, description });
const oneOf = <const Values extends readonly string[]>(
  fallback: Values[number],
  values: Values,
  description: string,
) => Type.Unsafe<Values[number]>({ type: 'string', enum: values, default: fallback, description });
const text = (fallback: string, description: string) =>
  Type.String({ default: fallback, minLength: 1, maxLength: 4096, description });

const optionalText = (description: string) =>
  Type.String({ default: '', minLength: 0, maxLength: 4096, description });
const yesOrNo = (description: string) => Type.Boolean({ default: false, description });

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;
const HOUR_MS = 3_600_000;

const listen = Type.Object(
  {
    host: text('127.0.0.1', 'Address to listen on. 0.0.0.0 or :: lets other machines in.'),
    port: whole(8080, 0, 65_535, 'TCP port for REST and devices. 0 takes a free one.'),
    backlog: whole(
      4_096,
      1,
      65_535,
      'Connections that may wait to be accepted: a fleet that comes back at once. The system has a limit of its own (Linux: net.core.somaxconn).',
    ),
    compression: oneOf(
      'off',
      ['off', 'on'],
      'on: a device may compress its frames (permessage-deflate). limits.frameBytes counts what comes out.',
    ),
    tlsCertificateFile: optionalText(
      'Certificate and chain (PEM): with it, REST and devices are served over TLS alone. A new content is taken without a restart.',
    ),
    tlsKeyFile: optionalText('Private key of the certificate (PEM, without a passphrase).'),
    tlsReloadMs: whole(10_000, 100, HOUR_MS, 'How often the two files are looked at for a new content.'),
    insecure: yesOrNo(
      'Listen beyond loopback without TLS. Only where something else protects that network: a proxy that ends TLS, a container network.',
    ),
    trustProxy: optionalText(
      'Addresses or networks of proxies, separated by commas (10.0.0.5, 10.1.0.0/16). What they say in X-Forwarded-For is taken for the address of the other end, in the audit, the log and the limit of failures. Empty: nobody is believed.',
    ),
    headersTimeoutMs: whole(
      10_000,
      100,
      600_000,
      'A connection that has not sent the head of its request is closed after this.',
    ),
    requestTimeoutMs: whole(
      600_000,
      100,
      24 * HOUR_MS,
      'The same for the whole request. Long enough for the upload of the largest model.',
    ),
  },
  { description: 'Where operators and devices reach the controller.' },
);

const data = Type.Object(
  {
    directory: text(
      'cutpoint-data',
      'Folder of the database and of uploads. A relative path counts from the working directory.',
    ),
    synchronous: oneOf(
      'normal',
      ['normal', 'full'],
      'normal: a decision survives the end of the process, kill -9 too. full: it survives power loss too, at the price of a disk flush per commit.',
    ),
    openTimeoutMs: whole(
      5_000,
      0,
      600_000,
      'How long the start waits for another program that keeps the database locked.',
    ),
    operationTimeoutMs: whole(
      50,
      0,
      10_000,
      'The same for each later operation. The whole process waits meanwhile; what failed is tried again.',
    ),
    maxLogBytes: whole(
      128 * 1024 * 1024,
      1024 * 1024,
      64 * 1024 * 1024 * 1024,
      'Write-ahead log of the database. It begins anew at a quarter of this; where the disk is too slow for that, decisions wait at this length until it has caught up.',
    ),
  },
  { description: 'What is kept on disk.' },
);

const log = Type.Object(
  {
    level: oneOf(
      'info',
      ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'],
      'Least severe level that is written.',
    ),
  },
  { description: 'The log: one JSON object per line on standard output.' },
);

const limits = Type.Object(
  {
    maxModels: whole(200, 1, 10_000, 'Models that may be stored.'),
    maxModelBytes: whole(
      GIB,
      1 * KIB,
      2 * GIB - 1,
      'Largest model file, bytes. ONNX itself ends below 2 GiB.',
    ),
    maxProfilesPerModel: whole(32, 1, 1_000, 'Profiles that may be stored for one model.'),
    maxDevices: whole(10_000, 1, 1_000_000, 'Devices that may be known.'),
    maxConnections: whole(10_000, 1, 1_000_000, 'Device sockets that may be open at once.'),
    maxOperatorSockets: whole(
      1_000,
      1,
      100_000,
      'TCP connections beyond those of devices: at maxConnections and these together further ones are closed unread.',
    ),
    maxStrangersPerAddress: whole(
      2_000,
      1,
      100_000,
      'TCP connections of one network address that have shown no credential yet; the oldest is closed for a further one.',
    ),
    maxDeployments: whole(10_000, 1, 1_000_000, 'Deployments that may exist.'),
    maxDeploymentsPerDevice: whole(1_000, 1, 100_000, 'Deployments that one device may take part in.'),
    frameBytes: whole(64 * KIB, 1 * KIB, 16 * MIB, 'Largest frame taken from a device, bytes.'),
    jsonDepth: whole(8, 4, 64, 'How deep the JSON of a frame may be nested.'),
    framesPerSecond: whole(
      50,
      1,
      100_000,
      'Frames that one device may send per second. One that sends more is warned, loses frames, and is closed.',
    ),
    frameBurst: whole(100, 1, 1_000_000, 'Frames that one device may send at once.'),
    hellosPerMinute: whole(
      30,
      1,
      1_000_000,
      'Hellos of one device id that are taken per minute; a device with many deployments makes work with each. Further ones are closed, and the connection before stays.',
    ),
    helloBurst: whole(10, 1, 1_000_000, 'Hellos of one device id that are taken at once.'),
    outboxBytes: whole(
      MIB,
      4 * KIB,
      256 * MIB,
      'Bytes that may wait for one slow device before its socket is closed.',
    ),
    helloTimeoutMs: whole(5_000, 100, 600_000, 'A socket without a hello is closed after this.'),
    heartbeatMs: whole(
      10_000,
      100,
      HOUR_MS,
      'Time between two pings. Three without an answer: the device is gone.',
    ),
    telemetryIntervalMs: whole(
      1_000,
      10,
      HOUR_MS,
      'Time between two telemetry frames that devices are asked to keep.',
    ),
    maxQuestions: whole(
      64,
      1,
      10_000,
      'Questions of operators that take long (ranges, alternatives, what-if, why a cut was chosen), worked on or waiting at once. Further ones get 503.',
    ),
    maxRestBodyBytes: whole(8 * MIB, 1 * KIB, 256 * MIB, 'Largest JSON body of a REST request, bytes.'),
    heapGrowthPercent: whole(
      150,
      10,
      1_000,
      'By how much more than is in use the JavaScript heap may grow before all of it is searched for garbage. Less needs less memory; more holds up telemetry less often.',
    ),
  },
  { description: 'What the controller takes from outside. Each limit that is hit is counted.' },
);

const auth = Type.Object(
  {
    anonymousDevices: yesOrNo(
      'Take devices that come without a token, as whatever they say that they are. A device that has a token is still taken with it alone.',
    ),
    maxKeys: whole(1_000, 1, 100_000, 'API keys of operators that may be in use.'),
    maxTokensPerDevice: whole(8, 1, 1_000, 'Tokens of one device that may be in use.'),
    maxDeviceTokens: whole(
      100_000,
      1,
      10_000_000,
      'Tokens of all devices together that may be in use; also those revoked that are kept, and devices that have or had one.',
    ),
    failuresPerMinute: whole(
      60,
      1,
      1_000_000,
      'Failed attempts per network address, at once and again each minute. Further ones get 429 and no log line; a right credential is always taken.',
    ),
    maxTrackedAddresses: whole(10_000, 1, 1_000_000, 'Network addresses whose failed attempts are counted.'),
    auditKeepRows: whole(100_000, 1, 100_000_000, 'Changes kept in the audit; the oldest go first.'),
  },
  { description: 'Who may do what.' },
);

const decisions = Type.Object(
  {
    keepRows: whole(100_000, 1, 100_000_000, 'Rows of decision history kept; the oldest go first.'),
    keptRowMs: whole(
      60_000,
      0,
      HOUR_MS,
      'Where telemetry leaves the cut as it is, one row of history per deployment and this time; it counts those between. 0: each decision is a row.',
    ),
    flushMs: whole(
      2,
      0,
      1_000,
      'Between two commits, at least; what is decided meanwhile is committed together. A cut is sent after its commit.',
    ),
    queueRows: whole(
      10_000,
      1,
      1_000_000,
      'Decisions that may wait for a commit. At the cap deciding waits too.',
    ),
    whenStoreFails: oneOf(
      'hold',
      ['hold', 'continue'],
      'While the database takes no writes (disk full, read-only). hold: cuts stay as they are. continue: they go on changing, on versions reserved before; history is then missing, and a crash meanwhile goes back to the last stored cut, under a new version.',
    ),
    reservedVersions: whole(
      1_000,
      2,
      1_000_000,
      'For continue: versions reserved per deployment. When they are used up, its cut stays until the database takes writes again.',
    ),
    batchDeployments: whole(
      256,
      1,
      10_000,
      'Deployments decided in one go before other work of the process has its turn.',
    ),
    sliceMs: whole(
      2,
      1,
      1_000,
      'Time per turn that questions of operators have together, and a search that goes on after its decision; between two turns decisions are made.',
    ),
    prepareTimeoutMs: whole(
      30_000,
      100,
      HOUR_MS,
      'Time that a device has to prepare or to activate a cut before it counts as refused.',
    ),
    retryMs: whole(1_000, 10, HOUR_MS, 'First wait before a refused cut is tried again; doubles each time.'),
    maxSetAside: whole(
      16,
      1,
      1_000,
      'Refused placements that are remembered per deployment; the one that is due first is forgotten first.',
    ),
    maxRetryMs: whole(300_000, 10, 24 * HOUR_MS, 'Longest of these waits.'),
    timeToLiveMs: whole(
      60_000,
      1_000,
      24 * HOUR_MS,
      'A device that hears nothing from the controller for so long runs its safe local cut. More than three heartbeats.',
    ),
    previousCutMs: whole(
      30_000,
      0,
      HOUR_MS,
      'For how long a device keeps the cut before ready after a switch, for requests of the other tier.',
    ),
    restartGraceMs: whole(
      10_000,
      0,
      HOUR_MS,
      'After a start, time that a known device has to come back before its absence changes a cut.',
    ),
  },
  { description: 'Deciding and its history.' },
);

const states = Type.Object(
  {
    maxStates: whole(200_000, 1, 10_000_000, 'States held per model. A model with more is cut per decision.'),
    minCutWork: whole(
      6_000,
      400,
      10_000_000,
      'Work of a decision where the states are not held, in maximum flows times layers and hops (of 40 to 400); about 10 ms for the default. The search goes on afterwards, while there is nothing else to do, up to 80000.',
    ),
    buildQueue: whole(256, 1, 100_000, 'State graphs that may wait to be built.'),
    maxIdle: whole(
      8,
      0,
      10_000,
      'State graphs kept while no deployment needs them; the longest unused goes first.',
    ),
  },
  { description: 'Partition state graphs.' },
);

const imports = Type.Object(
  {
    timeoutSeconds: whole(600, 1, 86_400, 'An import that takes longer is stopped.'),
    queue: whole(16, 1, 1_000, 'Imports that may wait behind the running one.'),
    maxMemoryBytes: whole(8 * GIB, 64 * MIB, 1024 * GIB, 'Memory that an import may take, bytes.'),
    intraOpThreads: whole(1, 1, 256, 'Threads that one operator may use while a model is profiled.'),
    optimizationLevel: oneOf(
      'extended',
      ['disabled', 'basic', 'extended', 'all'],
      "The runtime's graph optimisation at which models are profiled, which must be the one they are deployed with.",
    ),
    runs: whole(10, 1, 10_000, 'Measured runs per profile.'),
    warmupRuns: whole(2, 0, 1_000, 'Runs before them that are not measured.'),
  },
  { description: 'Import and profile of models.' },
);

const shutdown = Type.Object(
  { graceMs: whole(10_000, 0, 600_000, 'Time for a graceful stop; after it the process ends anyway.') },
  { description: 'Stopping.' },
);

const metrics = Type.Object(
  {
    eventLoopResolutionMs: whole(10, 1, 1_000, 'How finely the delay of the event loop is sampled.'),
  },
  { description: 'Figures at /metrics.' },
);

/** The sections of the configuration in the order of its document. */
export const configSections = {
  listen,
  data,
  log,
  limits,
  auth,
  decisions,
  states,
  import: imports,
  shutdown,
  metrics,
};

export const ConfigSchema = Type.Object(configSections);

/** The configuration: complete, checked, frozen. Times in ms, sizes in bytes, as the keys say. */
export type Config = DeepReadonly<Static<typeof ConfigSchema>>;
