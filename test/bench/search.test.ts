/** The search benchmark end to end on one network of the zoo: a real import, real searches, the files that it promises. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { contenders, type SearchReport } from '../../bench/search/results.js';
import { assertWellFormed } from '../support/xml.js';

const main = fileURLToPath(new URL('../../bench/search/main.js', import.meta.url));

test('a quick run of one model writes figures and a report, and every answer is the optimum', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'cutpoint-bench-test-'));
  try {
    const json = join(folder, 'search.json');
    const args = [
      '--quick',
      '--models',
      'squeezenet-1.1',
      '--json',
      json,
      '--report',
      join(folder, 'search.md'),
    ];
    await promisify(execFile)(process.execPath, [main, ...args]);
    const report = JSON.parse(await readFile(json, 'utf8')) as SearchReport;
    assert.deepEqual(
      report.models.map(({ name, tiers, mismatches }) => ({ name, tiers, mismatches })),
      [2, 3].map((tiers) => ({ name: 'squeezenet-1.1', tiers, mismatches: 0 })),
    );
    const [two, three] = report.models;
    for (const contender of contenders) assert.ok(two!.search[contender]!.samples > 0, contender);
    assert.ok(three!.states > two!.states && two!.states > two!.layers);
    for (const mode of two!.modes) assert.ok(mode.checked > 0 && mode.visited.warm.mean > 0, mode.mode);
    const { profile } = report;
    assert.equal(profile?.name, 'squeezenet-1.1');
    const mean = report.models
      .find(({ tiers }) => tiers === profile.tiers)!
      .modes.map(({ visited }) => visited.warm.mean);
    assert.ok(profile.visited > Math.max(...mean), 'the slowest look at more');
    assert.ok(
      profile.functions.some(({ module }) => module.includes('src/core/')),
      'time goes to the search',
    );
    assert.deepEqual(
      report.models
        .flatMap(({ rivalMismatches }) => Object.values(rivalMismatches))
        .filter((wrong) => wrong > 0),
      [],
    );
    const files = await readdir(folder);
    for (const chart of files.filter((file) => file.endsWith('.svg')))
      assertWellFormed(await readFile(join(folder, chart), 'utf8'));
    assert.match(await readFile(join(folder, 'search.md'), 'utf8'), /## Targets/);
  } finally {
    await rm(folder, { recursive: true });
  }
});
