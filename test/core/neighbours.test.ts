/** The edges of the partition state graph against their definition, move by move. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { checkPlacement, featuresOfPlacement } from '../../src/core/cut.js';
import { rawEncoding } from '../../src/core/encoding.js';
import { neighboursOf } from '../../src/core/neighbours.js';
import { buildStateGraph, placementOfState, type StateGraph } from '../../src/core/stateGraph.js';
import { maskOf, stateWithMask } from '../../src/core/stateIndex.js';
import { richPartitionInput } from '../support/graphs.js';

/** The valid placements in which one layer runs a tier higher or lower. */
function movesFrom({ topology, tiers }: StateGraph, placement: readonly number[]): number[][] {
  return placement.flatMap((tier, v) =>
    [tier - 1, tier + 1]
      .map((moved) => placement.map((own, u) => (u === v ? moved : own)))
      .filter((moved) => {
        try {
          checkPlacement(moved, topology, tiers.length);
          return true;
        } catch (error) {
          assert.ok(error instanceof RangeError);
          return false;
        }
      }),
  );
}

test('neighbours are the states that one move leads to, or that dominate these', () => {
  const seen = { kept: 0, pruned: 0 };
  fc.assert(
    fc.property(
      richPartitionInput.filter(({ encodings }) => encodings === undefined),
      (input) => {
        const states = buildStateGraph(input, 100_000);
        const { layout, facts, graph, tiers } = states;
        const held = states.held!;
        const { start, neighbours } = neighboursOf(states);
        assert.equal(start.length, held.count + 1);
        assert.equal(start[held.count], neighbours.length);
        const encoding = rawEncoding(graph);
        for (let state = 0; state < held.count; state++) {
          const { placement } = placementOfState(states, held, state);
          const found = [...neighbours.subarray(start[state], start[state + 1])];
          assert.equal(new Set(found).size, found.length, 'each once');
          assert.ok(!found.includes(state), 'none is its own neighbour');
          const moves = movesFrom(states, placement);
          assert.ok(found.length <= moves.length);
          for (const move of moves) {
            const kept = stateWithMask(held, maskOf(move, tiers.length, 0));
            if (kept >= 0) {
              seen.kept++;
              assert.ok(found.includes(kept), `${placement.join()} → ${move.join()}`);
              continue;
            }
            seen.pruned++;
            const moved = featuresOfPlacement(graph, tiers, facts, layout, move, encoding);
            const dominates = (other: number): boolean =>
              moved.every((value, f) => held.features[other * layout.length + f]! <= value * (1 + 1e-12));
            assert.ok([state, ...found].some(dominates), `${placement.join()} → ${move.join()}, pruned`);
          }
        }
      },
    ),
    { numRuns: 150 },
  );
  for (const [what, count] of Object.entries(seen)) assert.ok(count > 0, `${what}: ${count}`);
});

test('states that are not held have no edges to be made', () => {
  const [input] = fc.sample(richPartitionInput, 1);
  assert.throws(() => neighboursOf(buildStateGraph(input!, 0)), /its states are not held/);
});
