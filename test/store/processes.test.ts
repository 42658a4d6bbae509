import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import BetterSqlite from 'better-sqlite3';
import { openStore } from '../../src/store/store.js';
import { decisionOf, deploymentOf, model, sample } from './records.js';
import type { WriterRecords } from './writer.js';

const folder = mkdtempSync(join(tmpdir(), 'cutpoint-store-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const writer = fileURLToPath(new URL('writer.js', import.meta.url));

const records: WriterRecords = {
  model: { ...sample(model, 1), id: 'm1' },
  deployment: { ...sample(deploymentOf('m1'), 2), id: 'p1', version: 0 },
  decision: sample(decisionOf('p1'), 3),
};

/** Starts a writer and waits until it has told `versions` of them; `end` kills it and gives the last one told. */
async function startWriter(file: string, versions: number) {
  const child = spawn(process.execPath, [writer, file, JSON.stringify(records)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  let told = '';
  await new Promise<void>((resolve, reject) => {
    child.stdout.on('data', (chunk: Buffer) => {
      told += chunk.toString();
      if (told.split('\n').length > versions) resolve();
    });
    child.on('exit', () => reject(new Error('the writer ended by itself')));
  });
  const end = async () => {
    child.kill('SIGKILL');
    await exited;
    return Number(told.slice(0, told.lastIndexOf('\n')).split('\n').at(-1));
  };
  return { end };
}

test('what commit returned for is there after kill -9, and nothing is half there', async () => {
  for (const round of [1, 2, 3]) {
    const file = join(folder, `killed-${round}`, 'cutpoint.db');
    const { end } = await startWriter(file, 60 * round);
    const told = await end();
    const store = openStore({ file });
    const { version } = store.deployments()[0]!;
    // the last commit may have returned to a writer that was killed before it could tell
    assert.ok(version === told || version === told + 1, `told ${told}, stored ${version}`);
    const history = store.decisions('p1', { limit: 100_000 }).map((one) => one.versionAfter);
    assert.deepEqual(
      history,
      Array.from({ length: version }, (_, index) => version - index),
    );
    store.commit([], [{ ...store.deployments()[0]!, version: version + 1 }]);
    store.close();
  }
});

test('a second controller is kept out, also by another path, until the first has gone', async () => {
  const file = join(folder, 'shared', 'cutpoint.db');
  const { end } = await startWriter(file, 1);
  symlinkSync(join(folder, 'shared'), join(folder, 'alias'));
  for (const path of [file, join(folder, 'alias', 'cutpoint.db')]) {
    assert.throws(() => openStore({ file: path }), {
      name: 'StoreError',
      code: 'in-use',
      message: /Another Cutpoint controller is using the database .*shared.cutpoint\.db/,
    });
  }
  await end();
  const store = openStore({ file });
  assert.throws(() => openStore({ file }), { code: 'in-use' }); // in the same process too
  store.close();
  store.close();
  openStore({ file }).close();
});

test('other programs may read while a controller writes', async () => {
  const file = join(folder, 'read', 'cutpoint.db');
  const { end } = await startWriter(file, 5);
  const reader = new BetterSqlite(file, { readonly: true });
  const count = reader.prepare<[], { rows: number }>('SELECT count(*) AS rows FROM decisions');
  assert.ok(count.get()!.rows >= 5);
  reader.close();
  await end();
});

test('a lock of another program fails an operation soon, and the next one works', () => {
  const file = join(folder, 'locked', 'cutpoint.db');
  const store = openStore({ file, operationTimeoutMs: 1, openTimeoutMs: 1 });
  const other = new BetterSqlite(file);
  other.exec('BEGIN IMMEDIATE');
  assert.throws(() => store.probe(), {
    code: 'locked',
    message: /Cannot write .*another program keeps it locked/,
  });
  assert.deepEqual(store.deployments(), []); // reading goes on
  other.exec('ROLLBACK');
  store.probe();
  store.close();
  other.pragma('journal_mode = DELETE');
  other.exec('BEGIN EXCLUSIVE');
  assert.throws(() => openStore({ file, openTimeoutMs: 1 }), { code: 'locked' });
  other.close();
  openStore({ file }).close();
});
