import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LatestTelemetry } from '../../src/control/latestTelemetry.js';
import type { Telemetry } from '../../src/control/records.js';

const value = fc.double({ min: 0, max: 1e18, noNaN: true });
const frame: fc.Arbitrary<Telemetry> = fc.record(
  {
    uplinkBitsPerSecond: value,
    downlinkBitsPerSecond: value,
    rttSeconds: value,
    cpuLoad: value,
    slowdown: value,
    freeMemoryBytes: value,
    freeStorageBytes: value,
    temperatureCelsius: fc.double({ min: -100, max: 300, noNaN: true }),
    queueLength: value,
    meanServiceSeconds: value,
    battery: fc.record(
      { level: fc.double({ min: 0, max: 1, noNaN: true }), charging: fc.boolean() },
      { noNullPrototype: true },
    ),
  },
  { requiredKeys: [], noNullPrototype: true },
);

test('the latest frame is what is known, field by field, and nothing of the one before stays', () => {
  const latest = new LatestTelemetry();
  fc.assert(
    fc.property(frame, fc.integer({ min: 0 }), (values, nowMs) => {
      latest.take(values, nowMs);
      assert.equal(latest.atMs, nowMs);
      assert.deepEqual(latest.snapshot(), values);
      for (const [name, each] of Object.entries(values))
        assert.deepEqual(latest[name as keyof Telemetry], each);
    }),
  );
});
