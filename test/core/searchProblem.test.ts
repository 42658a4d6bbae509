/** A problem as a search packs it, against the sums that it stands for, on rows as a search reads them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { boundedColumns } from '../../src/core/boundedColumns.js';
import { featureLayout, weightedSum } from '../../src/core/features.js';
import { measureOf, objectiveValue } from '../../src/core/objective.js';
import { assess, type Problem } from '../../src/core/problem.js';
import { SearchProblem } from '../../src/core/searchProblem.js';
import { searchRows } from '../../src/core/searchRows.js';
import { richContext } from '../support/graphs.js';

const maxDepth = 12;
const cases = fc.constantFrom(2, 3).chain((tierCount) => {
  const { length } = featureLayout(tierCount);
  const row = fc.array(fc.oneof(fc.constant(0), fc.double({ min: 0, max: 4, noNaN: true }), fc.nat(1e5)), {
    minLength: length,
    maxLength: length,
  });
  return fc.tuple(
    fc.constant(tierCount),
    fc.array(richContext(tierCount), { minLength: 1, maxLength: 6 }),
    fc.array(row, { minLength: 1, maxLength: 12 }),
  );
});

test('a packed problem gives values and verdicts to the last bit, one problem after the other', () => {
  const seen = { met: 0, broken: 0, staged: 0 };
  fc.assert(
    fc.property(cases, ([tierCount, contexts, drawn]) => {
      const layout = featureLayout(tierCount);
      const features = Float64Array.from(drawn.flat());
      const rows = searchRows(features, layout);
      const packed = new SearchProblem(layout, boundedColumns(layout).count);
      const values = new Float64Array(drawn.length);
      const expected = (
        { objective, constraints }: Pick<Problem, 'objective' | 'constraints'>,
        limit: number,
      ) =>
        drawn.map((_, row) => {
          const offset = row * layout.length;
          const meets = constraints.every((c) => weightedSum(c.weights, features, offset) <= c.limit);
          seen[meets ? 'met' : 'broken']++;
          const value = objectiveValue(objective, features, offset);
          return meets && value < limit ? value : Infinity;
        });
      for (const context of contexts) {
        const problem = assess(context, layout, maxDepth);
        if (problem.objective.stageWeight > 0) seen.staged++;
        const objectives = [problem.objective, ...problem.constraints.map(measureOf)];
        for (const objective of objectives) {
          packed.pack(objective, problem.constraints);
          packed.evaluate(rows, 0, drawn.length, values);
          const all = expected({ ...problem, objective }, Infinity);
          assert.deepEqual([...values], all);
          const limit = all.toSorted((a, b) => a - b)[all.length >> 1]!;
          packed.limit = limit;
          packed.evaluate(rows, 0, drawn.length, values);
          assert.deepEqual([...values], expected({ ...problem, objective }, limit));
        }
      }
    }),
    { numRuns: 300 },
  );
  for (const [what, count] of Object.entries(seen)) assert.ok(count > 100, `${what}: ${count}`);
});

test('more bounds than there is room for are refused', () => {
  const layout = featureLayout(2);
  const packed = new SearchProblem(layout, boundedColumns(layout).count);
  const { objective, constraints } = assess(
    { tiers: [{ freeStorageBytes: 5 }, {}], hops: [{}], requirements: { latencySeconds: 1 } },
    layout,
    maxDepth,
  );
  const [bound] = constraints.filter(({ name }) => name === 'tiers[0].weightBytes');
  const [sum] = constraints.filter(({ name }) => name === 'latencySeconds');
  assert.throws(() => packed.pack(objective, new Array(40).fill(bound!)), /more than 32 bounds/);
  assert.throws(() => packed.pack(objective, new Array(9).fill(sum!)), /more than 4 bounds on sums/);
});
