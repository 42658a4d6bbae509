/** Opens the database file: ours alone, healthy, at the schema of this version, or not at all. */
import { chmodSync, existsSync, mkdirSync, realpathSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import BetterSqlite, { type Database } from 'better-sqlite3';
import { StoreError } from '../control/storeError.js';
import { isAsClosed, markClosed, unmarkClosed } from './closedMark.js';
import { assertRestorable, assertWhole } from './integrity.js';
import { migrate, pendingMigrations, type Migration } from './migrations.js';
import { storeFailure } from './sqliteFailure.js';

export interface DatabaseOptions {
  /** Path of the database, or `:memory:`. Its folder is created where it is missing. */
  readonly file: string;
  readonly migrations: readonly Migration[];
  /** How long opening waits for another program that keeps the file locked, milliseconds. */
  readonly openTimeoutMs: number;
  /** The same for each later operation. Short: the whole process waits meanwhile. */
  readonly operationTimeoutMs: number;
  /**
   * `normal`: a commit survives the end of the process, and power loss may undo the last ones (never tears one).
   * `full`: survives power loss too, at the price of a disk flush per commit.
   */
  readonly synchronous: 'normal' | 'full';
}

export interface OpenDatabase {
  readonly db: Database;
  /** @throws StoreError `moved` when the file at the path is no longer the one that is open */
  readonly assertInPlace: () => void;
  /** False where the long tables are still to be looked at for damage: the file was as this code left it. */
  readonly isWhole: boolean;
  /** It was found damaged: the next start is to look at all of it. */
  readonly foundDamaged: () => void;
  readonly close: () => void;
}

function createFolder(file: string): void {
  const folder = dirname(file);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? String(error);
    const readOnly = reason === 'EACCES' || reason === 'EROFS' || reason === 'EPERM';
    throw new StoreError(
      readOnly ? 'read-only' : 'cannot-open',
      `Cannot create the folder ${folder} for the database (${reason}). ` +
        `Create it, give this user the right to write there, or set data.directory to another folder.`,
      { cause: error },
    );
  }
}

/** One path per file, whatever links lead to it, so that two controllers meet at the same lock. */
function realFile(file: string): string {
  if (statSync(file, { throwIfNoEntry: false })) return realpathSync(file);
  return join(realpathSync(dirname(file)), basename(file));
}

/**
 * Holds an exclusive lock beside the database for as long as it is open. SQLite's own locks come and go with
 * each transaction and would let two controllers decide over the same deployments in turn. A lock that the
 * operating system holds ends with the process, so that kill -9 leaves nothing to clean up. Other programs
 * may still read the database, for a backup for instance.
 */
export function takeOwnership(file: string): Database {
  const lock = new BetterSqlite(`${file}.lock`, { timeout: 0 });
  try {
    lock.pragma('journal_mode = MEMORY');
    lock.exec('BEGIN EXCLUSIVE');
    return lock;
  } catch (error) {
    lock.close();
    if (!(error instanceof BetterSqlite.SqliteError) || !error.code.startsWith('SQLITE_BUSY')) throw error;
    throw new StoreError(
      'in-use',
      `Another Cutpoint controller is using the database ${file}. Stop it, or set data.directory to another folder.`,
      { cause: error },
    );
  }
}

/** Where a restore of `database` keeps what is not in its place yet. */
export function restoreFolder(database: string): string {
  return join(dirname(database), 'restore.partial');
}

/** An empty database where one was about to be restored would turn every device away. */
function assertNotInRestore(file: string): void {
  const folder = restoreFolder(file);
  if (existsSync(file) || !existsSync(folder)) return;
  throw new StoreError(
    'cannot-open',
    `There is no database ${file}, and ${folder} is left of a restore that was cut off. ` +
      `Restore once more, or remove that folder to begin with an empty database.`,
  );
}

interface Inspected {
  readonly pending: readonly Migration[];
  /** All of it was looked at, and not only what a start needs. */
  readonly isWhole: boolean;
}

/**
 * Looks at a database before anything is written. Where a process that was killed left its write-ahead log, through a
 * connection that can only read: one that can write would bring the log into the file, and remove it, also of a
 * database that is then refused. Without a log it is the other way round: only one that can write leaves no files.
 */
function inspect(file: string, { openTimeoutMs, migrations }: DatabaseOptions): Inspected {
  if (!statSync(file, { throwIfNoEntry: false })?.size) return { pending: migrations, isWhole: true };
  const hasLog = existsSync(`${file}-wal`);
  const hadIndex = existsSync(`${file}-shm`);
  const isWhole = !isAsClosed(file);
  const db = new BetterSqlite(file, { readonly: hasLog, timeout: openTimeoutMs });
  try {
    if (isWhole) assertWhole(db, file);
    else assertRestorable(db, file);
    return { pending: pendingMigrations(db, file, migrations), isWhole };
  } finally {
    db.close();
    if (hasLog && !hadIndex) rmSync(`${file}-shm`, { force: true });
  }
}

function prepare(db: Database, file: string, pending: readonly Migration[], options: DatabaseOptions): void {
  const mode = db.pragma('journal_mode = WAL', { simple: true });
  if (mode !== 'wal' && file !== ':memory:') {
    throw new StoreError(
      'cannot-open',
      `The folder of ${file} does not support SQLite's write-ahead log (a network share, for instance). ` +
        `Set data.directory to a folder on a local disk.`,
    );
  }
  db.pragma(`synchronous = ${options.synchronous === 'full' ? 'FULL' : 'NORMAL'}`);
  db.pragma('foreign_keys = ON');
  migrate(db, file, pending);
  db.pragma(`busy_timeout = ${options.operationTimeoutMs}`);
}

/** The pepper and the history are for the owner's eyes alone, also in a folder that others may look into. */
function keepPrivate(file: string): void {
  for (const path of [file, `${file}-wal`, `${file}-shm`, `${file}.lock`]) {
    const found = statSync(path, { throwIfNoEntry: false });
    // another owner's file is theirs to protect
    if (found !== undefined && (found.mode & 0o077) !== 0 && found.uid === process.getuid?.())
      chmodSync(path, 0o600);
  }
}

function openFile(file: string, options: DatabaseOptions): OpenDatabase {
  const lock = file === ':memory:' ? null : takeOwnership(file);
  let db: Database | null = null;
  try {
    const { pending, isWhole } = lock
      ? inspect(file, options)
      : { pending: options.migrations, isWhole: true };
    if (lock) unmarkClosed(file);
    const opened = new BetterSqlite(file, { timeout: options.openTimeoutMs });
    db = opened;
    prepare(opened, file, pending, options);
    if (lock) keepPrivate(file);
    const inode = lock ? statSync(file).ino : 0;
    let isDamaged = false;
    return {
      db: opened,
      isWhole,
      foundDamaged: () => (isDamaged = true),
      assertInPlace() {
        if (!lock || statSync(file, { throwIfNoEntry: false })?.ino === inode) return;
        throw new StoreError(
          'moved',
          `The database ${file} was moved or deleted while in use. Put it back and restart the controller.`,
        );
      },
      close() {
        if (!opened.open) return;
        opened.close();
        const isInPlace = statSync(file, { throwIfNoEntry: false })?.ino === inode;
        if (isInPlace && !isDamaged) markIfPossible(file);
        lock?.close();
      },
    };
  } catch (error) {
    db?.close();
    lock?.close();
    throw error;
  }
}

/** Without the mark the next start takes longer, no more. */
function markIfPossible(file: string): void {
  try {
    markClosed(file);
  } catch {
    unmarkClosed(file); // the disk is full, or the file was taken away: half a mark is none
  }
}

/**
 * Opens or creates the database and brings it to the schema of this version.
 * @throws StoreError `in-use`, `locked`, `read-only`, `cannot-open`, `corrupt`, `newer`, `foreign`, `migration`
 */
export function openDatabase(options: DatabaseOptions): OpenDatabase {
  if (options.file === ':memory:') return openFile(options.file, options);
  const path = resolve(options.file);
  createFolder(path);
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
    throw new StoreError(
      'cannot-open',
      `The database ${path} is a folder. Set data.directory to another folder.`,
    );
  }
  try {
    assertNotInRestore(path);
    return openFile(realFile(path), options);
  } catch (error) {
    throw storeFailure(error, path, 'read or write');
  }
}
