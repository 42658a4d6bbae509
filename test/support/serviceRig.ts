/** The whole service on a real port and database, with the small model in place of an import. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pino } from 'pino';
import { WebSocket } from 'ws';
import { buildApp, type ListenSettings } from '../../src/app.js';
import { Access, type AccessSettings } from '../../src/control/access/access.js';
import type { Certificate } from '../../src/http/certificate.js';
import { DeviceHub, type HubSettings } from '../../src/ws/deviceHub.js';
import { bearer, deviceToken, rememberAdminKey } from './credentials.js';
import { controlRig, testSettings, until, type RigOptions } from './controlRig.js';

export const testHubSettings: HubSettings = {
  frameBytes: 4_096,
  jsonDepth: 8,
  framesPerSecond: 1_000,
  frameBurst: 1_000,
  outboxBytes: 64 * 1024,
  helloTimeoutMs: 5_000,
  hellosPerMinute: testSettings.limits.hellosPerMinute,
  helloBurst: testSettings.limits.helloBurst,
  heartbeatMs: 60_000,
  telemetryIntervalMs: 1_000,
  maxDeploymentsPerDevice: 3,
  prepareTimeoutMs: 5_000,
  timeToLiveMs: 60_000,
  previousCutMs: 1_000,
  maxConnections: 8,
  compression: 'off',
};

const testAccessSettings: AccessSettings = {
  anonymousDevices: false,
  maxKeys: 10,
  maxTokensPerDevice: 4,
  maxDeviceTokens: 100,
  failuresPerMinute: 1_000,
  maxTrackedAddresses: 10,
  auditKeepRows: 1_000,
};

export interface ServiceRigOptions extends RigOptions {
  readonly hub?: Partial<HubSettings>;
  readonly access?: Partial<AccessSettings>;
  readonly listen?: Partial<ListenSettings>;
  readonly certificate?: Certificate;
}

export async function serviceRig(options: ServiceRigOptions = {}) {
  const rig = await controlRig(options);
  const { control, recorded } = rig;
  const access = new Access(
    {
      store: rig.store,
      events: recorded.events,
      clock: { nowMs: Date.now, monotonicNanoseconds: () => process.hrtime.bigint() },
    },
    { ...testAccessSettings, ...options.access },
  );
  const failures: unknown[] = [];
  const hub = new DeviceHub(
    {
      fleet: control.fleet,
      access,
      events: recorded.events,
      nowMs: Date.now,
      monotonicMs: () => Number(process.hrtime.bigint()) / 1e6,
      failed: (error) => failures.push(error),
    },
    { ...testHubSettings, ...options.hub },
  );
  let readinessMessage: string | null = null;
  const app = await buildApp({
    control,
    access,
    certificate: options.certificate ?? null,
    hub,
    events: recorded.events,
    log: pino({ level: 'silent' }),
    version: '0.0.0',
    readiness: () => [{ name: 'database', ok: readinessMessage === null, message: readinessMessage }],
    metrics: { contentType: 'text/plain; version=0.0.4', render: () => Promise.resolve('# none\n') },
    settings: {
      uploadDirectory: join(rig.folder, 'uploads'),
      maxModelBytes: 1_000,
      maxUploads: 2,
      maxRestBodyBytes: 10_000,
      maxSockets: 1_000,
      headersTimeoutMs: 10_000,
      requestTimeoutMs: 10_000,
      maxStrangersPerAddress: 1_000,
      trustedProxies: [],
      ...options.listen,
    },
  });
  await app.listen({ port: 0, host: '127.0.0.1' });
  const { port } = app.server.address() as AddressInfo;
  const origin = `${options.certificate ? 'https' : 'http'}://127.0.0.1:${port}`;
  const admin = access.keys.create({ label: 'rig', role: 'admin', createdBy: 'test' });
  rememberAdminKey(origin, admin.secret);
  return {
    ...rig,
    hub,
    app,
    access,
    origin,
    adminKey: admin.secret,
    /** A token of the device; the same one at each call. */
    deviceToken: (deviceId: string) => deviceToken(origin, deviceId),
    /** What was thrown inside of socket callbacks. */
    failures,
    setUnready: (message: string | null) => (readinessMessage = message),
    device: (hello: Record<string, unknown> | null) =>
      deviceClient(origin, hello, options.access?.anonymousDevices ? null : undefined),
    async dispose(): Promise<void> {
      access.revocations.close();
      await app.close();
      await rig.dispose();
    },
  };
}

export type ServiceRig = Awaited<ReturnType<typeof serviceRig>>;

type Message = Record<string, unknown> & { readonly type: string };

/** A device as anyone would write it: the ws package and JSON. */
export async function deviceClient(
  origin: string,
  hello: Record<string, unknown> | null,
  /** Null: it comes without; where none is given it is one of the device that the hello names, or of `camera`. */
  token?: string | null,
) {
  const named = typeof hello?.['deviceId'] === 'string' ? hello['deviceId'] : 'camera';
  const shown = token === undefined ? await deviceToken(origin, named) : token;
  const socket = new WebSocket(`${origin.replace('http', 'ws')}/v1/devices`, 'cutpoint.v1', {
    headers: shown === null ? {} : bearer(shown),
  });
  const received: Message[] = [];
  let closed: { code: number; reason: string } | null = null;
  socket.on('message', (data: Buffer) => received.push(JSON.parse(data.toString()) as Message));
  socket.on('close', (code, reason) => (closed = { code, reason: reason.toString() }));
  socket.on('error', () => {
    // a close event follows, which is what the tests look at
  });
  await once(socket, 'open');
  const client = {
    socket,
    received,
    send: (message: unknown) => socket.send(JSON.stringify(message)),
    sendText: (text: string) => socket.send(text),
    of: (type: string) => received.filter((message) => message.type === type),
    get closed() {
      return closed;
    },
    /** The `count`th message of a type, as soon as it is there. */
    async next(type: string, count = 1): Promise<Message> {
      await until(() => client.of(type).length >= count, `${type} number ${count}`);
      return client.of(type)[count - 1]!;
    },
    async closing(): Promise<{ code: number; reason: string }> {
      await until(() => closed !== null, 'the close');
      return closed!;
    },
    async end(): Promise<void> {
      socket.close();
      await client.closing();
    },
  };
  if (hello !== null) client.send({ type: 'hello', ...hello });
  return client;
}

export const endHello = { deviceId: 'camera', role: 'end', computeRatio: 4 };
export const edgeHello = { deviceId: 'edge', role: 'edge', computeRatio: 0.5 };
