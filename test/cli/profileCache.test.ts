import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, truncateSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openProfileCache, type ProfileCache } from '../../src/cli/profileCache.js';
import type { ImportResult } from '../../src/control/ports.js';
import type { Machine, ProfileOptions } from '../../src/core/profile.js';

const folder = mkdtempSync(join(tmpdir(), 'cutpoint-test-'));
after(() => {
  rmSync(folder, { recursive: true, force: true });
});

const machine: Machine = {
  id: 'm',
  cpuModel: 'c',
  logicalCores: 1,
  architecture: 'x64',
  platform: 'linux',
  memoryBytes: 1,
  runtime: 'r',
};
const options: ProfileOptions = {
  optimizationLevel: 'extended',
  intraOpThreads: 1,
  runs: 1,
  warmupRuns: 0,
  inputs: { b: { shape: [1] }, a: { shape: [2], fill: 1 } },
};
const spread = { medianSeconds: 1, minSeconds: 1, maxSeconds: 1 };

function result(modelSha256: string): ImportResult {
  return {
    graph: {
      name: 'n',
      layers: [{ name: 'l', operators: ['Relu'], weightBytes: 0, workingBytes: 4, macs: 0 }],
      tensors: [],
    },
    profile: { modelSha256, machine, options, layers: [{ name: 'l', ...spread }], wholeModel: spread },
  };
}

const sha = (digit: number): string => String(digit).repeat(64);
const cacheOf = (
  digit: number,
  maxEntries?: number,
  changed: Partial<ProfileOptions> = {},
): Promise<ProfileCache> =>
  openProfileCache(folder, sha(digit), machine, { ...options, ...changed }, maxEntries);

test('what was kept is found under the same model, machine and options, and under no others', async () => {
  const cache = await cacheOf(1);
  assert.equal(await cache.find(), undefined);
  await cache.keep(result(sha(1)));
  assert.deepEqual(await cache.find(), result(sha(1)));
  const reordered = { a: { shape: [2], fill: 1 }, b: { shape: [1] } };
  assert.ok(await (await cacheOf(1, 9, { inputs: reordered })).find());
  assert.equal(await (await cacheOf(1, 9, { runs: 2 })).find(), undefined);
  assert.equal(await (await cacheOf(1, 9, { inputs: { a: { shape: [2] } } })).find(), undefined);
  assert.equal(await (await cacheOf(2)).find(), undefined);
});

test('a file that is cut short counts as absent and is replaced', async () => {
  const cache = await cacheOf(1);
  const [file] = readdirSync(folder);
  truncateSync(join(folder, file!), 100);
  assert.equal(await cache.find(), undefined);
  await cache.keep(result(sha(1)));
  assert.ok(await cache.find());
});

test('the oldest entries go beyond the cap', async () => {
  for (const name of readdirSync(folder)) utimesSync(join(folder, name), 1, 1);
  for (const digit of [3, 4]) await (await cacheOf(digit, 2)).keep(result(sha(digit)));
  assert.equal(readdirSync(folder).length, 2);
  assert.equal(await (await cacheOf(1)).find(), undefined);
  assert.ok(await (await cacheOf(4)).find());
});
