/** Support states against all states: whatever the weights, one of the few is the best of all. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { weightedSum } from '../../src/core/features.js';
import { Gads } from '../../src/core/gads.js';
import { linearObjective } from '../../src/core/objective.js';
import { buildStateGraph, type HeldStates } from '../../src/core/stateGraph.js';
import { chain, tierOf } from '../support/chain.js';
import { richPartitionInput } from '../support/graphs.js';

/** Weights over many orders of magnitude, 0 now and then. */
const weight = fc.oneof(
  { arbitrary: fc.double({ min: -25, max: 25, noNaN: true }).map(Math.exp), weight: 6 },
  { arbitrary: fc.constant(0), weight: 1 },
);

function leastOfAll({ features, count }: HeldStates, weights: Float64Array): number {
  let least = Infinity;
  for (let s = 0; s < count; s++)
    least = Math.min(least, weightedSum(weights, features, (s * features.length) / count));
  return least;
}

test('one of the support states is the best for any weights of the priced features', () => {
  fc.assert(
    fc.property(
      richPartitionInput,
      fc.array(fc.array(weight, { minLength: 9, maxLength: 9 }), { minLength: 8 }),
      (input, draws) => {
        const { held, layout } = buildStateGraph(input, 100_000);
        const { rows, states } = held!.support!;
        assert.equal(rows.length, states.length * layout.weights);
        states.forEach((state, i) => {
          const row = held!.features.subarray(state * layout.length, state * layout.length + layout.weights);
          assert.deepEqual(rows.subarray(i * layout.weights, (i + 1) * layout.weights), row);
        });
        for (const draw of draws) {
          const weights = Float64Array.from(draw.slice(0, layout.weights));
          const least = leastOfAll(held!, weights);
          let found = Infinity;
          for (let i = 0; i < states.length; i++)
            found = Math.min(found, weightedSum(weights, rows, i * layout.weights));
          assert.ok(found <= least * (1 + 1e-11), `${found} is not ${least}`);
        }
      },
    ),
    { numRuns: 300 },
  );
});

test('of a chain only the valleys that no mix of others beats are support states', () => {
  // Of the last valley (90 bytes after 8 layers) a third of the one before and two thirds of device-only send fewer.
  const bytes = [900, 500, 700, 300, 650, 600, 100, 400, 90];
  const tiers = [5, 1].map((seconds) => tierOf(bytes.map(() => seconds)));
  const { held, layout } = buildStateGraph({ graph: chain([...bytes, 0]), tiers }, 1000);
  const sent = [...held!.support!.states].map(
    (state) => held!.features[state * layout.length + layout.bytesUp],
  );
  assert.deepEqual(
    sent.sort((a, b) => a! - b!),
    [0, 100, 300, 500, 900],
  );
});

test('without bounds a search looks at the support states alone, and keeps the present state against equals', () => {
  fc.assert(
    fc.property(
      richPartitionInput,
      fc.array(weight, { minLength: 9, maxLength: 9 }),
      fc.nat(),
      (input, draw, pick) => {
        const { held, layout } = buildStateGraph(input, 100_000);
        const weights = new Float64Array(layout.length);
        weights.set(draw.slice(0, layout.weights));
        const gads = new Gads(held!);
        const objective = linearObjective(weights);
        const best = gads.search(objective, [], -1);
        assert.equal(gads.visited, held!.support!.states.length);
        const present = pick % held!.count;
        const kept = gads.search(objective, [], present);
        assert.equal(kept === present, gads.valueOf(objective, present) <= gads.valueOf(objective, best));
      },
    ),
    { numRuns: 200 },
  );
});
