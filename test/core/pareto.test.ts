/** Pruning against the definition of dominance, and the tree that searches go down, against minima taken anew. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { buildBoundTree, leafStart } from '../../src/core/boundTree.js';
import { dominators } from '../../src/core/pareto.js';

const width = 5;
/** Few different values, so that rows dominate and equal each other often. */
const free = fc.oneof(fc.nat(4), fc.constantFrom(0.5, 1.5));
/** Two columns that add up to `total` (whole or not) in every row, then three free ones. */
const balancedRows = fc
  .tuple(
    fc.constantFrom(0, 1, 6, 6.5),
    fc.array(fc.tuple(fc.nat(3), free, free, free), { minLength: 1, maxLength: 120, size: 'max' }),
  )
  .map(([total, draws]) =>
    draws.map(([part, ...others]) => [Math.min(part, total), total - Math.min(part, total), ...others]),
  );
const unbalancedRows = fc.array(fc.array(free, { minLength: width, maxLength: width }), {
  minLength: 1,
  maxLength: 120,
  size: 'max',
});

test('a row goes exactly where another is no worse in every feature, and its place is taken by a kept one', () => {
  const seen = { kept: 0, gone: 0 };
  fc.assert(
    fc.property(fc.oneof(balancedRows, unbalancedRows), fc.constantFrom(0, 2), (rows, end) => {
      const found = dominators(Float64Array.from(rows.flat()), width, { first: 0, end });
      const beats = (other: number, row: number): boolean =>
        rows[other]!.every((value, f) => value <= rows[row]![f]!) &&
        (other < row || rows[other]!.some((value, f) => value < rows[row]![f]!));
      rows.forEach((_, row) => {
        const isBeaten = rows.some((__, other) => other !== row && beats(other, row));
        assert.equal(found[row] !== row, isBeaten, `row ${row}`);
        seen[isBeaten ? 'gone' : 'kept']++;
        assert.equal(found[found[row]!], found[row], 'what stands for it is kept');
        if (isBeaten) assert.ok(beats(found[row]!, row), `row ${found[row]} does not dominate ${row}`);
      });
    }),
    { numRuns: 300 },
  );
  assert.ok(seen.kept > 1000 && seen.gone > 1000, JSON.stringify(seen));
});

test('a bound tree holds each row in one leaf, and at each node the least of what is below', () => {
  fc.assert(
    fc.property(
      unbalancedRows,
      fc.constantFrom('spread', 'corners'),
      fc.integer({ min: 1, max: 9 }),
      fc.option(fc.record({ feature: fc.nat({ max: width - 1 }), downTo: fc.nat({ max: 20 }) }), {
        nil: undefined,
      }),
      (rows, split, statesPerLeaf, given) => {
        const { tree, order } = buildBoundTree(Float64Array.from(rows.flat()), width, {
          statesPerLeaf,
          split,
          ...(given === undefined ? {} : { upper: given }),
        });
        assert.deepEqual(
          [...order].sort((a, b) => a - b),
          rows.map((_, row) => row),
        );
        assert.ok(Math.ceil(rows.length / tree.leafCount) <= statesPerLeaf);
        for (let node = 1; node < 2 * tree.leafCount; node++) {
          let [first, last] = [node, node];
          while (first < tree.leafCount) [first, last] = [2 * first, 2 * last + 1];
          const below = [...order].slice(
            leafStart(first - tree.leafCount, tree.leafCount, rows.length),
            leafStart(last - tree.leafCount + 1, tree.leafCount, rows.length),
          );
          const halves = node < tree.leafCount && given !== undefined && below.length > given.downTo;
          if (halves && below.length > 1) {
            const at = below.map((row) => rows[row]![given.feature]!);
            const middle =
              leafStart((last + first + 1) / 2 - tree.leafCount, tree.leafCount, rows.length) -
              leafStart(first - tree.leafCount, tree.leafCount, rows.length);
            assert.ok(
              Math.max(...at.slice(0, middle)) <= Math.min(...at.slice(middle)),
              `node ${node} is halved`,
            );
          }
          for (let f = 0; f < width; f++) {
            const least = Math.min(...below.map((row) => rows[row]![f]!));
            assert.equal(tree.corners[node * width + f], least, `node ${node}, feature ${f}`);
          }
        }
      },
    ),
    { numRuns: 200 },
  );
});

test('halves by corners bound a diagonal more tightly than its widest feature does', () => {
  // Two features that trade against each other in steps, and a wide one that says nothing.
  const rows = Array.from({ length: 256 }, (_, i) => [i, 255 - i, (i * 97) % 256, 0, 0]);
  const cornerSum = (split: 'spread' | 'corners'): number => {
    const features = Float64Array.from(rows.flat());
    const { tree } = buildBoundTree(features, width, { statesPerLeaf: 4, split });
    let sum = 0;
    for (let leaf = tree.leafCount; leaf < 2 * tree.leafCount; leaf++) {
      sum += tree.corners[leaf * width]! + tree.corners[leaf * width + 1]!;
    }
    return sum / tree.leafCount;
  };
  assert.ok(
    cornerSum('corners') > 1.05 * cornerSum('spread'),
    `${cornerSum('corners')}, ${cornerSum('spread')}`,
  );
});
