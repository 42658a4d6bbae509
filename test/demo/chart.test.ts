import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderChart } from '../../src/demo/chart.js';
import { assertWellFormed } from '../support/xml.js';
import { sampleFleet } from './fleetSample.js';

/** Every coordinate that a path visits. */
function pathNumbers(svg: string): number[] {
  return [...svg.matchAll(/ d="([^"]*)"/g)].flatMap((match) =>
    [...match[1]!.matchAll(/-?[\d.]+|NaN|Infinity/g)].map((number) => Number(number[0])),
  );
}

test('the chart is a well-formed SVG with a panel for each device and a scale on each axis', () => {
  const svg = renderChart({ seconds: 30, devices: sampleFleet(6, 30), subtitle: ['a & b < c'] });
  const counts = assertWellFormed(svg);
  assert.equal(counts.get('svg'), 1);
  assert.equal(svg.match(/class="panel"/g)?.length, 6);
  for (const label of ['Mbit/s', 'layers', 'latency, ms', '30 s', 'device-only', 'edge-only', 'chosen cut']) {
    assert.ok(svg.includes(`>${label}<`), `${label} is written on the chart`);
  }
  assert.ok(svg.includes('a &amp; b &lt; c'));
  assert.ok(pathNumbers(svg).every(Number.isFinite), 'every coordinate is a number');
});

test('infinite latencies, missing rates and a device without decisions leave gaps, not broken paths', () => {
  const [device] = sampleFleet(1, 5);
  const points = device!.points.map((point, index) => ({
    ...point,
    uplinkBitsPerSecond: index % 2 === 0 ? null : point.uplinkBitsPerSecond,
    edgeOnlySeconds: Infinity,
  }));
  const svg = renderChart({
    seconds: 5,
    devices: [
      { ...device!, points },
      { ...device!, deviceId: 'silent <b>\u0007', points: [] },
    ],
    subtitle: [],
  });
  assertWellFormed(svg);
  assert.ok(pathNumbers(svg).every(Number.isFinite));
  assert.ok(!/Infinity|NaN|undefined/.test(svg));
});

test('of a large fleet the devices with most cut changes are shown, and it is said', () => {
  const svg = renderChart({ seconds: 5, devices: sampleFleet(20, 5), subtitle: [] });
  assertWellFormed(svg);
  assert.equal(svg.match(/class="panel"/g)?.length, 12);
  assert.match(svg, /Shown are the 12 of 20 devices whose cuts changed most/);
});
