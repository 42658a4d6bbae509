/** Deployments as rows; the version of a stored one never goes back. */
import type { Database } from 'better-sqlite3';
import type { DeploymentRecord, StoredCut, VersionedCut } from '../control/records.js';
import { StoreError } from '../control/storeError.js';
import { fromJson, toJson, type JsonTexts } from './json.js';

interface DeploymentRow {
  readonly id: string;
  readonly model_id: string;
  readonly end_device_id: string;
  readonly edge_device_id: string;
  readonly end_json: string;
  readonly edge_json: string;
  readonly cloud_json: string | null;
  readonly requirements_json: string;
  readonly version: number;
  readonly cut_json: string | null;
  readonly reported_json: string;
  readonly last_good_json: string | null;
  readonly created_at_ms: number;
  readonly updated_at_ms: number;
}

type Value = DeploymentRow[keyof DeploymentRow];

/** The columns that a commit moves, in the order of `progressValues`. */
const progressColumns = [
  'version',
  'cut_json',
  'reported_json',
  'last_good_json',
  'updated_at_ms',
] as const satisfies readonly (keyof DeploymentRow)[];

/** The columns of a row that is saved, in the order of `savedValues`. */
const savedColumns = [
  'id',
  'model_id',
  'end_device_id',
  'edge_device_id',
  'end_json',
  'edge_json',
  'cloud_json',
  'requirements_json',
  'created_at_ms',
  ...progressColumns,
] as const satisfies readonly (keyof DeploymentRow)[];

/** By place and not by name: SQLite's binding looks each name up, for each row. */
function progressValues(record: DeploymentRecord, texts: JsonTexts): Value[] {
  return [
    record.version,
    record.cut === null ? null : texts.of(record.cut),
    toJson(record.reported),
    record.lastGood === null ? null : texts.of(record.lastGood),
    record.updatedAtMs,
  ];
}

function savedValues(record: DeploymentRecord, texts: JsonTexts): Value[] {
  return [
    record.id,
    record.modelId,
    record.end.deviceId,
    record.edge.deviceId,
    toJson(record.end),
    toJson(record.edge),
    record.cloud === undefined ? null : toJson(record.cloud),
    toJson(record.requirements),
    record.createdAtMs,
    ...progressValues(record, texts),
  ];
}

/** One object for equal cuts of a model, as it is while they are decided: thousands of deployments run the same few. */
function sharedCuts(): <T extends StoredCut | null>(modelId: string, cut: T) => T {
  const known = new Map<string, StoredCut>();
  return (modelId, cut) => {
    if (cut === null) return cut;
    const key = `${modelId} ${JSON.stringify(cut)}`;
    const before = known.get(key);
    if (before === undefined) known.set(key, cut);
    return (before ?? cut) as typeof cut;
  };
}

function deploymentOf(row: DeploymentRow, shared: ReturnType<typeof sharedCuts>): DeploymentRecord {
  const where = (column: string) => `deployments.${column} of ${row.id}`;
  const cut = row.cut_json === null ? null : fromJson<StoredCut>(row.cut_json, where('cut_json'));
  const lastGood =
    row.last_good_json === null ? null : fromJson<VersionedCut>(row.last_good_json, where('last_good_json'));
  return {
    id: row.id,
    modelId: row.model_id,
    end: fromJson(row.end_json, where('end_json')),
    edge: fromJson(row.edge_json, where('edge_json')),
    ...(row.cloud_json === null ? {} : { cloud: fromJson(row.cloud_json, where('cloud_json')) }),
    requirements: fromJson(row.requirements_json, where('requirements_json')),
    version: row.version,
    cut: shared(row.model_id, cut),
    reported: fromJson(row.reported_json, where('reported_json')),
    lastGood: lastGood && { ...lastGood, cut: shared(row.model_id, lastGood.cut) },
    createdAtMs: row.created_at_ms,
    updatedAtMs: row.updated_at_ms,
  };
}

/** The part of the store that keeps deployments. */
export function deploymentRows(db: Database, texts: JsonTexts) {
  const all = db.prepare<[], DeploymentRow>('SELECT * FROM deployments ORDER BY created_at_ms, id');
  const save = db.prepare<Value[]>(
    `INSERT INTO deployments (${savedColumns.join()}) VALUES (${savedColumns.map(() => '?').join()})
     ON CONFLICT (id) DO UPDATE SET ${savedColumns.map((name) => `${name} = excluded.${name}`).join()}
     WHERE version <= excluded.version`,
  );
  const progress = db.prepare<Value[]>(
    `UPDATE deployments SET ${progressColumns.map((name) => `${name} = ?`).join()},
       latest_decision_id = coalesce(?, latest_decision_id)
     WHERE id = ? AND version <= ?`,
  );
  const remove = db.prepare<[string]>('DELETE FROM deployments WHERE id = ?');
  return {
    deployments(): DeploymentRecord[] {
      const shared = sharedCuts();
      return all.all().map((row) => deploymentOf(row, shared));
    },
    saveDeployment(record: DeploymentRecord): void {
      if (save.run(...savedValues(record, texts)).changes === 1) return;
      throw new StoreError(
        'version-back',
        `Deployment ${record.id} is stored with a newer version than ${record.version}; an older one is not written over it.`,
      );
    },
    deleteDeployment: (id: string): void => void remove.run(id),
    /**
     * False when the deployment is gone or stored with a newer version. To be run inside a transaction.
     * @param latestDecisionId absent: the newest row of its history stays the one it was
     */
    saveProgress: (record: DeploymentRecord, latestDecisionId: number | undefined): boolean => {
      const values = progressValues(record, texts);
      return progress.run(...values, latestDecisionId ?? null, record.id, record.version).changes === 1;
    },
  };
}
