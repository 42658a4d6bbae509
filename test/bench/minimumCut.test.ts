/** The oracle of what cannot be listed, held against trying every placement where these are few. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MinimumCut } from '../../bench/search/minimumCut.js';
import type { Context } from '../../src/core/context.js';
import { exhaustive } from '../../src/core/exhaustive.js';
import { assess } from '../../src/core/problem.js';
import { buildStateGraph } from '../../src/core/stateGraph.js';
import { richContext, richPartitionInput } from '../support/graphs.js';

const near = (a: number, b: number): boolean =>
  a === b || Math.abs(a - b) <= 1e-9 * Math.max(Math.abs(a), Math.abs(b));

/** Sums alone, nothing bounded. */
const objective = fc.constantFrom('latency' as const, 'energy' as const, {
  perLatencySecond: 1,
  perEnergyJoule: 0.2,
});
/** Uplinks that carry a tensor in about the time of a layer, and tiers that are the faster the higher: cuts in the middle often win. */
const balanced = (tierCount: number): fc.Arbitrary<Pick<Context, 'tiers' | 'hops'>> => {
  const factor = (range: number): fc.Arbitrary<number> =>
    fc.double({ min: 0, max: Math.log(range), noNaN: true }).map(Math.exp);
  return fc.record({
    tiers: fc
      .array(factor(4), { minLength: tierCount, maxLength: tierCount })
      .map((factors) => factors.map((each, t) => ({ slowdown: each * 8 * 0.1 ** t }))),
    hops: fc.array(
      fc.tuple(factor(1000), factor(100), factor(10)).map(([up, down, rtt]) => ({
        uplinkBitsPerSecond: 3e7 * up,
        downlinkBitsPerSecond: 1e9 * down,
        rttSeconds: 1e-4 * rtt,
      })),
      { minLength: tierCount - 1, maxLength: tierCount - 1 },
    ),
  });
};
const cases = richPartitionInput
  .filter(({ encodings }) => encodings === undefined)
  .chain((input) => {
    const count = input.tiers.length;
    const links = fc.oneof({ arbitrary: balanced(count), weight: 3 }, richContext(count));
    const free = fc
      .tuple(links, richContext(count), objective)
      .map(([{ tiers, hops }, { power }, wanted]): Context => ({
        tiers: tiers.map(({ slowdown }) => ({ slowdown })),
        hops,
        power,
        requirements: { objective: wanted },
      }));
    return fc.tuple(fc.constant(input), fc.array(free, { minLength: 6, maxLength: 6 }));
  });

test('one minimum cut finds the least sum over all placements, on two and three tiers', () => {
  const seen = { two: 0, three: 0, middle: 0, blocked: 0 };
  fc.assert(
    fc.property(cases, ([input, contexts]) => {
      // no state may be held: the oracle is for what is not
      const states = buildStateGraph(input, 0);
      const oracle = new MinimumCut(states);
      for (const context of contexts) {
        const problem = assess(context, states.layout, states.facts.maxDepth);
        const tried = exhaustive(input, context, 100_000);
        const found = oracle.least(problem);
        assert.ok(near(found, tried.objectiveValue), `${found} found, ${tried.objectiveValue} is least`);
        if (input.tiers.length === 2) seen.two++;
        else seen.three++;
        if (new Set(tried.placement).size === input.tiers.length) seen.middle++;
        if (problem.hopUsable.includes(false)) seen.blocked++;
      }
    }),
    { numRuns: 250 },
  );
  for (const [what, count] of Object.entries(seen)) assert.ok(count > 30, `${what}: ${count}`);
});

test('what it cannot judge it refuses, by name', () => {
  const [input, [context]] = fc.sample(cases, 1)[0]!;
  const states = buildStateGraph(input, 0);
  const oracle = new MinimumCut(states);
  const asked = (requirements: Context['requirements']) => () =>
    oracle.least(assess({ ...context!, requirements }, states.layout, states.facts.maxDepth));
  assert.throws(asked({ objective: 'throughput' }), /objective: a bottleneck is no sum/);
  assert.throws(asked({ latencySeconds: 1 }), /latencySeconds: this oracle knows no bounds/);
});
