import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ImportResult, ModelImporter } from '../../src/control/ports.js';
import type { ProfileOptions } from '../../src/core/profile.js';
import { importCached } from '../../src/onnx/cachedImport.js';
import { createImporter } from '../../src/onnx/importer.js';
import { openProfileCache, profileKey } from '../../src/onnx/profileCache.js';
import { fileOf, QUICK, twoConvolutions, weight } from './support/smallModel.js';

test('a key depends on model, machine and every option, not on the order of inputs', () => {
  const options: ProfileOptions = { ...QUICK, inputs: { a: { shape: [1] }, b: { shape: [2], fill: 3 } } };
  const key = profileKey('model', 'machine', options);
  const others: [string, string, ProfileOptions][] = [
    ['other', 'machine', options],
    ['model', 'other', options],
    ['model', 'machine', { ...options, runs: 3 }],
    ['model', 'machine', { ...options, warmupRuns: 9 }],
    ['model', 'machine', { ...options, intraOpThreads: 2 }],
    ['model', 'machine', { ...options, optimizationLevel: 'basic' }],
    ['model', 'machine', { ...options, inputs: { a: { shape: [1] }, b: { shape: [2] } } }],
  ];
  for (const other of others) assert.notEqual(profileKey(...other), key);
  assert.equal(
    profileKey('model', 'machine', { ...options, inputs: { b: { shape: [2], fill: 3 }, a: { shape: [1] } } }),
    key,
  );
});

test('a profile is not taken twice, but again for another model, other options or a damaged file', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'cutpoint-test-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const real = createImporter();
  t.after(() => real.close());
  let imports = 0;
  const importer: ModelImporter = {
    import: (...args) => ((imports += 1), real.import(...args)),
    close: () => real.close(),
  };
  const cache = openProfileCache(join(folder, 'cache'), 10);
  const file = await fileOf(t, twoConvolutions());
  const first = await importCached(file, QUICK, { importer, cache });
  const second = await importCached(file, QUICK, { importer, cache });
  assert.deepEqual([first.cached, second.cached, imports], [false, true, 1]);
  assert.deepEqual([second.graph, second.profile], [first.graph, first.profile]);
  assert.equal((await importCached(file, { ...QUICK, runs: 3 }, { importer, cache })).cached, false);
  const changed = twoConvolutions();
  changed.graph!.initializer[0] = { ...weight('w1', [4, 3, 3, 3]), rawData: new Uint8Array(432) };
  assert.equal((await importCached(await fileOf(t, changed), QUICK, { importer, cache })).cached, false);
  for (const name of await readdir(join(folder, 'cache'))) {
    const text = await readFile(join(folder, 'cache', name), 'utf8');
    await writeFile(join(folder, 'cache', name), text.slice(0, text.length / 2));
  }
  assert.equal((await importCached(file, QUICK, { importer, cache })).cached, false);
  assert.equal(imports, 4);
});

test('the oldest entries go when there are too many', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'cutpoint-test-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const cache = openProfileCache(folder, 2);
  const result = {
    graph: { name: 'm', layers: [], tensors: [] },
    profile: { layers: [] },
  } as unknown as ImportResult;
  for (const [age, key] of ['a', 'b', 'c'].entries()) {
    await cache.write(key, result);
    if (key !== 'c') await utimes(join(folder, `${key}.json`), 1000 + age, 1000 + age);
  }
  assert.equal(await cache.read('a'), null);
  assert.deepEqual(await cache.read('b'), result);
  assert.deepEqual(await cache.read('c'), result);
});
