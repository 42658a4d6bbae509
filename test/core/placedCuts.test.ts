/** Cuts handed back from outside: found again by what they are, and costed with the encoding that they have. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createPartitioner } from '../../src/core/createPartitioner.js';
import type { Decision } from '../../src/core/decision.js';
import { exhaustive } from '../../src/core/exhaustive.js';
import { buildStateGraph, placementOfState } from '../../src/core/stateGraph.js';
import { maskOf, stateWithMask } from '../../src/core/stateIndex.js';
import { finished } from '../../src/core/steps.js';
import { richContext, richPartitionInput } from '../support/graphs.js';

test('every held state is found by its placement and encoding, and no other', () => {
  fc.assert(
    fc.property(richPartitionInput, fc.nat(), (input, seed) => {
      const states = buildStateGraph(input, 100_000);
      const held = states.held!;
      const known = new Set<string>();
      for (let state = 0; state < held.count; state++) {
        const { placement, encoding } = placementOfState(states, held, state);
        known.add(`${placement.join()}:${encoding}`);
        assert.equal(stateWithMask(held, maskOf(placement, input.tiers.length, encoding)), state);
      }
      for (let i = 0; i < 20; i++) {
        const tiers = input.graph.layers.map(
          (_, v) => ((seed + i * 7 + v * (i + 3)) >>> 2) % input.tiers.length,
        );
        const found = stateWithMask(held, maskOf(tiers, input.tiers.length, 0));
        assert.equal(found >= 0, known.has(`${tiers.join()}:0`));
      }
    }),
    { numRuns: 60 },
  );
});

/** With two encodings or three. */
const encoded = richPartitionInput.filter(({ encodings }) => encodings !== undefined);

test('a decision that went through JSON is the same decision, with its encoding', () => {
  let several = 0;
  fc.assert(
    fc.property(
      encoded.chain((input) =>
        fc.tuple(fc.constant(input), richContext(input.tiers.length), richContext(input.tiers.length)),
      ),
      ([input, now, next]) => {
        const states = buildStateGraph(input, 100_000);
        const [own, other] = [createPartitioner(states), createPartitioner(states)];
        const decision = own.decide(now);
        const copy = JSON.parse(JSON.stringify(decision)) as Decision;
        if (decision.encoding !== states.encodings[0]!.name) several++;
        other.decide(now);
        assert.deepEqual(finished(other.ranges(now, copy)), finished(own.ranges(now, decision)));
        // the same start, so the same way
        assert.equal(other.decide(next, copy).statesVisited, own.decide(next, decision).statesVisited);
      },
    ),
    { numRuns: 120 },
  );
  assert.ok(several > 1, `${several} decisions did not send tensors as they are`);
});

test('a prediction takes the encoding that is named, or the best where none is', () => {
  let several = 0;
  fc.assert(
    fc.property(
      encoded.chain((input) =>
        fc.tuple(fc.constant(input), richContext(input.tiers.length), fc.constantFrom(1, 100_000)),
      ),
      ([input, now, maxStates]) => {
        const partitioner = createPartitioner(buildStateGraph(input, maxStates));
        const oracle = exhaustive(input, now, 100_000);
        const copy = [...oracle.placement];
        const { algorithm, optimality, statesVisited, certified, assumed, notJudged, ...expected } = oracle;
        assert.equal(algorithm, 'exhaustive');
        assert.deepEqual(partitioner.predict(now, copy, oracle.encoding), expected);
        assert.deepEqual(partitioner.predict(now, copy), expected);
        for (const encoding of input.encodings ?? []) {
          const alone = partitioner.predict(now, copy, encoding.name);
          assert.equal(alone.encoding, encoding.name);
          if (alone.objectiveValue !== oracle.objectiveValue) several++;
        }
        assert.throws(() => partitioner.predict(now, copy, 'none such'), /none such/);
      },
    ),
    { numRuns: 60 },
  );
  assert.ok(several > 5, `${several} encodings made a difference`);
});
