/** The decision history as rows. */
import type { Database } from 'better-sqlite3';
import type { DecisionRecord } from '../control/records.js';
import { fromJson, toJson, type JsonTexts } from './json.js';

interface InsertedRow {
  readonly deployment_id: string;
  readonly at_ms: number;
  readonly reason: DecisionRecord['reason'];
  readonly version_before: number;
  readonly version_after: number;
  readonly algorithm: string;
  readonly latency_seconds: number;
  readonly optimality: string;
  readonly gap: number | null;
  readonly states_visited: number;
  readonly search_ns: number;
  readonly cut_before_json: string | null;
  readonly cut_after_json: string;
  readonly context_json: string;
  readonly decision_json: string;
  readonly sources_json: string;
  readonly kept_before: number;
  readonly switching_json: string | null;
  readonly corrections_json: string | null;
  /** The row before of the same deployment. Retention may have deleted it: there the history ends. */
  readonly previous_id: number | null;
}

interface DecisionRow extends InsertedRow {
  readonly id: number;
}

/** The columns of a row that is written, in the order of `insertedRow`. */
const insertedColumns = [
  'deployment_id',
  'at_ms',
  'reason',
  'version_before',
  'version_after',
  'algorithm',
  'latency_seconds',
  'optimality',
  'gap',
  'states_visited',
  'search_ns',
  'cut_before_json',
  'cut_after_json',
  'context_json',
  'decision_json',
  'sources_json',
  'kept_before',
  'switching_json',
  'corrections_json',
  'previous_id',
] as const satisfies readonly (keyof InsertedRow)[];

/** By place and not by name: SQLite's binding looks each name up, for each row. */
function insertedRow(
  record: DecisionRecord,
  previousId: number | null,
  texts: JsonTexts,
): InsertedRow[keyof InsertedRow][] {
  const { decision, cutBefore, corrections, switching } = record;
  return [
    record.deploymentId,
    record.atMs,
    record.reason,
    record.versionBefore,
    record.versionAfter,
    decision.algorithm,
    decision.prediction.latencySeconds,
    decision.optimality.kind,
    decision.optimality.kind === 'bounded' ? decision.optimality.gap : null,
    decision.statesVisited,
    record.searchNanoseconds,
    cutBefore === null ? null : texts.of(cutBefore),
    texts.of(record.cutAfter),
    toJson(record.context),
    toJson(decision),
    texts.of(record.secondsSources),
    record.keptBefore,
    switching === null ? null : toJson(switching),
    corrections === null ? null : toJson(corrections),
    previousId,
  ];
}

function decisionOf(row: DecisionRow): DecisionRecord & { id: number } {
  const where = (column: string) => `decisions.${column} of row ${row.id}`;
  return {
    id: row.id,
    deploymentId: row.deployment_id,
    atMs: row.at_ms,
    reason: row.reason,
    versionBefore: row.version_before,
    versionAfter: row.version_after,
    cutBefore: row.cut_before_json === null ? null : fromJson(row.cut_before_json, where('cut_before_json')),
    cutAfter: fromJson(row.cut_after_json, where('cut_after_json')),
    context: fromJson(row.context_json, where('context_json')),
    decision: fromJson(row.decision_json, where('decision_json')),
    secondsSources: fromJson(row.sources_json, where('sources_json')),
    searchNanoseconds: row.search_ns,
    keptBefore: row.kept_before,
    corrections:
      row.corrections_json === null ? null : fromJson(row.corrections_json, where('corrections_json')),
    switching: row.switching_json === null ? null : fromJson(row.switching_json, where('switching_json')),
  };
}

function assertCount(name: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new RangeError(`${name} must be a whole number from 1, not ${value}`);
  }
}

/** The part of the store that keeps decisions. */
export function decisionRows(db: Database, texts: JsonTexts) {
  const insert = db.prepare<InsertedRow[keyof InsertedRow][]>(
    `INSERT INTO decisions (${insertedColumns.join()}) VALUES (${insertedColumns.map(() => '?').join()})`,
  );
  const latestOf = db
    .prepare<[string], number | null>('SELECT latest_decision_id FROM deployments WHERE id = ?')
    .pluck();
  const setLatest = db.prepare<[number, string]>(
    'UPDATE deployments SET latest_decision_id = ? WHERE id = ?',
  );
  const ownerOf = db.prepare<[number], string>('SELECT deployment_id FROM decisions WHERE id = ?').pluck();
  // From the row to go on before, else from the newest. Each row leads to one other: they come newest first.
  const page = db.prepare<{ deploymentId: string; beforeId: number; limit: number }, DecisionRow>(
    `WITH RECURSIVE chain AS (
       SELECT * FROM decisions
       WHERE id = coalesce(
           (SELECT id FROM decisions WHERE id = @beforeId),
           (SELECT latest_decision_id FROM deployments WHERE id = @deploymentId)
         )
         AND @beforeId > (SELECT min(id) FROM decisions)
       UNION ALL
       SELECT earlier.* FROM chain JOIN decisions AS earlier ON earlier.id = chain.previous_id
     )
     SELECT * FROM chain WHERE id < @beforeId LIMIT @limit`,
  );
  // Rows leave only here, from the oldest on, and ids have no gaps: so ids count the rows, and nobody has to.
  // One bound, not two: SQLite would search by the first and look at every row above the cap for the second.
  const prune = db.prepare<[number, number]>(
    `DELETE FROM decisions
     WHERE id <= min((SELECT max(id) FROM decisions) - ?, (SELECT min(id) FROM decisions) + ? - 1)`,
  );
  return {
    /** To be run inside a transaction. @returns the newest row of each deployment, to be stored with it */
    insertDecisions: (records: readonly DecisionRecord[]): Map<string, number> => {
      const latest = new Map<string, number>();
      for (const record of records) {
        const { deploymentId } = record;
        const previousId = latest.get(deploymentId) ?? latestOf.get(deploymentId) ?? null;
        const { lastInsertRowid } = insert.run(...insertedRow(record, previousId, texts));
        latest.set(deploymentId, Number(lastInsertRowid));
      }
      return latest;
    },
    /** Of a deployment whose progress is not stored with its rows. */
    saveLatestDecision: (deploymentId: string, id: number): void => void setLatest.run(id, deploymentId),
    decisions(
      deploymentId: string,
      { limit, beforeId = Number.MAX_SAFE_INTEGER }: { limit: number; beforeId?: number | undefined },
    ) {
      assertCount('limit', limit);
      const owner = ownerOf.get(beforeId);
      if (owner !== undefined && owner !== deploymentId) {
        throw new RangeError(`${beforeId} is a decision of another deployment`);
      }
      return page.all({ deploymentId, beforeId, limit }).map(decisionOf);
    },
    pruneDecisions(keepRows: number, batchRows: number): number {
      assertCount('keepRows', keepRows);
      assertCount('batchRows', batchRows);
      return prune.run(keepRows, batchRows).changes;
    },
  };
}
