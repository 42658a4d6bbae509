/** Reads what the store says, from the database itself, beside the controller or without one. */
import BetterSqlite from 'better-sqlite3';
import { brokenLinks } from '../store/brokenLinks.js';
import type { Stored } from './ledger.js';

interface DecisionRow {
  readonly id: number;
  readonly deployment: string;
  readonly version: number;
  readonly layers: string;
}

export class StoredState {
  readonly #cuts = new Map<string, Map<number, string>>();
  #lastId = 0;

  constructor(private readonly file: string) {}

  /** @param all read the whole history anew, not only what came since the last time */
  read(all = false): Stored {
    if (all) {
      this.#lastId = 0;
      this.#cuts.clear();
    }
    const db = new BetterSqlite(this.file, { readonly: true, fileMustExist: true, timeout: 5_000 });
    try {
      // one transaction: deployments and history of one moment
      return db.transaction(() => {
        const rows = db
          .prepare<[number], DecisionRow>(
            `SELECT id, deployment_id AS deployment, version_after AS version,
               json_extract(cut_after_json, '$.endLayers') AS layers
             FROM decisions WHERE id > ? ORDER BY id`,
          )
          .all(this.#lastId);
        for (const row of rows) this.#note(row);
        if (all) assertLinked(db);
        const deployments = db
          .prepare<[], { id: string; version: number; latencySeconds: number | null }>(
            `SELECT id, version, json_extract(requirements_json, '$.latencySeconds') AS latencySeconds
             FROM deployments`,
          )
          .all();
        return { deployments: new Map(deployments.map((row) => [row.id, row])), cuts: this.#cuts };
      })();
    } finally {
      db.close();
    }
  }

  #note({ id, deployment, version, layers }: DecisionRow): void {
    this.#lastId = id;
    const versions = this.#cuts.get(deployment) ?? new Map<number, string>();
    this.#cuts.set(deployment, versions);
    const before = versions.get(version);
    if (before !== undefined && before !== layers) {
      throw new Error(`The history of ${deployment} names two cuts for version ${version}.`);
    }
    versions.set(version, layers);
  }
}

function assertLinked(db: BetterSqlite.Database): void {
  const broken = brokenLinks(db);
  if (broken.length > 0) throw new Error(`The history cannot be followed: ${JSON.stringify(broken)}.`);
}
