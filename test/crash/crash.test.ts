import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mainScript } from '../support/runCutpoint.js';
import { crashRun } from './crashRun.js';

const mutatedServer = new URL('./earlyPushServer.js', import.meta.url).pathname;
const small = { ends: 4, edges: 2, seed: 1, longestRunMs: 300 };

test('a controller that is killed again and again contradicts nothing that anyone was told', async () => {
  const report = await crashRun({ ...small, kills: 10, terms: 1, command: [mainScript, 'serve'] });
  assert.deepEqual([report.contradictions, report.faults], [0, []], JSON.stringify(report, null, 2));
  assert.equal(report.kills, 10);
  assert.equal(report.terms, 2); // the last stop is one too
  assert.ok(report.distinctVersions > report.deployments, 'cuts changed meanwhile');
  assert.ok(report.acknowledged > 0 && report.confirmedChanges > 0);
});

test('a controller that pushes before it stores is found out', async () => {
  const report = await crashRun({
    ...small,
    kills: 40,
    terms: 0,
    command: [mutatedServer],
    longestRunMs: 600,
    untilFirst: true,
  });
  assert.ok(report.contradictions > 0, JSON.stringify(report, null, 2));
});
