/** Models, their layer graphs and their profiles as rows. */
import type { Database } from 'better-sqlite3';
import type { ModelSummary } from '../control/ports.js';
import type { ModelRecord, ProfileRecord } from '../control/records.js';
import { fromJson, toJson } from './json.js';

interface SummaryRow {
  readonly id: string;
  readonly name: string;
  readonly sha256: string;
  readonly size_bytes: number;
  readonly status: ModelRecord['status'];
  readonly error_json: string | null;
  readonly options_json: string;
  readonly created_at_ms: number;
}

interface ModelRow extends SummaryRow {
  readonly graph_json: string | null;
}

interface ProfileRow {
  readonly id: string;
  readonly model_id: string;
  readonly origin: ProfileRecord['origin'];
  readonly profile_json: string;
  readonly created_at_ms: number;
}

function summaryOf(row: SummaryRow): ModelSummary {
  const where = (column: string) => `models.${column} of ${row.id}`;
  return {
    id: row.id,
    name: row.name,
    sha256: row.sha256,
    sizeBytes: row.size_bytes,
    status: row.status,
    error: row.error_json === null ? null : fromJson(row.error_json, where('error_json')),
    options: fromJson(row.options_json, where('options_json')),
    createdAtMs: row.created_at_ms,
  };
}

function modelOf(row: ModelRow): ModelRecord {
  const graph =
    row.graph_json === null
      ? null
      : fromJson<ModelRecord['graph']>(row.graph_json, `layer_graphs.graph_json of ${row.id}`);
  return { ...summaryOf(row), graph };
}

function profileOf(row: ProfileRow): ProfileRecord {
  return {
    id: row.id,
    modelId: row.model_id,
    origin: row.origin,
    profile: fromJson(row.profile_json, `profiles.profile_json of ${row.id}`),
    createdAtMs: row.created_at_ms,
  };
}

const ORDER = 'ORDER BY created_at_ms, id';

/** The part of the store that keeps models. */
export function modelRows(db: Database) {
  const joined = 'SELECT models.*, graph_json FROM models LEFT JOIN layer_graphs ON model_id = id';
  const all = db.prepare<[], ModelRow>(`${joined} ${ORDER}`);
  const one = db.prepare<[string], ModelRow>(`${joined} WHERE id = ?`);
  const summaries = db.prepare<[], SummaryRow>(`SELECT * FROM models ${ORDER}`);
  const save = db.prepare<SummaryRow>(
    `INSERT INTO models VALUES (@id, @name, @sha256, @size_bytes, @status, @error_json, @options_json, @created_at_ms)
     ON CONFLICT (id) DO UPDATE SET name = @name, sha256 = @sha256, size_bytes = @size_bytes, status = @status,
       error_json = @error_json, options_json = @options_json, created_at_ms = @created_at_ms`,
  );
  // A graph that is already there is not written again: a change of the model's name must not cost megabytes.
  const saveGraph = db.prepare<[string, string]>(
    `INSERT INTO layer_graphs VALUES (?, ?)
     ON CONFLICT (model_id) DO UPDATE SET graph_json = excluded.graph_json
       WHERE graph_json <> excluded.graph_json`,
  );
  const deleteGraph = db.prepare<[string]>('DELETE FROM layer_graphs WHERE model_id = ?');
  const remove = db.prepare<[string]>('DELETE FROM models WHERE id = ?');
  const saveWhole = db.transaction((model: ModelRecord) => {
    save.run({
      id: model.id,
      name: model.name,
      sha256: model.sha256,
      size_bytes: model.sizeBytes,
      status: model.status,
      error_json: model.error === null ? null : toJson(model.error),
      options_json: toJson(model.options),
      created_at_ms: model.createdAtMs,
    });
    if (model.graph === null) deleteGraph.run(model.id);
    else saveGraph.run(model.id, toJson(model.graph));
  });
  const profiles = profileRows(db);
  const saveBoth = db.transaction((model: ModelRecord, profile: ProfileRecord) => {
    saveWhole(model);
    profiles.saveProfile(profile);
  });
  return {
    models: (): ModelRecord[] => all.all().map(modelOf),
    modelSummaries: (): ModelSummary[] => summaries.all().map(summaryOf),
    model(id: string): ModelRecord | null {
      const row = one.get(id);
      return row ? modelOf(row) : null;
    },
    saveModel: (model: ModelRecord): void => void saveWhole.immediate(model),
    saveImport: (model: ModelRecord, profile: ProfileRecord): void => void saveBoth.immediate(model, profile),
    deleteModel: (id: string): void => void remove.run(id),
    ...profiles,
  };
}

function profileRows(db: Database) {
  const ofModel = db.prepare<[string], ProfileRow>(`SELECT * FROM profiles WHERE model_id = ? ${ORDER}`);
  const save = db.prepare<ProfileRow & { machine_id: string }>(
    `INSERT INTO profiles VALUES (@id, @model_id, @origin, @machine_id, @profile_json, @created_at_ms)
     ON CONFLICT (id) DO UPDATE SET model_id = @model_id, origin = @origin, machine_id = @machine_id,
       profile_json = @profile_json, created_at_ms = @created_at_ms`,
  );
  const remove = db.prepare<[string]>('DELETE FROM profiles WHERE id = ?');
  return {
    profiles: (modelId: string): ProfileRecord[] => ofModel.all(modelId).map(profileOf),
    saveProfile(record: ProfileRecord): void {
      save.run({
        id: record.id,
        model_id: record.modelId,
        origin: record.origin,
        machine_id: record.profile.machine.id,
        profile_json: toJson(record.profile),
        created_at_ms: record.createdAtMs,
      });
    },
    deleteProfile: (id: string): void => void remove.run(id),
  };
}
