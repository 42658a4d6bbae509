/** Deployments as rows; the version of a stored one never goes back. */
import type { Database } from 'better-sqlite3';
import type { DeploymentRecord, StoredCut, VersionedCut } from '../control/records.js';
import { StoreError } from '../control/storeError.js';
import { fromJson, toJson, type JsonTexts } from './json.js';

interface ProgressRow {
  readonly id: string;
  readonly version: number;
  readonly cut_json: string | null;
  readonly reported_json: string;
  readonly last_good_json: string | null;
  readonly updated_at_ms: number;
}

interface DeploymentRow extends ProgressRow {
  readonly model_id: string;
  readonly end_device_id: string;
  readonly edge_device_id: string;
  readonly end_json: string;
  readonly edge_json: string;
  readonly cloud_json: string | null;
  readonly requirements_json: string;
  readonly created_at_ms: number;
}

function progressRow(record: DeploymentRecord, texts: JsonTexts): ProgressRow {
  return {
    id: record.id,
    version: record.version,
    cut_json: record.cut === null ? null : texts.of(record.cut),
    reported_json: toJson(record.reported),
    last_good_json: record.lastGood === null ? null : texts.of(record.lastGood),
    updated_at_ms: record.updatedAtMs,
  };
}

function deploymentRow(record: DeploymentRecord, texts: JsonTexts): DeploymentRow {
  return {
    ...progressRow(record, texts),
    model_id: record.modelId,
    end_device_id: record.end.deviceId,
    edge_device_id: record.edge.deviceId,
    end_json: toJson(record.end),
    edge_json: toJson(record.edge),
    cloud_json: record.cloud === undefined ? null : toJson(record.cloud),
    requirements_json: toJson(record.requirements),
    created_at_ms: record.createdAtMs,
  };
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
  const save = db.prepare<DeploymentRow>(
    `INSERT INTO deployments (id, model_id, end_device_id, edge_device_id, end_json, edge_json, cloud_json, requirements_json,
       version, cut_json, reported_json, last_good_json, created_at_ms, updated_at_ms)
     VALUES (@id, @model_id, @end_device_id, @edge_device_id, @end_json, @edge_json, @cloud_json, @requirements_json,
       @version, @cut_json, @reported_json, @last_good_json, @created_at_ms, @updated_at_ms)
     ON CONFLICT (id) DO UPDATE SET model_id = @model_id, end_device_id = @end_device_id,
       edge_device_id = @edge_device_id, end_json = @end_json, edge_json = @edge_json, cloud_json = @cloud_json,
       requirements_json = @requirements_json, version = @version, cut_json = @cut_json,
       reported_json = @reported_json, last_good_json = @last_good_json, created_at_ms = @created_at_ms, updated_at_ms = @updated_at_ms
     WHERE version <= @version`,
  );
  const progress = db.prepare<ProgressRow>(
    `UPDATE deployments SET version = @version, cut_json = @cut_json, reported_json = @reported_json,
       last_good_json = @last_good_json, updated_at_ms = @updated_at_ms
     WHERE id = @id AND version <= @version`,
  );
  const remove = db.prepare<[string]>('DELETE FROM deployments WHERE id = ?');
  return {
    deployments(): DeploymentRecord[] {
      const shared = sharedCuts();
      return all.all().map((row) => deploymentOf(row, shared));
    },
    saveDeployment(record: DeploymentRecord): void {
      if (save.run(deploymentRow(record, texts)).changes === 1) return;
      throw new StoreError(
        'version-back',
        `Deployment ${record.id} is stored with a newer version than ${record.version}; an older one is not written over it.`,
      );
    },
    deleteDeployment: (id: string): void => void remove.run(id),
    /** False when the deployment is gone or stored with a newer version. To be run inside a transaction. */
    saveProgress: (record: DeploymentRecord): boolean =>
      progress.run(progressRow(record, texts)).changes === 1,
  };
}
