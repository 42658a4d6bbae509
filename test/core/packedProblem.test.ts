/** A packed problem against the sums that it stands for. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { featureLayout, weightedSum } from '../../src/core/features.js';
import { objectiveValue } from '../../src/core/objective.js';
import { PackedProblem } from '../../src/core/packedProblem.js';

const width = featureLayout(3).length;
const amount = fc.double({ min: 0, max: 1e6, noNaN: true });
const dense = fc.array(fc.oneof({ arbitrary: fc.constant(0), weight: 2 }, amount), {
  minLength: width,
  maxLength: width,
});
/** As most bounds and all stages of a pipeline are: one feature, or none. */
const single = fc.tuple(fc.nat({ max: width - 1 }), fc.oneof(fc.constant(0), amount)).map(([at, weight]) => {
  const weights = new Array<number>(width).fill(0);
  weights[at] = weight;
  return weights;
});
const weights = fc.oneof(dense, single).map((values) => Float64Array.from(values));
const objective = fc
  .tuple(weights, fc.constantFrom(0, 0, 0.5, 2), fc.oneof(fc.array(weights), fc.array(single)))
  .map(([linear, stageWeight, stages]) => ({
    linear,
    stageWeight,
    stages: stages.slice(0, 8).map((stage) => Float64Array.from(stage)),
  }));
const constraints = fc.array(
  fc
    .record({ name: fc.constant('bytesSent' as const), weights, limit: fc.oneof(amount, fc.constant(1e12)) })
    .map((bound) => ({ ...bound, asked: bound.limit })),
  { maxLength: 8 },
);

test('a packed problem gives values and verdicts to the last bit, one problem after the other', () => {
  let met = 0;
  let broken = 0;
  fc.assert(
    fc.property(
      fc.array(fc.tuple(objective, constraints), { minLength: 1 }),
      fc.array(dense),
      (problems, rows) => {
        const packed = new PackedProblem(width, 16);
        for (const [wanted, bounds] of problems) {
          packed.pack(wanted, bounds);
          for (const row of rows) {
            const features = Float64Array.from([7, ...row]);
            assert.equal(packed.value(features, 1), objectiveValue(wanted, features, 1));
            const meets = bounds.every((c) => weightedSum(c.weights, features, 1) <= c.limit);
            assert.equal(packed.meets(features, 1), meets);
            if (meets) met++;
            else broken++;
          }
        }
      },
    ),
    { numRuns: 300 },
  );
  assert.ok(met > 100 && broken > 100, `${met} met all bounds, ${broken} broke one`);
});

test('more sums than there is room for are refused', () => {
  const none = new Float64Array(width);
  const bound = { name: 'bytesSent', weights: none, asked: 1, limit: 1 } as const;
  const packed = new PackedProblem(width, 2);
  assert.throws(
    () => packed.pack({ linear: none, stageWeight: 0, stages: [] }, [bound, bound, bound]),
    /3 stages and constraints, at most 2/,
  );
});
