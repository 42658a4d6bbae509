/** Control on a real database, with connections that keep what they are told. */
import { createHash, randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ControlPlane } from '../../src/control/controlPlane.js';
import type { DeploymentSession } from '../../src/control/deploymentSession.js';
import type {
  Clock,
  CloseReason,
  CutNotice,
  DeviceConnection,
  ModelImporter,
  PartitionerBuilder,
  Store,
} from '../../src/control/ports.js';
import type { DeviceDescription, Role } from '../../src/control/records.js';
import type { ControlSettings } from '../../src/control/settings.js';
import { modelFilesIn } from '../../src/store/modelFiles.js';
import { openStore } from '../../src/store/store.js';
import { recordedEvents } from './recordedEvents.js';
import { builderHere, smallImporter } from './smallModel.js';

export const testSettings: ControlSettings = {
  limits: {
    maxModels: 3,
    maxProfilesPerModel: 3,
    maxDevices: 4,
    hellosPerMinute: 600,
    helloBurst: 100,
    maxDeployments: 4,
    maxDeploymentsPerDevice: 3,
    maxQuestions: 8,
  },
  decisions: {
    keptRowMs: 0,
    flushMs: 1,
    queueRows: 100,
    whenStoreFails: 'hold',
    reservedVersions: 10,
    keepRows: 1_000,
    sliceMs: 2,
    batchDeployments: 8,
    prepareTimeoutMs: 5_000,
    retryMs: 1_000,
    maxRetryMs: 300_000,
    maxSetAside: 2,
  },
  states: { maxIdle: 1 },
  imports: {
    queue: 1,
    options: { optimizationLevel: 'extended', intraOpThreads: 1, runs: 1, warmupRuns: 0 },
  },
  restartGraceMs: 60_000,
};

export class KeptConnection implements DeviceConnection {
  readonly cuts: CutNotice[] = [];
  readonly current: (readonly [deploymentId: string, version: number])[] = [];
  readonly removed: string[] = [];
  readonly closes: CloseReason[] = [];
  sendCut(notice: CutNotice): void {
    this.cuts.push(notice);
  }
  sendCurrent(deploymentId: string, version: number): void {
    this.current.push([deploymentId, version]);
  }
  sendRemoved(deploymentId: string): void {
    this.removed.push(deploymentId);
  }
  close(reason: CloseReason): void {
    this.closes.push(reason);
  }
}

export interface RigOptions {
  readonly folder?: string;
  readonly importer?: ModelImporter;
  /** Stands between control and the real store. */
  readonly wrap?: (store: Store) => Store;
  readonly settings?: Partial<ControlSettings>;
  readonly clock?: Clock;
  readonly partitioners?: PartitionerBuilder;
}

export async function controlRig(options: RigOptions = {}) {
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'cutpoint-control-')));
  const real = openStore({ file: join(folder, 'cutpoint.db') });
  const recorded = recordedEvents();
  const control = new ControlPlane(
    {
      store: options.wrap?.(real) ?? real,
      importer: options.importer ?? smallImporter(),
      partitioners: options.partitioners ?? builderHere,
      files: modelFilesIn(join(folder, 'models')),
      events: recorded.events,
      clock: options.clock ?? { nowMs: Date.now, monotonicNanoseconds: () => process.hrtime.bigint() },
    },
    { ...testSettings, ...options.settings },
  );
  try {
    control.start();
  } catch (error) {
    await control.stop(); // as the product does
    real.close();
    throw error;
  }
  return {
    control,
    folder,
    store: real,
    recorded,
    /** Ends control and the store; the folder stays for a restart. */
    async halt(): Promise<void> {
      await control.stop();
      real.close();
    },
    async dispose(): Promise<void> {
      await control.stop();
      real.close();
      await rm(folder, { recursive: true, force: true });
    },
    async upload(text = 'a model') {
      const file = join(folder, `${randomUUID()}.part`);
      await writeFile(file, text);
      const sha256 = createHash('sha256').update(text).digest('hex');
      return control.models.add({ file, name: text, sha256, sizeBytes: text.length, inputs: {} });
    },
    connect(deviceId: string, role: Role, more: Partial<DeviceDescription> = {}): KeptConnection {
      const connection = new KeptConnection();
      const description = { role, computeRatio: role === 'end' ? 4 : 0.5, ...more };
      control.fleet.connect({ deviceId, description }, [], connection);
      return connection;
    },
  };
}

export type Rig = Awaited<ReturnType<typeof controlRig>>;

/** A model, both devices connected, and a deployment that has its first durable cut. */
export async function deployed(rig: Rig) {
  const { id, done } = await rig.upload();
  await done;
  const end = rig.connect('camera', 'end');
  const edge = rig.connect('edge', 'edge');
  const session = rig.control.operations.deploy({
    modelId: id,
    end: { deviceId: 'camera' },
    edge: { deviceId: 'edge' },
    requirements: {},
  });
  await until(() => session.durable.version === 1);
  return { modelId: id, end, edge, session };
}

/** A quick link and a slow end device: worth sending early. */
export const quickLink = { uplinkBitsPerSecond: 1e9, downlinkBitsPerSecond: 1e9, rttSeconds: 0.001 };
/** So slow that nothing is worth sending. */
export const slowLink = { uplinkBitsPerSecond: 1e3, downlinkBitsPerSecond: 1e3, rttSeconds: 1 };

export async function until(condition: () => boolean, what = 'the condition'): Promise<void> {
  const end = performance.now() + 30_000;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`${what} did not come true within 30 s`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

export function endLayers(session: DeploymentSession): readonly number[] {
  return session.durable.cut!.endLayers;
}
