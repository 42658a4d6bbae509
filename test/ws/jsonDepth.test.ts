import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { isDeeperThan } from '../../src/ws/jsonDepth.js';

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

describe('the depth of a JSON text', () => {
  it('is the one of the value that it stands for', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), fc.nat({ max: 7 }), (value, limit) => {
        // strings full of what looks like structure
        const text = JSON.stringify({ '[{"\\': value, text: '{[[[["\\"' });
        assert.equal(isDeeperThan(text, limit), 1 + depthOf(value) > limit);
      }),
    );
  });

  it('is seen at the first bracket too many, and never fails, whatever the text is', () => {
    assert.equal(isDeeperThan('['.repeat(100_000), 8), true);
    assert.equal(isDeeperThan(`"${'['.repeat(100)}`, 8), false);
    fc.assert(fc.property(fc.string(), (text) => typeof isDeeperThan(text, 3) === 'boolean'));
  });
});
