/** The store: SQLite behind the port of control. */
import type { Store } from '../control/ports.js';
import type { DecisionRecord, DeploymentRecord, VersionReservation } from '../control/records.js';
import { startCheckpoints, type CheckpointOptions } from './checkpointer.js';
import { accessRows } from './accessRows.js';
import { openDatabase, type DatabaseOptions } from './database.js';
import { decisionRows } from './decisionRows.js';
import { deploymentRows } from './deploymentRows.js';
import { deviceRows } from './deviceRows.js';
import { productMigrations } from './migrations.js';
import { JsonTexts } from './json.js';
import { modelRows } from './modelRows.js';
import { reservationRows } from './reservationRows.js';
import { storeFailure } from './sqliteFailure.js';

export type StoreOptions = Pick<DatabaseOptions, 'file'> &
  Partial<DatabaseOptions> & {
    /** Given: checkpoints are made in a thread of their own, and none by the writer. */
    readonly checkpoints?: CheckpointOptions;
  };

export interface OpenedStore extends Store {
  /** False where the history and the audit are still to be looked at for damage (databaseCheck.ts). */
  readonly isWhole: boolean;
  /** Damage was found: the next start is to look at everything. */
  foundDamaged(): void;
}

/** What each method does, in words that follow "Cannot". */
const DOING: Readonly<Record<keyof Store, string>> = {
  models: 'read the models',
  modelSummaries: 'read the models',
  model: 'read the model',
  saveModel: 'save the model',
  saveImport: 'save the imported model',
  deleteModel: 'delete the model',
  profiles: 'read the profiles',
  saveProfile: 'save the profile',
  deleteProfile: 'delete the profile',
  devices: 'read the devices',
  saveDevices: 'save devices',
  deleteDevice: 'delete the device',
  deployments: 'read the deployments',
  saveDeployment: 'save the deployment',
  deleteDeployment: 'delete the deployment',
  commit: 'record decisions',
  decisions: 'read the decision history',
  reservations: 'read the reserved versions',
  releaseReservations: 'release reserved versions',
  pruneDecisions: 'prune the decision history',
  pepper: 'read the pepper',
  apiKeys: 'read the API keys',
  saveApiKey: 'save the API key',
  deleteApiKey: 'delete the API key',
  deviceTokens: 'read the device tokens',
  saveDeviceToken: 'save the device token',
  deleteDeviceToken: 'delete the device token',
  wasChangedElsewhere: 'look for changes',
  startAudit: 'record the change',
  finishAudit: 'record the outcome of the change',
  audit: 'read the audit',
  pruneAudit: 'prune the audit',
  asksToWait: 'look at the checkpoints',
  probe: 'write',
  close: 'close the store',
};

/** Each method of `parts`, with what SQLite reports turned into a StoreError. */
function guarded(parts: Store, file: string): Store {
  const guard =
    (name: keyof Store, method: (...args: never[]) => unknown) =>
    (...args: never[]): unknown => {
      try {
        return method(...args);
      } catch (error) {
        throw storeFailure(error, file, DOING[name]);
      }
    };
  const entries = Object.entries(parts) as [keyof Store, (...args: never[]) => unknown][];
  return Object.fromEntries(entries.map(([name, method]) => [name, guard(name, method)])) as unknown as Store;
}

/**
 * Opens the store, and creates or migrates its database first where that is due.
 * @throws StoreError when the database cannot be used; it is then left as it was
 */
export function openStore(options: StoreOptions): OpenedStore {
  const { db, isWhole, foundDamaged, assertInPlace, close } = openDatabase({
    migrations: options.migrations ?? productMigrations(),
    openTimeoutMs: 5_000,
    operationTimeoutMs: 50,
    synchronous: 'normal',
    ...options,
  });
  const checkpoints = options.checkpoints === undefined ? null : startCheckpoints(db, options.checkpoints);
  const texts = new JsonTexts();
  const { insertDecisions, saveLatestDecision, ...decisions } = decisionRows(db, texts);
  const { saveProgress, ...deployments } = deploymentRows(db, texts);
  const writeProbe = db.prepare('UPDATE write_probe SET writes = writes + 1');
  const { saveReservation, ...reservations } = reservationRows(db);
  const commit = db.transaction(
    (
      rows: readonly DecisionRecord[],
      records: readonly DeploymentRecord[],
      reserved: readonly VersionReservation[],
    ) => {
      const latest = insertDecisions(rows);
      const refused: string[] = [];
      for (const record of records) {
        if (saveProgress(record, latest.get(record.id))) latest.delete(record.id);
        else refused.push(record.id);
      }
      for (const [deploymentId, id] of latest) saveLatestDecision(deploymentId, id);
      for (const one of reserved) saveReservation(one);
      return refused;
    },
  );
  const store = guarded(
    {
      ...modelRows(db),
      ...deviceRows(db),
      ...deployments,
      ...decisions,
      ...accessRows(db),
      ...reservations,
      commit: (
        rows: readonly DecisionRecord[],
        records: readonly DeploymentRecord[],
        reserved: readonly VersionReservation[] = [],
      ): readonly string[] => commit.immediate(rows, records, reserved),
      asksToWait: () => checkpoints?.askToWait() ?? false,
      probe(): void {
        assertInPlace();
        writeProbe.run();
      },
      close(): void {
        checkpoints?.stop();
        close();
      },
    },
    options.file,
  );
  return { ...store, isWhole, foundDamaged };
}
