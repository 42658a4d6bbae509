import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { takeBackup } from '../../src/store/backup/takeBackup.js';
import { openStore } from '../../src/store/store.js';
import { runCutpoint } from '../support/runCutpoint.js';
import { model, sample } from './records.js';

const folder = mkdtempSync(join(tmpdir(), 'cutpoint-cut-off-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** Loaded before the command: ends the process, as kill -9 does, before the n-th change of the file system. */
const killer = join(folder, 'killer.mjs');
writeFileSync(
  killer,
  `import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
let left = Number(process.env.KILL_BEFORE);
for (const name of ['rename', 'rm', 'mkdir']) {
  const real = fs[name];
  fs[name] = (...given) => {
    if (--left === 0) process.kill(process.pid, 'SIGKILL');
    return real(...given);
  };
}
syncBuiltinESMExports();
`,
);

/** A data folder with one model of this name. */
function dataFolder(name: string): string {
  const data = join(folder, name);
  const bytes = `the bytes of ${name}`;
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  mkdirSync(join(data, 'models'), { recursive: true });
  writeFileSync(join(data, 'models', `${sha256}.onnx`), bytes);
  const store = openStore({ file: join(data, 'cutpoint.db') });
  store.saveModel({ ...sample(model, 1), id: name, name, sha256, status: 'ready' });
  store.close();
  return data;
}

/** Names of the models; each has its file. */
function contentOf(data: string): string[] {
  const store = openStore({ file: join(data, 'cutpoint.db') });
  const models = store.models();
  store.close();
  for (const { sha256 } of models) assert.ok(existsSync(join(data, 'models', `${sha256}.onnx`)), sha256);
  return models.map(({ name }) => name);
}

test('a restore that is killed at any step leaves the old state or the new one, and can be made again', async () => {
  const backup = join(folder, 'backup');
  await takeBackup(dataFolder('new'), backup, '0', Date.now());
  const found = new Set<string>();
  for (let step = 1, isKilled = true; isKilled; step++) {
    const data = dataFolder('old');
    const args = ['restore', backup, '--data', data, '--force'];
    const nodeOptions = `${process.env['NODE_OPTIONS'] ?? ''} --import ${pathToFileURL(killer).href}`;
    const result = await runCutpoint(args, '', { NODE_OPTIONS: nodeOptions, KILL_BEFORE: String(step) });
    isKilled = result.code !== 0;
    assert.ok(step < 30, 'more steps than a restore has');
    const [name, ...others] = contentOf(data);
    assert.deepEqual(others, []);
    found.add(`${isKilled ? 'killed' : 'whole'}: ${name}`);
    const again = await runCutpoint(args);
    assert.equal(again.code, 0, again.stderr);
    assert.deepEqual(contentOf(data), ['new']);
    assert.equal(readdirSync(join(data, 'models')).length, 1);
    const names = ['cutpoint.db', 'cutpoint.db.closed', 'cutpoint.db.lock', 'models'];
    assert.deepEqual(readdirSync(data).sort(), names);
    rmSync(data, { recursive: true });
  }
  assert.deepEqual([...found].sort(), ['killed: new', 'killed: old', 'whole: new']);
});

test('where there was nothing before a restore that was cut off, no empty database takes its place', () => {
  const data = join(folder, 'first');
  mkdirSync(join(data, 'restore.partial'), { recursive: true });
  assert.throws(() => openStore({ file: join(data, 'cutpoint.db') }), {
    code: 'cannot-open',
    message: /restore\.partial is left of a restore that was cut off/,
  });
  assert.ok(!existsSync(join(data, 'cutpoint.db')));
});

test('a backup does not take the place of a folder that none has made', async () => {
  const data = dataFolder('kept');
  const target = join(folder, 'target');
  mkdirSync(`${target}.partial`);
  writeFileSync(join(`${target}.partial`, 'thesis.txt'), 'years of work');
  await assert.rejects(takeBackup(data, target, '0', Date.now()), /is in the way, and no backup made it/);
  assert.deepEqual(readdirSync(`${target}.partial`), ['thesis.txt']);
  rmSync(join(`${target}.partial`, 'thesis.txt'));
  writeFileSync(join(`${target}.partial`, 'unfinished'), '');
  await takeBackup(data, target, '0', Date.now());
  assert.deepEqual(readdirSync(target).sort(), ['backup.json', 'cutpoint.db', 'models']);
});
