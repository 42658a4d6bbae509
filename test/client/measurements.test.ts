import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Measurements } from '../../src/client/measurements.js';

describe('measurements of a device', () => {
  it('become one report with means per deployment', () => {
    const measurements = new Measurements();
    measurements.add('d', 3, { endSeconds: 0.1, latencySeconds: 0.5 });
    measurements.add('d', 3, { endSeconds: 0.3, latencySeconds: 1.5 });
    measurements.add('e', 1, { latencySeconds: 2 });
    assert.deepEqual(measurements.take(), [
      { type: 'measurement', deploymentId: 'd', version: 3, count: 2, endSeconds: 0.2, latencySeconds: 1 },
      { type: 'measurement', deploymentId: 'e', version: 1, count: 1, latencySeconds: 2 },
    ]);
    assert.deepEqual(measurements.take(), []);
  });

  it('mix neither versions nor stages; what is left out is counted', () => {
    const measurements = new Measurements();
    measurements.add('d', 1, { latencySeconds: 9 });
    measurements.add('d', 2, { latencySeconds: 1 });
    measurements.add('d', 2, { latencySeconds: 1, endSeconds: 0.5 });
    assert.deepEqual(
      measurements.take().map(({ version, count }) => [version, count]),
      [[2, 1]],
    );
    assert.equal(measurements.droppedCount, 2);
  });

  it('are refused by name where they cannot be true', () => {
    const measurements = new Measurements();
    for (const wrong of [0, -1, NaN, Infinity, 86_401]) {
      assert.throws(
        () => measurements.add('d', 1, { edgeSeconds: wrong }),
        /^RangeError: edgeSeconds must be > 0/,
      );
    }
    assert.throws(() => measurements.add('d', 1, {}), RangeError);
    assert.deepEqual(measurements.take(), []);
  });
});
