import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { tensorSeed, uniformBytes } from '../../src/zoo/fill.js';

const values = (seed: number, count: number, low: number, high: number) => {
  const bytes = Buffer.concat([...uniformBytes(seed, count, { low, high, constant: 0 })]);
  return Array.from({ length: bytes.length / 4 }, (_, at) => bytes.readFloatLE(4 * at));
};

test('values lie in the range asked for, and fill it evenly', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 2 ** 32 - 1 }),
      fc.double({ min: 0.01, max: 10, noNaN: true }),
      (seed, width) => {
        const drawn = values(seed, 4000, -width, 3 * width);
        // float32 rounds the bounds themselves.
        assert.ok(drawn.every((value) => value >= Math.fround(-width) && value <= Math.fround(3 * width)));
        const quarters = [0, 0, 0, 0];
        for (const value of drawn) quarters[Math.min(3, Math.floor((value + width) / width))]! += 1;
        // 1,000 expected, standard deviation 27: eight of them.
        for (const quarter of quarters) assert.ok(Math.abs(quarter - 1000) < 220, quarters.join(' '));
      },
    ),
    { numRuns: 50, seed: 1 },
  );
});

test('more than one block is one series without repetition', () => {
  const elements = (1 << 20) + 1000;
  const blocks = [...uniformBytes(9, elements, { low: 0, high: 1, constant: 0 })];
  assert.deepEqual(
    blocks.map((block) => block.length),
    [4 << 20, 4000],
  );
  const first = Buffer.from(blocks[0]!.subarray(0, 4000));
  assert.ok(!first.equals(Buffer.from(blocks[1]!)));
});

test('every tensor of a network, and every network seed, has a series of its own', () => {
  const names = Array.from({ length: 2000 }, (_, at) => `layer${at % 50}.${Math.floor(at / 50)}.weight`);
  const seeds = [0, 1, 2].flatMap((seed) => names.map((name) => tensorSeed(seed, name)));
  // 6,000 of 2^32: one pair in collision would be luck, ten a fault.
  assert.ok(new Set(seeds).size > seeds.length - 10);
});
