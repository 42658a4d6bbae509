import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createModelLink, linkKinds, type LinkKind } from '../../src/demo/bandwidthModel.js';
import type { LinkSample } from '../../src/demo/link.js';

function samples(kind: LinkKind, seed: number, count: number): LinkSample[] {
  const link = createModelLink(kind, seed);
  return Array.from({ length: count }, () => link.advance(1));
}

test('a seed fixes the link, another seed changes it', () => {
  for (const kind of linkKinds) {
    assert.deepEqual(samples(kind, 7, 200), samples(kind, 7, 200));
    assert.notDeepEqual(samples(kind, 7, 200), samples(kind, 8, 200));
  }
});

test('rates and round trips are measured, positive and in the range of radio links', () => {
  for (const kind of linkKinds) {
    for (const sample of samples(kind, 3, 2000)) {
      assert.ok(sample.uplinkBitsPerSecond! >= 50_000 && sample.uplinkBitsPerSecond! <= 1e9);
      assert.ok(sample.downlinkBitsPerSecond! >= 50_000 && sample.downlinkBitsPerSecond! <= 1e9);
      assert.ok(sample.rttSeconds! > 0.001 && sample.rttSeconds! < 3, `${kind} ${sample.rttSeconds}`);
    }
  }
});

test('consecutive seconds differ as often as in public recordings', () => {
  const expected: Record<LinkKind, readonly [number, number]> = {
    lte: [0.39, 0.64],
    wifi: [0.14, 0.37],
    '5g-drive': [0.39, 0.64],
  };
  for (const kind of linkKinds) {
    const rates = samples(kind, 11, 20_000).map((sample) => sample.uplinkBitsPerSecond!);
    const moved = rates.filter((rate, i) => i > 0 && Math.abs(rate / rates[i - 1]! - 1) > 0.2).length;
    const share = moved / (rates.length - 1);
    const [low, high] = expected[kind];
    assert.ok(
      share >= low && share <= high,
      `${kind}: ${share.toFixed(3)} of the seconds differ by over 20 %`,
    );
  }
});
