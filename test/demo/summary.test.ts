import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseMetrics } from '../../src/demo/controllerApi.js';
import { summarize, summaryLines } from '../../src/demo/summary.js';
import { sampleFleet } from './fleetSample.js';

const facts = { seconds: 5, seed: 1, links: 'model', notes: [], edges: 2, frames: 20 };

test('the summary counts, ranks and averages what was recorded', () => {
  const [device] = sampleFleet(1, 5);
  const points = [1, 2, 3, 4].map((n) => ({
    ...device!.points[0]!,
    searchNanoseconds: n * 1000,
    version: Math.ceil(n / 2),
    chosenSeconds: n,
    deviceOnlySeconds: 2 * n,
    edgeOnlySeconds: n === 4 ? Infinity : 3 * n,
  }));
  const summary = summarize([{ ...device!, points }], facts);
  assert.deepEqual(summary.searchMicroseconds, { p50: 2, p99: 4 });
  assert.equal(summary.decisions, 4);
  assert.equal(summary.cutChanges, 1);
  // the decision without a link is left out of all three means
  assert.deepEqual(summary.meanPredictedLatencySeconds, { chosen: 2, deviceOnly: 4, edgeOnly: 6 });
  assert.equal(summary.decisionsWithoutLink, 1);
  assert.match(
    summaryLines(summary).join('\n'),
    /2\.00 s, 50 % less than device-only \(4\.00 s\), 67 % less than edge-only \(6\.00 s\)/,
  );
});

test('a run without decisions has no means and says nothing that it does not know', () => {
  const summary = summarize([], { ...facts, frames: 0 });
  assert.equal(summary.meanPredictedLatencySeconds, null);
  assert.deepEqual(summary.searchMicroseconds, { p50: null, p99: null });
  assert.doesNotMatch(summaryLines(summary).join('\n'), /NaN|Infinity|mean/);
});

test('metrics are read from the exposition format', () => {
  const metrics = parseMetrics(
    '# HELP a_total x\n# TYPE a_total counter\na_total{outcome="accepted"} 3\na_total{outcome="x y"} 4e1\nb 2\n',
  );
  assert.equal(metrics.get('a_total{outcome="accepted"}'), 3);
  assert.equal(metrics.get('a_total'), 43);
  assert.equal(metrics.get('b'), 2);
});
