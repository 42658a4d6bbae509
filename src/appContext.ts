/** The only place that chooses implementations and ties them together. Two contexts can live in one process. */
import { mkdir, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Server as TlsServer } from 'node:tls';
import { buildApp } from './app.js';
import type { Config } from './config.js';
import { proxiesOf } from './configRules.js';
import { Access } from './control/access/access.js';
import { ControlPlane } from './control/controlPlane.js';
import {
  StoreError,
  monotonicMs,
  type Clock,
  type ModelImporter,
  type PartitionerBuilder,
  type Store,
} from './control/ports.js';
import type { ControlSettings } from './control/settings.js';
import { Certificate } from './http/certificate.js';
import type { HttpApp } from './http/httpApp.js';
import { createLog, type Log } from './log.js';
import { createMetrics, type Metrics } from './metrics/metrics.js';
import { createImporter } from './onnx/importer.js';
import { DEFAULT_IMPORT_LIMITS } from './onnx/limits.js';
import { packageVersion } from './packageRoot.js';
import { Readiness } from './readiness.js';
import { startDatabaseCheck, type DatabaseCheck } from './store/databaseCheck.js';
import { modelFilesIn } from './store/modelFiles.js';
import { openStore } from './store/store.js';
import { createStateGraphBuilder } from './workers/stateGraphBuilder.js';
import { DeviceHub } from './ws/deviceHub.js';

/** What a test may put in place of the real thing. */
export interface ContextOverrides {
  readonly clock?: Clock;
  readonly importer?: ModelImporter;
  readonly partitioners?: PartitionerBuilder;
  readonly log?: Log;
  /** Stands between control and the real store. */
  readonly wrapStore?: (store: Store) => Store;
}

export interface AppContext {
  readonly config: Config;
  readonly control: ControlPlane;
  readonly app: HttpApp;
  readonly hub: DeviceHub;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly access: Access;
  /** Looks for a new TLS certificate now. @returns false where there is no TLS */
  reloadCertificate(): boolean;
  /** Takes up work and listens. @returns where, `http://host:port` */
  start(): Promise<string>;
  /** Ends all work in order. @returns false when decisions are left that the store could not take */
  stop(): Promise<boolean>;
}

const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicNanoseconds: () => process.hrtime.bigint(),
};

/**
 * Creates everything; nothing listens and nothing is decided before `start`.
 * @throws StoreError when the database cannot be used; CertificateError when the TLS files cannot
 */
export async function createAppContext(
  config: Config,
  overrides: ContextOverrides = {},
): Promise<AppContext> {
  const version = packageVersion();
  const clock = overrides.clock ?? systemClock;
  const directory = config.data.directory;
  const certificate = certificateOf(config);
  const databaseFile = join(directory, 'cutpoint.db');
  const realStore = openStore({
    file: databaseFile,
    synchronous: config.data.synchronous,
    openTimeoutMs: config.data.openTimeoutMs,
    operationTimeoutMs: config.data.operationTimeoutMs,
    checkpoints: {
      maxLogBytes: config.data.maxLogBytes,
      failed: (error) => metrics.storeUpkeepFailed({ work: 'checkpoint', error }),
      log(bytes, isFull) {
        metrics.storeLog(bytes);
        if (isFull) metrics.capHit('storeLogBytes', { cap: config.data.maxLogBytes, bytes });
      },
    },
  });
  const store = overrides.wrapStore?.(realStore) ?? realStore;
  const log =
    overrides.log ?? createLog({ level: config.log.level, onDrop: () => metrics.dropped('log-line') });
  const metrics: Metrics = createMetrics({
    log: log.logger,
    version,
    maxModels: config.limits.maxModels,
    eventLoopResolutionMs: config.metrics.eventLoopResolutionMs,
  });
  const importFolder = join(directory, 'imports');
  const importer = overrides.importer ?? importerOf(config, importFolder);
  const partitioners = overrides.partitioners ?? createStateGraphBuilder(config.states);
  const files = modelFilesIn(join(directory, 'models'));
  const control = new ControlPlane(
    { store, importer, partitioners, files, events: metrics, clock },
    controlSettings(config),
  );
  metrics.watchDeployments(() => control.deployments.counts());
  const access = new Access({ store, events: metrics, clock }, config.auth);
  const hub = createHub(config, control, access, metrics, log, clock);
  metrics.watchHeldConnections(() => hub.heldCount);
  const uploadDirectory = join(directory, 'uploads');
  let isStopping = false;
  const readiness = new Readiness(
    { store, log: control.log, access },
    config.decisions.whenStoreFails === 'continue',
  );
  let check: DatabaseCheck | null = null;
  const checkFailed = (error: Error): void => {
    if (!(error instanceof StoreError)) return metrics.storeUpkeepFailed({ work: 'check', error });
    realStore.foundDamaged();
    readiness.damage = error;
    metrics.storeDamaged(error);
  };
  const app = await buildApp({
    control,
    access,
    certificate,
    hub,
    events: metrics,
    log: log.logger,
    version,
    metrics,
    readiness: () => readiness.checks(isStopping),
    settings: {
      uploadDirectory,
      maxModelBytes: config.limits.maxModelBytes,
      maxUploads: config.import.queue + 1,
      maxRestBodyBytes: config.limits.maxRestBodyBytes,
      maxSockets: config.limits.maxConnections + config.limits.maxOperatorSockets,
      headersTimeoutMs: config.listen.headersTimeoutMs,
      requestTimeoutMs: config.listen.requestTimeoutMs,
      maxStrangersPerAddress: config.limits.maxStrangersPerAddress,
      trustedProxies: proxiesOf(config.listen),
    },
  });

  return {
    config,
    control,
    app,
    hub,
    log,
    metrics,
    access,
    reloadCertificate() {
      certificate?.reload();
      return certificate !== null;
    },
    async start() {
      await emptied(uploadDirectory);
      await emptied(importFolder);
      control.start();
      const { host, port: wantedPort, backlog } = config.listen;
      await app.listen({ host, port: wantedPort, backlog });
      const { address, port, family } = app.server.address() as AddressInfo;
      const scheme = certificate === null ? 'http' : 'https';
      const origin = `${scheme}://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
      certificate?.follow(app.server as unknown as TlsServer, config.listen.tlsReloadMs, metrics);
      if (!realStore.isWhole) check = startDatabaseCheck(databaseFile, checkFailed);
      tellReady(log, { origin, dataDirectory: directory, version }, access);
      return origin;
    },
    async stop() {
      isStopping = true;
      certificate?.close();
      access.revocations.close();
      hub.stop(); // devices first: they are told to come back, and REST may still look on
      const allCommitted = await control.stop();
      await app.close();
      await importer.close();
      await partitioners.close();
      metrics.close();
      await check?.stop();
      store.close();
      return allCommitted;
    },
  };
}

/**
 * Says where it listens, and at the very first start the key of the first admin: this once, whatever the level of the
 * log, since it is kept nowhere.
 */
function tellReady(log: Log, ready: object, access: Access): void {
  const first = access.firstKey();
  if (first === null) log.logger.info(ready, 'controller ready');
  else log.logger.child({}, { level: 'info' }).info({ ...ready, adminKey: first.secret }, 'controller ready');
}

function certificateOf({ listen: { tlsCertificateFile, tlsKeyFile } }: Config): Certificate | null {
  if (tlsCertificateFile === '') return null;
  return new Certificate({ certificateFile: tlsCertificateFile, keyFile: tlsKeyFile });
}

/** What a crash left of uploads and imports is of no use to anyone; the database's lock keeps others out. */
async function emptied(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
}

function importerOf({ import: settings, limits }: Config, temporaryFolder: string): ModelImporter {
  return createImporter({
    limits: { ...DEFAULT_IMPORT_LIMITS, maxFileBytes: limits.maxModelBytes },
    timeoutSeconds: settings.timeoutSeconds,
    maxMemoryBytes: settings.maxMemoryBytes,
    maxRunning: 1,
    maxWaiting: settings.queue,
    temporaryFolder,
  });
}

function createHub(
  { limits, decisions, listen }: Config,
  control: ControlPlane,
  access: Access,
  metrics: Metrics,
  log: Log,
  clock: Clock,
): DeviceHub {
  return new DeviceHub(
    {
      fleet: control.fleet,
      access,
      events: metrics,
      nowMs: () => clock.nowMs(),
      monotonicMs: () => monotonicMs(clock),
      failed: (error, deviceId) =>
        log.logger.error({ err: error, deviceId }, 'a message of a device failed; its connection is closed'),
    },
    { ...limits, ...decisions, compression: listen.compression },
  );
}

function controlSettings({ limits, decisions, states, import: imports }: Config): ControlSettings {
  const { optimizationLevel, intraOpThreads, runs, warmupRuns, queue } = imports;
  return {
    limits,
    decisions,
    states: { maxIdle: states.maxIdle },
    imports: { queue, options: { optimizationLevel, intraOpThreads, runs, warmupRuns } },
    restartGraceMs: decisions.restartGraceMs,
  };
}
