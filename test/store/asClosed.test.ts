import assert from 'node:assert/strict';
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  openSync,
  rmSync,
  statSync,
  utimesSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import BetterSqlite from 'better-sqlite3';
import { markClosed } from '../../src/store/closedMark.js';
import { startDatabaseCheck } from '../../src/store/databaseCheck.js';
import { openStore } from '../../src/store/store.js';
import { decisionOf, device, sample } from './records.js';

const folder = mkdtempSync(join(tmpdir(), 'cutpoint-closed-'));
after(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;

/** A store with devices and a history, closed in good order. */
function closedFile(): string {
  const file = join(folder, String(++files), 'cutpoint.db');
  const store = openStore({ file });
  assert.equal(store.isWhole, true, 'a new one is');
  store.saveDevices(Array.from({ length: 300 }, (_, i) => ({ ...sample(device, i), id: `device-${i}` })));
  const row = sample(decisionOf('p1'), 2);
  store.commit(
    Array.from({ length: 300 }, () => row),
    [],
  );
  store.close();
  return file;
}

/** Writes rubbish over a page of `table` that is not its first, and leaves the times of the file as they look. */
function damage(file: string, table: string): void {
  const db = new BetterSqlite(file);
  const pages = db.prepare<[string], number>('SELECT pageno FROM dbstat WHERE name = ? ORDER BY pageno DESC');
  const page = pages.pluck().get(table)!;
  db.close();
  const { atime, mtime } = statSync(file);
  const handle = openSync(file, 'r+');
  writeSync(handle, Buffer.alloc(4096, 0xa5), 0, 4096, (page - 1) * 4096);
  closeSync(handle);
  utimesSync(file, atime, mtime);
}

/** As the disk itself would damage it: no program has written, so nothing shows. */
function damageUnseen(file: string, table: string): void {
  damage(file, table);
  markClosed(file);
}

/** What the check of the whole database says; null: nothing. */
async function checked(file: string): Promise<Error | null> {
  return new Promise((resolve) => {
    let found: Error | null = null;
    const check = startDatabaseCheck(file, (error) => (found = error));
    void check.ended.then(() => resolve(found));
  });
}

test('a database that was closed in good order is not read as a whole before it opens', () => {
  const file = closedFile();
  for (let start = 0; start < 2; start++) {
    const store = openStore({ file });
    assert.equal(store.isWhole, false);
    assert.equal(existsSync(`${file}.closed`), false, 'while it is open nothing says that it is closed');
    store.close();
    store.close();
  }
});

test('one that was written to since, copied, or has a log is read as a whole', () => {
  const touched = closedFile();
  const { atime, mtime } = statSync(touched);
  const handle = openSync(touched, 'r+');
  writeSync(handle, 'S', 0); // the very byte that is there
  closeSync(handle);
  utimesSync(touched, atime, mtime);
  const copied = closedFile();
  const copy = join(dirname(copied), 'copy.db');
  for (const end of ['', '.closed']) copyFileSync(`${copied}${end}`, `${copy}${end}`);
  const logged = closedFile();
  const alive = openStore({ file: logged });
  alive.probe();
  const killed = join(dirname(logged), 'killed.db');
  for (const end of ['', '-wal']) copyFileSync(`${logged}${end}`, `${killed}${end}`);
  markAnyway(killed);
  alive.close();
  for (const file of [touched, copy, killed]) {
    const store = openStore({ file });
    assert.equal(store.isWhole, true, file);
    store.close();
  }
});

/** A mark that is right in itself, beside a log. */
function markAnyway(file: string): void {
  const store = `${file}-wal`;
  copyFileSync(store, `${file}.kept`);
  rmSync(store);
  markClosed(file);
  copyFileSync(`${file}.kept`, store);
}

test('damage that a program did is refused, wherever it is, though the times look the same', () => {
  for (const table of ['devices', 'decisions']) {
    const file = closedFile();
    damage(file, table);
    assert.throws(() => openStore({ file }), {
      code: 'corrupt',
      message: /is damaged .*Nothing was changed/,
    });
  }
});

test('damage that nothing shows is refused in what a start restores, and found in the rest by the check', async () => {
  const devices = closedFile();
  damageUnseen(devices, 'devices');
  assert.throws(() => openStore({ file: devices }), {
    code: 'corrupt',
    message: /is damaged \(table devices: /,
  });
  const history = closedFile();
  damageUnseen(history, 'decisions');
  const store = openStore({ file: history });
  assert.equal(store.isWhole, false);
  const found = await checked(history);
  assert.match(String(found), /StoreError: The database .* is damaged .*the next start refuses it/);
  store.foundDamaged();
  store.close();
  assert.throws(() => openStore({ file: history }), { code: 'corrupt', message: /is damaged/ });
});

test('a check finds nothing in a whole database, can be stopped, and says why it could not look', async () => {
  const file = closedFile();
  const store = openStore({ file });
  assert.equal(await checked(file), null);
  const failures: Error[] = [];
  const check = startDatabaseCheck(file, (error) => failures.push(error));
  await check.stop();
  store.close();
  assert.deepEqual(failures, []);
  assert.equal(existsSync(`${file}-wal`), false, 'nobody has it open any more');
  assert.match(String(await checked(join(folder, 'nowhere.db'))), /The check of the database ended/);
});
