/** Who may do what, for a command on the data folder: also while a controller runs on it. */
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import BetterSqlite, { type Database } from 'better-sqlite3';
import type { AccessStore } from '../control/access/records.js';
import { StoreError } from '../control/storeError.js';
import { accessRows } from './accessRows.js';
import { pendingMigrations, productMigrations } from './migrations.js';
import { storeFailure } from './sqliteFailure.js';

/** How long it waits for the controller to finish a transaction. */
const BUSY_TIMEOUT_MS = 5_000;

/**
 * Runs `work` on a database that is there and of this version. It does not take the lock of a controller: SQLite lets
 * two processes write in turn, and keys and the audit are nothing that a controller decides by.
 * @throws StoreError when the database cannot be used; it is then left as it was
 */
export function withAccessBeside<T>(databaseFile: string, work: (store: AccessStore) => T): T {
  const file = resolve(databaseFile);
  if (!statSync(file, { throwIfNoEntry: false })?.isFile()) {
    throw new StoreError(
      'cannot-open',
      `There is no database ${file}. Give the data folder of a controller that was started before (--data).`,
    );
  }
  let db: Database | null = null;
  try {
    db = new BetterSqlite(file, { fileMustExist: true, timeout: BUSY_TIMEOUT_MS });
    if (pendingMigrations(db, file, productMigrations()).length > 0) {
      throw new StoreError(
        'migration',
        `${file} is of an earlier version of Cutpoint. Start the controller of this version on it once. Nothing was changed.`,
      );
    }
    return db.transaction(work).immediate(accessRows(db));
  } catch (error) {
    throw storeFailure(error, file, 'read or write');
  } finally {
    db?.close();
  }
}
