import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Correction } from '../../src/control/correction.js';
import type { Prediction } from '../../src/core/decision.js';

const nominal = { end: 0.02, uplink: 0.1, edge: 0.004, downlink: 0.01 };
const predicted = (used: Correction['ratios']): Prediction =>
  ({
    tierSeconds: [nominal.end * (used?.end ?? 1), nominal.edge * (used?.edge ?? 1)],
    uplinkSeconds: [nominal.uplink * (used?.uplink ?? 1)],
    downlinkSeconds: [nominal.downlink * (used?.downlink ?? 1)],
  }) as unknown as Prediction;

describe('the correction of predictions', () => {
  it('ends at the ratio of measured and nominal seconds, whatever was corrected on the way', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.01, max: 100, noNaN: true }), (truth) => {
        const correction = new Correction();
        for (let n = 0; n < 120; n++) {
          const used = correction.ratios;
          correction.learn({ count: 1, endSeconds: nominal.end * truth }, predicted(used), used);
        }
        assert.ok(Math.abs(Math.log(correction.ratios!.end! / truth)) < 1e-3);
        assert.deepEqual(Object.keys(correction.ratios!), ['end'], 'what was not measured stays unknown');
      }),
    );
  });

  it('is half of the way there, by its logarithm, after 8 measurements', () => {
    const correction = new Correction();
    for (let n = 0; n < 8; n++) {
      correction.learn({ count: 1, uplinkSeconds: nominal.uplink * 4 }, predicted(null), null);
    }
    assert.ok(Math.abs(correction.ratios!.uplink! - 2) < 1e-9);
  });

  it('learns nothing of a stage that was predicted to take no time, or for ever', () => {
    const correction = new Correction();
    const prediction = { ...predicted(null), uplinkSeconds: [0], downlinkSeconds: [Infinity] };
    const samples = correction.learn(
      { count: 1, uplinkSeconds: 1, downlinkSeconds: 1, edgeSeconds: 0.008, latencySeconds: 3 },
      prediction,
      null,
    );
    assert.deepEqual(samples, [{ stage: 'edge', ratio: 2 }]);
    assert.deepEqual(Object.keys(correction.ratios!), ['edge']);
  });

  it('stays within a factor of a thousand, so that no context goes out of range', () => {
    const correction = new Correction();
    for (let n = 0; n < 300; n++) correction.learn({ count: 1, edgeSeconds: 86_400 }, predicted(null), null);
    assert.ok(correction.ratios!.edge! > 999 && correction.ratios!.edge! <= 1_000);
  });
});
