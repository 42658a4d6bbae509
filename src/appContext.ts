/** The only place that chooses implementations and ties them together. Two contexts can live in one process. */
import { mkdir, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { buildApp } from './app.js';
import type { Config } from './config.js';
import { ControlPlane } from './control/controlPlane.js';
import type { Clock, ModelImporter, PartitionerBuilder, Store } from './control/ports.js';
import type { ControlSettings } from './control/settings.js';
import type { HttpApp } from './http/httpApp.js';
import type { ReadinessCheck } from './http/operationRoutes.js';
import { createLog, type Log } from './log.js';
import { createMetrics, type Metrics } from './metrics/metrics.js';
import { createImporter } from './onnx/importer.js';
import { DEFAULT_IMPORT_LIMITS } from './onnx/limits.js';
import { packageVersion } from './packageRoot.js';
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
 * @throws StoreError when the database cannot be used
 */
export async function createAppContext(
  config: Config,
  overrides: ContextOverrides = {},
): Promise<AppContext> {
  const version = packageVersion();
  const clock = overrides.clock ?? systemClock;
  const directory = config.data.directory;
  const realStore = openStore({
    file: join(directory, 'cutpoint.db'),
    synchronous: config.data.synchronous,
    openTimeoutMs: config.data.openTimeoutMs,
    operationTimeoutMs: config.data.operationTimeoutMs,
    checkpointFailed: (error) => metrics.storeFailed({ operation: 'checkpoint', error }),
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
  const partitioners =
    overrides.partitioners ?? createStateGraphBuilder(config.states.maxStates, config.states.buildQueue);
  const files = modelFilesIn(join(directory, 'models'));
  const control = new ControlPlane(
    { store, importer, partitioners, files, events: metrics, clock },
    controlSettings(config),
  );
  metrics.watchDeployments(() => control.deployments.counts());
  const hub = createHub(config, control, metrics, log, clock);
  const uploadDirectory = join(directory, 'uploads');
  let isStopping = false;
  const app = await buildApp({
    control,
    hub,
    events: metrics,
    log: log.logger,
    version,
    metrics,
    readiness: () => readiness(store, control, isStopping),
    settings: {
      uploadDirectory,
      maxModelBytes: config.limits.maxModelBytes,
      maxUploads: config.import.queue + 1,
      maxRestBodyBytes: config.limits.maxRestBodyBytes,
    },
  });

  return {
    config,
    control,
    app,
    hub,
    log,
    metrics,
    async start() {
      await emptied(uploadDirectory);
      await emptied(importFolder);
      control.start();
      await app.listen({ host: config.listen.host, port: config.listen.port });
      const { address, port, family } = app.server.address() as AddressInfo;
      const origin = `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
      log.logger.info({ origin, dataDirectory: directory, version }, 'controller ready');
      return origin;
    },
    async stop() {
      isStopping = true;
      hub.stop(); // devices first: they are told to come back, and REST may still look on
      const allCommitted = await control.stop();
      await app.close();
      await importer.close();
      await partitioners.close();
      metrics.close();
      store.close();
      return allCommitted;
    },
  };
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
  metrics: Metrics,
  log: Log,
  clock: Clock,
): DeviceHub {
  return new DeviceHub(
    {
      fleet: control.fleet,
      events: metrics,
      nowMs: () => clock.nowMs(),
      failed: (error, deviceId) =>
        log.logger.error({ err: error, deviceId }, 'a message of a device failed; its connection is closed'),
    },
    { ...limits, ...decisions, compression: listen.compression },
  );
}

function controlSettings({ limits, decisions, import: imports }: Config): ControlSettings {
  const { optimizationLevel, intraOpThreads, runs, warmupRuns, queue } = imports;
  return {
    limits,
    decisions,
    imports: { queue, options: { optimizationLevel, intraOpThreads, runs, warmupRuns } },
    restartGraceMs: decisions.restartGraceMs,
  };
}

function readiness(store: Store, control: ControlPlane, isStopping: boolean): ReadinessCheck[] {
  let databaseMessage: string | null = null;
  try {
    store.probe();
  } catch (error) {
    databaseMessage = error instanceof Error ? error.message : String(error);
  }
  if (databaseMessage === null && !control.log.isHealthy) {
    databaseMessage = `the last commit failed; ${control.log.waitingRows} decisions wait and are tried again`;
  }
  return [
    { name: 'database', ok: databaseMessage === null, message: databaseMessage },
    { name: 'process', ok: !isStopping, message: isStopping ? 'stopping' : null },
  ];
}
