/**
 * A file beside the database that says how its file was when it was closed in good order. While that is still so, nothing
 * has written to it since, and a start need not read all of it before anyone is served.
 */
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';

const markOf = (file: string): string => `${file}.closed`;

/** No program can set the time of the last change (`ctime`) of a file: to copy it or to write into it moves that. */
function looksOf(file: string): string {
  const { dev, ino, size, ctimeNs } = statSync(file, { bigint: true });
  return `${JSON.stringify({ device: `${dev}`, inode: `${ino}`, bytes: `${size}`, changedNs: `${ctimeNs}` })}\n`;
}

/** Whether the database is as it was left when it was closed in good order. */
export function isAsClosed(file: string): boolean {
  if (existsSync(`${file}-wal`) || !existsSync(markOf(file))) return false;
  return readFileSync(markOf(file), 'utf8') === looksOf(file);
}

/** To be called after the database was closed. Where a write-ahead log is left, it was not closed in good order. */
export function markClosed(file: string): void {
  if (!existsSync(`${file}-wal`)) writeFileSync(markOf(file), looksOf(file), { mode: 0o600 });
}

/** To be called before the database is written to. */
export function unmarkClosed(file: string): void {
  rmSync(markOf(file), { force: true });
}
