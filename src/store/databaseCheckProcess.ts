/** Reads a whole database for damage, in a process of its own: SQLite cannot be stopped in the middle, a process can. */
import BetterSqlite, { SqliteError } from 'better-sqlite3';
import { firstFinding } from './integrity.js';

/** What this process says before it ends; null: the database is whole. */
export interface CheckReply {
  readonly found: string | null;
}

function check(file: string): string | null {
  try {
    const db = new BetterSqlite(file, { readonly: true, fileMustExist: true });
    try {
      return firstFinding(db, '1');
    } finally {
      db.close();
    }
  } catch (error) {
    const isDamage = error instanceof SqliteError && /^SQLITE_(CORRUPT|NOTADB)/.test(error.code);
    if (isDamage) return `${error.code}: ${error.message}`;
    throw error;
  }
}

const reply: CheckReply = { found: check(process.argv[2]!) };
process.send!(reply, () => process.exit(0));
