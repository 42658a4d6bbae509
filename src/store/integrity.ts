/** Whether the file of the database is whole, as SQLite sees it. */
import type { Database } from 'better-sqlite3';
import { StoreError } from '../control/storeError.js';

/** What grows with time, and what nothing is restored from: the long part of the database. */
const longTables: ReadonlySet<string> = new Set(['decisions', 'audit']);

/** @throws StoreError `corrupt`; an error of SQLite where the file cannot be read at all */
export function assertWhole(db: Database, file: string): void {
  const found = firstFinding(db, '1');
  if (found !== null) throw damagedAtStart(file, found);
}

/**
 * The same of the tables that a start restores everything from, and not of the long ones: takes as long as the fleet is
 * large, however long the history.
 * @throws as `assertWhole`
 */
export function assertRestorable(db: Database, file: string): void {
  const tables = db.prepare<[], string>(`SELECT name FROM sqlite_schema WHERE type = 'table'`).pluck();
  for (const table of tables.all()) {
    if (longTables.has(table)) continue;
    const found = firstFinding(db, `'${table.replaceAll("'", "''")}'`);
    if (found !== null) throw damagedAtStart(file, `table ${table}: ${found}`);
  }
}

/** @param of a table in quotes, or how many findings of the whole file @returns null where it is whole */
export function firstFinding(db: Database, of: string): string | null {
  const found = db.prepare<[], string>(`PRAGMA quick_check(${of})`).pluck().get() ?? 'unreadable';
  return found === 'ok' ? null : found.replaceAll('\n', ' ');
}

function damagedAtStart(file: string, found: string): StoreError {
  return new StoreError(
    'corrupt',
    `The database ${file} is damaged (${found}). ` +
      `Restore it from a backup, or set data.directory to another folder. Nothing was changed.`,
  );
}
