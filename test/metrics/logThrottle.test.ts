import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LogThrottle } from '../../src/metrics/logThrottle.js';

test('a kind is admitted once per interval, with the count of what was not', () => {
  let nowMs = 0;
  const throttle = new LogThrottle(100, () => nowMs);
  assert.equal(throttle.admit('a'), 0);
  assert.equal(throttle.admit('a'), null);
  assert.equal(throttle.admit('b'), 0);
  nowMs = 99;
  assert.equal(throttle.admit('a'), null);
  nowMs = 100;
  assert.equal(throttle.admit('a'), 2);
  nowMs = 200;
  assert.equal(throttle.admit('a'), 0);
});

test('kinds without end cost lines, not memory', () => {
  const throttle = new LogThrottle(100, () => 0);
  for (let kind = 0; kind < 1_000; kind++) assert.equal(throttle.admit(String(kind)), 0);
  assert.equal(throttle.admit('0'), null); // all are known at the cap
  assert.equal(throttle.admit('one more'), 0); // and forgotten beyond it
  assert.equal(throttle.admit('0'), 0);
});
