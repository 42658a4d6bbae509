/** Long computations in steps: what is decided between two of them changes nothing, and no step is long. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Context } from '../../src/core/context.js';
import { createPartitioner } from '../../src/core/createPartitioner.js';
import { exhaustive } from '../../src/core/exhaustive.js';
import { buildStateGraph } from '../../src/core/stateGraph.js';
import { finished, type Steps } from '../../src/core/steps.js';
import { richContext, richPartitionInput } from '../support/graphs.js';
import { chainsOnTwoTiers } from '../support/parallelChains.js';

const asked = richPartitionInput.chain((input) =>
  fc.tuple(
    fc.constant(input),
    richContext(input.tiers.length),
    fc.array(richContext(input.tiers.length), { minLength: 1, maxLength: 3 }),
  ),
);

/** Runs the steps with `between` after each. */
function interrupted<T>(steps: Steps<T>, between: (step: number) => void): { answer: T; count: number } {
  for (let count = 1; ; count++) {
    const step = steps.next();
    if (step.done) return { answer: step.value, count };
    between(count);
  }
}

for (const [kind, maxStates] of [
  ['held states', 100_000],
  ['minimum cuts', 0],
] as const) {
  test(`${kind}: decisions between the steps of a question and its answer leave each other alone`, () => {
    let interruptions = 0;
    fc.assert(
      fc.property(asked, ([input, now, others]) => {
        const states = buildStateGraph(input, maxStates);
        const [own, alone] = [createPartitioner(states, 400), createPartitioner(states, 400)];
        const decision = own.decide(now);
        const fresh = others.map((other) => alone.decide(other).objectiveValue);
        const undisturbed = createPartitioner(states, 400);
        const between = (step: number): void => {
          interruptions++;
          const i = step % others.length;
          const { objectiveValue } = own.decide(others[i]!);
          assert.ok(Math.abs(objectiveValue - fresh[i]!) <= 1e-9 * fresh[i]!, 'the decision in between');
        };
        const questions = [
          (p: typeof own) => p.ranges(now, decision),
          (p: typeof own) => p.alternatives(now, 5),
          (p: typeof own) => p.thorough(now, decision),
        ] as const;
        for (const question of questions) {
          const { answer } = interrupted<unknown>(question(own), between);
          assert.deepEqual(withoutWork(answer), withoutWork(finished<unknown>(question(undisturbed))));
        }
      }),
      { numRuns: 60 },
    );
    assert.ok(interruptions > 500, `${interruptions} interruptions`);
  });
}

/** A certificate of an earlier decision may spare the search of a later one: its work is no part of the answer. */
function withoutWork(answer: unknown): unknown {
  if (typeof answer !== 'object' || answer === null || !('statesVisited' in answer)) return answer;
  return { ...answer, statesVisited: 0, certified: false };
}

test('states are looked at in steps of a hundred or so', () => {
  fc.assert(
    fc.property(asked, ([input, now]) => {
      const partitioner = createPartitioner(buildStateGraph(input, 100_000));
      const { count } = interrupted(partitioner.alternatives(now, 3), () => undefined);
      assert.ok(count >= partitioner.stateCount / 128, `${count} steps for ${partitioner.stateCount} states`);
    }),
    { numRuns: 40 },
  );
});

test('with little work a gap is true; searched on from there, the cut is no worse and its gap true', () => {
  const seen = { shortExact: 0, thoroughExact: 0, feasible: 0 };
  fc.assert(
    fc.property(asked, ([input, now]) => {
      const partitioner = createPartitioner(buildStateGraph(input, 0), 1);
      const short = partitioner.decide(now);
      const thorough = finished(partitioner.thorough(now, short));
      const oracle = exhaustive(input, now, 1_000_000);
      if (oracle.violations.length > 0) return;
      seen.feasible++;
      for (const { optimality, objectiveValue, violations } of [short, thorough]) {
        if (violations.length > 0) {
          assert.deepEqual(optimality, { kind: 'bounded', gap: null });
          continue;
        }
        const gap = optimality.kind === 'exact' ? 0 : optimality.gap;
        assert.ok(
          gap === null || objectiveValue <= oracle.objectiveValue * (1 + gap) * (1 + 1e-8),
          `${objectiveValue}, ${oracle.objectiveValue}, gap ${gap}`,
        );
      }
      if (short.violations.length === 0) {
        assert.deepEqual(thorough.violations, []);
        assert.ok(thorough.objectiveValue <= short.objectiveValue * (1 + 1e-12));
      }
      if (short.optimality.kind === 'exact') seen.shortExact++;
      if (thorough.optimality.kind === 'exact') seen.thoroughExact++;
    }),
    { numRuns: 300 },
  );
  const { feasible, shortExact, thoroughExact } = seen;
  assert.ok(thoroughExact >= 0.95 * feasible, JSON.stringify(seen));
  assert.ok(shortExact < thoroughExact, JSON.stringify(seen));
});

test('the work of a decision on 20 chains of 20 layers is what was stated, and the search goes on from its gap', () => {
  const input = chainsOnTwoTiers(20, 20);
  const hop = { uplinkBitsPerSecond: 2e7, downlinkBitsPerSecond: 1e8, rttSeconds: 0.005 };
  const free: Context = { tiers: [{}, {}], hops: [hop], requirements: {} };
  const partitioner = createPartitioner(buildStateGraph(input, 1_000), 6_000);
  const weights = partitioner.decide(free).prediction.weightBytes[0]!;
  const bounded = { ...free, requirements: { weightBytes: [weights * 0.6] } };
  const short = partitioner.decide(bounded);
  const { answer: thorough, count } = interrupted(partitioner.thorough(bounded, short), () => undefined);
  // 6,000 are 15 flows on 400 layers, with five placements to begin with and at most one found per flow
  assert.ok(short.statesVisited <= 15 * 6 + 20, `${short.statesVisited} placements`);
  assert.ok(thorough.statesVisited > 3 * short.statesVisited, `${thorough.statesVisited} placements`);
  assert.ok(count > 50, `${count} steps`);
  assert.deepEqual([short.violations, thorough.violations], [[], []]);
  assert.ok(short.optimality.kind === 'bounded' && short.optimality.gap! < 0.2);
  assert.ok(thorough.optimality.kind === 'exact' || thorough.optimality.gap! < short.optimality.gap!);
});
