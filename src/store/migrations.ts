/** Forward-only numbered migrations: each runs once, whole or not at all, and is remembered with its checksum. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SqliteError, type Database } from 'better-sqlite3';
import { StoreError } from '../control/storeError.js';
import { packageRoot } from '../packageRoot.js';
import { storeFailure } from './sqliteFailure.js';

export interface Migration {
  /** From 1 without gaps; the order in which they run. */
  readonly number: number;
  readonly name: string;
  readonly sql: string;
}

interface AppliedRow {
  readonly number: number;
  readonly name: string;
  readonly sha256: string;
}

/** Marks a SQLite file as ours: "CUTP". */
const APPLICATION_ID = 0x43555450;

/**
 * The migrations that come with the product, in order.
 * @throws Error when a file is not named `0001-name.sql` or a number is missing or double
 */
export function productMigrations(folder: string = join(packageRoot(), 'migrations')): readonly Migration[] {
  const files = readdirSync(folder)
    .filter((file) => file.endsWith('.sql'))
    .sort();
  return files.map((file, index) => {
    const parts = /^(\d{4})-(.+)\.sql$/.exec(file);
    if (Number(parts?.[1]) !== index + 1) {
      throw new Error(
        `${join(folder, file)}: expected migration ${String(index + 1).padStart(4, '0')}-NAME.sql here`,
      );
    }
    return { number: index + 1, name: parts![2]!, sql: readFileSync(join(folder, file), 'utf8') };
  });
}

/** Line ends do not count: a checkout may change them. */
function checksum(migration: Migration): string {
  return createHash('sha256').update(migration.sql.replaceAll('\r\n', '\n')).digest('hex');
}

/**
 * The migrations still to run; reads only.
 * @throws StoreError `foreign`, `newer` or `migration` when the database is not one that this code may change
 */
export function pendingMigrations(
  db: Database,
  file: string,
  known: readonly Migration[],
): readonly Migration[] {
  const tables = db
    .prepare<[], { name: string }>(`SELECT name FROM sqlite_schema WHERE type = 'table'`)
    .all();
  const isNew = tables.length === 0;
  const hasHistory = tables.some((table) => table.name === 'schema_migrations');
  if (!isNew && (db.pragma('application_id', { simple: true }) !== APPLICATION_ID || !hasHistory)) {
    throw new StoreError(
      'foreign',
      `${file} is a SQLite database of another program. Set data.directory to another folder.`,
    );
  }
  const applied = isNew
    ? []
    : db.prepare<[], AppliedRow>('SELECT number, name, sha256 FROM schema_migrations ORDER BY number').all();
  const last = applied.at(-1)?.number ?? 0;
  if (last > known.length) {
    throw new StoreError(
      'newer',
      `${file} was written by a newer version of Cutpoint (schema ${last}; this version knows up to ${known.length}). ` +
        `Start that version, or set data.directory to another folder. Nothing was changed.`,
    );
  }
  for (const [index, row] of applied.entries()) {
    const migration = known[index]!;
    if (row.number !== migration.number || row.sha256 !== checksum(migration)) {
      throw new StoreError(
        'migration',
        `Migration ${row.number} (${row.name}) of ${file} is not the one of this version of Cutpoint: ` +
          `the file in migrations/ was changed after it ran. Reinstall the product. Nothing was changed.`,
      );
    }
  }
  return known.slice(last);
}

/**
 * Runs `pending` in order, each in a transaction of its own.
 * @throws StoreError; the migration that failed has left nothing behind
 */
export function migrate(db: Database, file: string, pending: readonly Migration[]): void {
  for (const migration of pending) {
    const run = db.transaction(() => {
      db.exec(
        `CREATE TABLE IF NOT EXISTS schema_migrations (
           number INTEGER PRIMARY KEY, name TEXT NOT NULL, sha256 TEXT NOT NULL, applied_at_s INTEGER NOT NULL
         ) STRICT`,
      );
      db.pragma(`application_id = ${APPLICATION_ID}`);
      db.exec(migration.sql);
      db.prepare('INSERT INTO schema_migrations VALUES (?, ?, ?, unixepoch())').run(
        migration.number,
        migration.name,
        checksum(migration),
      );
    });
    try {
      run.immediate();
    } catch (error) {
      const failure = storeFailure(error, file, `run migration ${migration.number} (${migration.name})`);
      if (!(failure instanceof SqliteError)) throw failure;
      throw new StoreError(
        'migration',
        `Migration ${migration.number} (${migration.name}) failed on ${file} and was undone: ${failure.message}`,
        { cause: failure },
      );
    }
  }
}
