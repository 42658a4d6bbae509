/** What SQLite reports, in words for the operator. */
import { SqliteError } from 'better-sqlite3';
import { StoreError, type StoreErrorCode } from '../control/storeError.js';

/** By the start of SQLite's result code; the first that fits counts. */
const CODES: readonly (readonly [prefix: string, code: StoreErrorCode, advice: string])[] = [
  [
    'SQLITE_READONLY_DBMOVED',
    'moved',
    'its file was moved or deleted while in use. Put it back and restart.',
  ],
  ['SQLITE_BUSY', 'locked', 'another program keeps it locked. Close that program, then try again.'],
  ['SQLITE_LOCKED', 'locked', 'another program keeps it locked. Close that program, then try again.'],
  [
    'SQLITE_READONLY',
    'read-only',
    'the file or its folder cannot be written. Give this user the right to write there, or set data.directory to another folder.',
  ],
  [
    'SQLITE_PERM',
    'read-only',
    'the file or its folder cannot be written. Give this user the right to write there, or set data.directory to another folder.',
  ],
  [
    'SQLITE_CANTOPEN',
    'cannot-open',
    'the file cannot be opened or created. Check that the folder exists and that this user may read and write there, or set data.directory to another folder.',
  ],
  [
    'SQLITE_NOTADB',
    'corrupt',
    'it is damaged or no SQLite database. Restore it from a backup, or set data.directory to another folder.',
  ],
  [
    'SQLITE_CORRUPT',
    'corrupt',
    'it is damaged. Restore it from a backup, or set data.directory to another folder.',
  ],
  ['SQLITE_FULL', 'full', 'the disk is full. Free some space.'],
  ['SQLITE_IOERR', 'io', 'reading or writing failed. Check the disk.'],
  ['SQLITE_CONSTRAINT', 'constraint', 'the row contradicts what is stored.'],
  ['SQLITE_TOOBIG', 'constraint', 'the row is larger than SQLite can hold (1 GB).'],
];

/**
 * The StoreError for an error that SQLite reported; any other error as it is, since it is a mistake in the code.
 * @param doing what was tried, in words that follow "Cannot"
 */
export function storeFailure(error: unknown, file: string, doing: string): unknown {
  if (!(error instanceof SqliteError)) return error;
  const known = CODES.find(([prefix]) => error.code.startsWith(prefix));
  if (!known) return error;
  const [, code, advice] = known;
  return new StoreError(
    code,
    `Cannot ${doing} in the database ${file}: ${advice} (${error.code}: ${error.message})`,
    {
      cause: error,
    },
  );
}
