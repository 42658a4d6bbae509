import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resampleLink, type LinkRow } from '../../../src/core/replay/resample.js';

const row = (atSeconds: number, up: number | null, down: number | null, rtt: number | null): LinkRow => ({
  atSeconds,
  uplinkBitsPerSecond: up,
  downlinkBitsPerSecond: down,
  rttSeconds: rtt,
});

test('a second is the mean of what held in it, weighted by time; a value holds until it is measured anew', () => {
  const seconds = resampleLink(
    [row(10, 100, null, null), row(10.25, 200, 40, null), row(11.5, 300, null, 0.5), row(12, 0, null, null)],
    100,
  );
  // Four rows over 2 s: the last holds for 2/3 s, so that two full seconds are replayed.
  assert.equal(seconds.length, 2);
  assert.deepEqual(seconds[0], { uplinkBitsPerSecond: 175, downlinkBitsPerSecond: 40, rttSeconds: null });
  assert.deepEqual(seconds[1], { uplinkBitsPerSecond: 250, downlinkBitsPerSecond: 40, rttSeconds: 0.5 });
});

test('rows a second apart are taken as they are', () => {
  const rows = [5, 7, 0, 9].map((up, i) => row(i, up, up, null));
  assert.deepEqual(
    resampleLink(rows, 100).map((second) => second.uplinkBitsPerSecond),
    [5, 7, 0, 9],
  );
});

test('a row may hold for many seconds', () => {
  const rows = [row(0, 1, 1, null), row(5, 2, 2, null), row(10, 3, 3, null)];
  assert.deepEqual(
    resampleLink(rows, 100).map((second) => second.uplinkBitsPerSecond),
    [1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3],
  );
});

test('what cannot be replayed is refused', () => {
  assert.throws(() => resampleLink([row(0, 1, 1, null)], 10), /at least two rows/);
  assert.throws(() => resampleLink([row(0, 1, 1, null), row(0, 1, 1, null)], 10), /rows\[1\]/);
  assert.throws(() => resampleLink([row(0, 1, 1, null), row(50, 1, 1, null)], 10), /100 s, at most 10/);
});
