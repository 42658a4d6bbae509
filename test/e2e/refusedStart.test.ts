import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { packageRoot } from '../../src/packageRoot.js';
import { productMigrations } from '../../src/store/migrations.js';
import { openStore } from '../../src/store/store.js';
import { startServe } from '../support/serveProcess.js';
import { deploymentOf, model, sample } from '../store/records.js';

const folder = mkdtempSync(join(tmpdir(), 'cutpoint-refused-'));
after(() => rmSync(folder, { recursive: true, force: true }));

function stored(name: string): { readonly data: string; readonly file: string } {
  const data = join(folder, name);
  const file = join(data, 'cutpoint.db');
  const store = openStore({ file });
  store.saveModel({ ...sample(model, 1), id: 'm1' });
  store.saveDeployment(sample(deploymentOf('m1'), 2));
  store.close();
  return { data, file };
}

const contents = (data: string) =>
  new Map(readdirSync(data).map((name) => [name, readFileSync(join(data, name)).toString('base64')]));

/** The start is refused in one line, and nothing in the folder is another byte than before. */
async function assertRefused(data: string, message: RegExp): Promise<void> {
  const before = contents(data);
  const refused = await startServe(['--data', data], { CUTPOINT_DATA__OPEN_TIMEOUT_MS: '20' });
  if ('origin' in refused) await refused.end('SIGKILL');
  assert.ok('stderr' in refused, 'it started');
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /^cutpoint: [^\n]+\n$/);
  assert.match(refused.stderr, message);
  assert.deepEqual(contents(data), before);
}

test('serve refuses a newer, a damaged and a locked database and leaves each as it is', async () => {
  const newer = stored('newer');
  const later = {
    number: productMigrations().length + 1,
    name: 'later',
    sql: 'CREATE TABLE later (id INTEGER)',
  };
  openStore({ file: newer.file, migrations: [...productMigrations(), later] }).close();
  await assertRefused(newer.data, /written by a newer version of Cutpoint/);

  const damaged = stored('damaged');
  const bytes = readFileSync(damaged.file);
  bytes.fill(0xa5, bytes.length - 8192);
  writeFileSync(damaged.file, bytes);
  await assertRefused(damaged.data, /is damaged.*Restore it from a backup/);

  const locked = stored('locked');
  // in another process: reading the file in this one would end its locks here
  const script = `const db = new (require('better-sqlite3'))(process.argv[1]);
    db.pragma('journal_mode = DELETE'); // with a write-ahead log a lock keeps no reader out
    db.exec('BEGIN EXCLUSIVE');
    process.stdout.write('locked');
    setInterval(() => {}, 1000);`;
  const other = spawn(process.execPath, ['-e', script, locked.file], { cwd: packageRoot() });
  await once(other.stdout, 'data');
  try {
    await assertRefused(locked.data, /another program keeps it locked/);
  } finally {
    other.kill('SIGKILL');
  }
});
