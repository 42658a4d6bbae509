import assert from 'node:assert/strict';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import BetterSqlite from 'better-sqlite3';
import { StoreError } from '../../src/control/ports.js';
import { productMigrations, type Migration } from '../../src/store/migrations.js';
import { storeFailure } from '../../src/store/sqliteFailure.js';
import { openStore, type OpenedStore } from '../../src/store/store.js';
import { decisionOf, deploymentOf, model, sample } from './records.js';

const folder = mkdtempSync(join(tmpdir(), 'cutpoint-store-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const migrations = productMigrations();
let files = 0;

function freshFile(): string {
  const file = join(folder, String(++files), 'cutpoint.db');
  mkdirSync(dirname(file));
  return file;
}

/** A store with something in it. */
function filledStore(file: string, known = migrations): OpenedStore {
  const store = openStore({ file, migrations: known });
  store.saveModel({ ...sample(model, 1), id: 'm1' });
  store.saveDeployment({ ...sample(deploymentOf('m1'), 3), id: 'p1' });
  const decision = sample(decisionOf('p1'), 2);
  store.commit(
    Array.from({ length: 200 }, () => decision),
    [],
  );
  return store;
}

/** The same, closed. */
function storedFile(): string {
  const file = freshFile();
  filledStore(file).close();
  return file;
}

function execute(file: string, sql: string): void {
  const db = new BetterSqlite(file);
  db.exec(sql);
  db.close();
}

/** The files of a store as a process leaves them that was killed: what was committed last is in the log alone. */
function killedFile(known: readonly Migration[] = migrations): string {
  const alive = freshFile();
  const store = filledStore(alive, known);
  const file = freshFile();
  for (const end of ['', '-wal']) copyFileSync(`${alive}${end}`, `${file}${end}`);
  store.close();
  return file;
}

/** Opening is refused with `code` and a message that names the file; it and its log stay byte for byte. */
function assertRefused(
  file: string,
  code: string,
  message: RegExp,
  known: readonly Migration[] = migrations,
) {
  const before = readFileSync(file);
  const log = existsSync(`${file}-wal`) ? readFileSync(`${file}-wal`) : null;
  assert.throws(
    () => openStore({ file, migrations: known, openTimeoutMs: 1 }),
    (error: Error & { code: string }) => {
      assert.equal(error.name, 'StoreError', error.stack);
      assert.equal(error.code, code, error.message);
      assert.match(error.message, message);
      assert.ok(error.message.includes(file), error.message);
      return true;
    },
  );
  assert.ok(readFileSync(file).equals(before), 'the file was changed');
  if (log !== null) assert.ok(readFileSync(`${file}-wal`).equals(log), 'the write-ahead log was changed');
}

test('a database of a newer version is refused', () => {
  const file = storedFile();
  const newer = { number: migrations.length + 1, name: 'later', sql: 'CREATE TABLE later (id INTEGER)' };
  openStore({ file, migrations: [...migrations, newer] }).close();
  assertRefused(file, 'newer', /written by a newer version of Cutpoint/);
});

test('a database of a newer version whose process was killed is refused, its log untouched', () => {
  const newer = { number: migrations.length + 1, name: 'later', sql: 'CREATE TABLE later (id INTEGER)' };
  const file = killedFile([...migrations, newer]);
  assertRefused(file, 'newer', /written by a newer version of Cutpoint/);
});

test('a damaged database whose process was killed is refused, its log untouched', () => {
  const file = killedFile();
  const log = readFileSync(`${file}-wal`);
  const store = openStore({ file });
  store.close();
  const bytes = readFileSync(file);
  bytes.fill(0xa5, bytes.length - 8192);
  writeFileSync(file, bytes);
  // a log of frames that belong to nothing any more
  writeFileSync(`${file}-wal`, log.subarray(0, 32));
  assertRefused(file, 'corrupt', /damaged/);
});

test('what was committed before a process was killed is there', () => {
  const store = openStore({ file: killedFile() });
  assert.equal(store.decisions('p1', { limit: 1000 }).length, 200);
  store.close();
});

test('a database of another program is refused', () => {
  const file = freshFile();
  execute(file, 'CREATE TABLE accounts (id INTEGER)');
  assertRefused(file, 'foreign', /SQLite database of another program/);
});

test('a file that is no database is refused', () => {
  const file = freshFile();
  writeFileSync(file, 'these are my notes, not a database\n'.repeat(100));
  assertRefused(file, 'corrupt', /damaged or no SQLite database/);
});

test('a truncated database is refused', () => {
  const file = storedFile();
  truncateSync(file, readFileSync(file).length - 20_000);
  assertRefused(file, 'corrupt', /damaged/);
});

test('a database with a page of rubbish is refused', () => {
  const file = storedFile();
  const bytes = readFileSync(file);
  const last = bytes.length - 4096;
  bytes.fill(0xa5, last);
  writeFileSync(file, bytes);
  assertRefused(file, 'corrupt', /damaged/);
});

test('a row whose JSON is broken is named', () => {
  const file = storedFile();
  execute(file, `UPDATE models SET options_json = '{"runs":'`);
  const store = openStore({ file });
  assert.throws(() => store.models(), {
    code: 'corrupt',
    message: /models\.options_json of m1 holds no JSON/,
  });
  store.close();
});

test('a migration that was changed after it ran is refused, other line ends are none', () => {
  const file = storedFile();
  const [first, ...rest] = migrations;
  const changed = [{ ...first!, sql: `${first!.sql}-- an afterthought\n` }, ...rest];
  assertRefused(file, 'migration', /changed after it ran/, changed);
  const windows = migrations.map((one) => ({ ...one, sql: one.sql.replaceAll('\n', '\r\n') }));
  openStore({ file, migrations: windows }).close();
});

test('a migration that fails leaves nothing behind, and the ones before it stay', () => {
  const file = storedFile();
  const good = { number: migrations.length + 1, name: 'good', sql: 'CREATE TABLE good (id INTEGER)' };
  const bad = {
    number: migrations.length + 2,
    name: 'bad',
    sql: 'CREATE TABLE half (id INTEGER); INSERT INTO nowhere VALUES (1);',
  };
  assert.throws(() => openStore({ file, migrations: [...migrations, good, bad] }), {
    code: 'migration',
    message: new RegExp(`Migration ${bad.number} \\(bad\\) failed on .* no such table: nowhere`),
  });
  const db = new BetterSqlite(file, { readonly: true });
  const names = db.prepare<[], { name: string }>('SELECT name FROM sqlite_schema').all();
  db.close();
  assert.ok(names.some(({ name }) => name === 'good'));
  assert.ok(!names.some(({ name }) => name === 'half'));
  const store = openStore({ file, migrations: [...migrations, good, { ...bad, sql: 'SELECT 1' }] });
  assert.equal(store.models().length, 1);
  store.close();
});

test('migrations have their numbers in order without gaps', () => {
  const other = join(folder, 'migrations');
  mkdirSync(other);
  writeFileSync(join(other, '0001-one.sql'), 'SELECT 1');
  writeFileSync(join(other, '0003-three.sql'), 'SELECT 3');
  assert.throws(() => productMigrations(other), /expected migration 0002-NAME\.sql here/);
});

/** Runs `run` without the rights of root, for which no folder is read-only. */
function asOrdinaryUser(run: () => void): void {
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) process.seteuid!(65_534);
  try {
    run();
  } finally {
    if (isRoot) process.seteuid!(0);
  }
}

test('a folder that cannot be written is refused and named', () => {
  const shut = join(folder, 'shut');
  mkdirSync(shut);
  chmodSync(shut, 0o555);
  chmodSync(folder, 0o755);
  asOrdinaryUser(() => {
    assert.throws(() => openStore({ file: join(shut, 'cutpoint.db'), migrations }), {
      name: 'StoreError',
      code: /^(cannot-open|read-only)$/,
      message: /shut.cutpoint\.db.*set data\.directory to another folder/,
    });
    assert.throws(() => openStore({ file: join(shut, 'deeper', 'cutpoint.db'), migrations }), {
      code: 'read-only',
      message: /Cannot create the folder .*deeper.*EACCES/,
    });
  });
});

test('a folder where the database should be, or a file where its folder should be, is named', () => {
  const file = freshFile();
  mkdirSync(file);
  assert.throws(() => openStore({ file }), { code: 'cannot-open', message: /is a folder/ });
  const notes = join(folder, 'notes');
  writeFileSync(notes, '');
  assert.throws(() => openStore({ file: join(notes, 'data', 'cutpoint.db') }), {
    code: 'cannot-open',
    message: /Cannot create the folder .*notes/,
  });
});

test('a database that is moved away while in use is noticed', () => {
  const file = storedFile();
  const store = openStore({ file });
  renameSync(file, `${file}.away`);
  assert.throws(() => store.probe(), { code: 'moved', message: /was moved or deleted while in use/ });
  renameSync(`${file}.away`, file);
  store.probe();
  store.close();
});

test('a full disk is told as such', () => {
  const db = new BetterSqlite(':memory:');
  db.exec('CREATE TABLE rows (filler BLOB)');
  db.pragma('max_page_count = 3'); // a disk of three pages
  let failure: unknown = null;
  try {
    db.exec('INSERT INTO rows VALUES (zeroblob(100000))');
  } catch (error) {
    failure = storeFailure(error, '/data/cutpoint.db', 'record decisions');
  }
  db.close();
  assert.ok(failure instanceof StoreError);
  assert.equal(failure.code, 'full');
  assert.match(
    failure.message,
    /^Cannot record decisions in the database \/data\/cutpoint\.db: the disk is full/,
  );
});

test('a mistake in the code is no failure of the store', () => {
  const mistake = new RangeError('limit');
  assert.equal(storeFailure(mistake, '/data/cutpoint.db', 'write'), mistake);
});
