import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Context } from '../../../src/core/context.js';
import { createPartitioner } from '../../../src/core/createPartitioner.js';
import { defaultParameters } from '../../../src/core/policy/parameters.js';
import { policyNames, ReplayBench } from '../../../src/core/replay/comparison.js';
import { hindsight } from '../../../src/core/replay/hindsight.js';
import { buildStateGraph, type PartitionInput } from '../../../src/core/stateGraph.js';
import { partitionInput } from '../../support/graphs.js';

const unansweredSeconds = 1;

function benchOf(input: PartitionInput, maxStates = 100_000): ReplayBench {
  const states = buildStateGraph(input, maxStates);
  return new ReplayBench(input, states, createPartitioner(states));
}

/** Links that walk, stall and jump; a rate that is null was not measured. */
const link = fc.array(
  fc.oneof(
    { arbitrary: fc.double({ min: 4, max: 9, noNaN: true }).map((power) => 10 ** power), weight: 8 },
    fc.constantFrom(0, null),
  ),
  { minLength: 1, maxLength: 25 },
);

const contextsOf = (rates: readonly (number | null)[]): Context[] =>
  rates.map((rate) => ({
    tiers: [{ slowdown: 1 }, { slowdown: 1 }],
    hops: [
      {
        uplinkBitsPerSecond: rate ?? undefined,
        downlinkBitsPerSecond: rate === null ? undefined : rate * 3,
        rttSeconds: 0.02,
        queueSeconds: 0,
      },
    ],
    requirements: {},
  }));

/** Contexts in which weights on each tier are bounded to a share of all. */
const bounded = (
  contexts: readonly Context[],
  input: PartitionInput,
  shares: readonly number[],
): Context[] => {
  const all = input.graph.layers.reduce((sum, { weightBytes }) => sum + weightBytes, 0);
  return contexts.map((context) => ({
    ...context,
    requirements: { weightBytes: shares.map((s) => s * all) },
  }));
};

test('who breaks what the clairvoyant keeps has no regret; all others are above it, with states held and without', () => {
  let [without, withRegret] = [0, 0];
  const share = fc.constantFrom(0, 0.4, 0.8, 1);
  fc.assert(
    fc.property(
      partitionInput,
      link,
      fc.tuple(share, share),
      fc.constantFrom(1, 100_000),
      (input, rates, shares, maxStates) => {
        const bench = benchOf(input, maxStates);
        const contexts = bounded(contextsOf(rates), input, shares);
        const rules = { switchSeconds: 0.05, unansweredSeconds, chargeFirstCut: false };
        const table = bench.table(contexts, rules);
        const { runs, clairvoyantSeconds, promises } = bench.compare(
          contexts,
          table,
          rules,
          defaultParameters,
        );
        const weightBytes = input.graph.layers.reduce((sum, layer) => sum + layer.weightBytes, 0);
        const onDevice = weightBytes > shares[0] * weightBytes;
        assert.equal(promises!.deviceOnly === null, table.keepsFixed && onDevice);
        for (const { name, figures, steps } of runs) {
          const breaks = steps.some(({ placement }) =>
            [0, 1].some((tier) => {
              const on = input.graph.layers.filter((_, v) => placement[v] === tier);
              return on.reduce((sum, layer) => sum + layer.weightBytes, 0) > shares[tier]! * weightBytes;
            }),
          );
          assert.equal(figures.regret === null, table.keepsFixed && breaks, name);
          if (figures.regret === null) without++;
          else if (table.isExact) {
            withRegret++;
            assert.ok(figures.totalSeconds >= clairvoyantSeconds * (1 - 1e-9), name);
          }
        }
      },
    ),
    { numRuns: 60 },
  );
  assert.ok(without > 20 && withRegret > 20, `${without} runs without a regret, ${withRegret} with one`);
});

const switchCost = fc.constantFrom(0, 0.001, 0.05, 0.6, 6);

test('the clairvoyant is a lower bound for every policy, and the best static cut for the two fixed ones', () => {
  fc.assert(
    fc.property(partitionInput, link, switchCost, fc.boolean(), (input, rates, switchSeconds, charge) => {
      const bench = benchOf(input);
      const contexts = contextsOf(rates);
      const rules = { switchSeconds, unansweredSeconds, chargeFirstCut: charge };
      const result = bench.compare(contexts, bench.table(contexts, rules), rules, defaultParameters);
      assert.ok(result.isHindsightExact);
      const total = new Map(result.runs.map(({ name, figures }) => [name, figures.totalSeconds]));
      const slack = 1e-9 * (1 + result.clairvoyantSeconds);
      for (const [name, seconds] of total) {
        assert.ok(seconds >= result.clairvoyantSeconds - slack, `${name} ${seconds}`);
      }
      assert.ok(Math.abs(total.get('clairvoyant')! - result.clairvoyantSeconds) <= slack);
      const best = total.get('best-static')!;
      assert.ok(best <= total.get('device-only')! + slack && best <= total.get('edge-only')! + slack);
      // What the totals are made of.
      for (const { steps, figures } of result.runs) {
        assert.equal(steps.filter((step) => step.paid).length, figures.switches);
        assert.equal(steps.length, contexts.length);
      }
    }),
    { numRuns: 150 },
  );
});

test('the clairvoyant equals the best of all sequences of cuts', () => {
  const short = fc.array(
    fc.array(fc.double({ min: 0, max: 5, noNaN: true }), { minLength: 3, maxLength: 3 }),
    {
      minLength: 1,
      maxLength: 5,
    },
  );
  fc.assert(
    fc.property(short, switchCost, (costs, switchSeconds) => {
      const table = {
        steps: costs.length,
        cuts: 3,
        seconds: Float64Array.from(costs.flat()),
        placementOf: (cut: number) => [cut],
        isExact: true,
        keepsFixed: true,
      };
      let best = Infinity;
      const walk = (step: number, cut: number, total: number): void => {
        if (step === costs.length) {
          best = Math.min(best, total);
          return;
        }
        for (let next = 0; next < 3; next++) {
          const price = step > 0 && next !== cut ? switchSeconds : 0;
          walk(step + 1, next, total + price + costs[step]![next]!);
        }
      };
      walk(0, -1, 0);
      const { clairvoyant } = hindsight(table, switchSeconds);
      assert.ok(Math.abs(clairvoyant.totalSeconds - best) < 1e-9);
      // The schedule that it tells costs what it says.
      const told = clairvoyant.schedule.reduce((sum, placement, i) => {
        const before = clairvoyant.schedule[i - 1];
        const price = before && before[0] !== placement[0] ? switchSeconds : 0;
        return sum + price + costs[i]![placement[0]!]!;
      }, 0);
      assert.ok(Math.abs(told - best) < 1e-9);
    }),
    { numRuns: 300 },
  );
});

test('a replay of the same is the same', () => {
  fc.assert(
    fc.property(partitionInput, link, switchCost, (input, rates, switchSeconds) => {
      const rules = { switchSeconds, unansweredSeconds, chargeFirstCut: false };
      const play = () => {
        const bench = benchOf(input);
        const contexts = contextsOf(rates);
        return bench.compare(contexts, bench.table(contexts, rules), rules, defaultParameters);
      };
      assert.deepEqual(play(), play());
    }),
    { numRuns: 30 },
  );
});

test('a policy knows only the past: what comes later changes nothing before', () => {
  fc.assert(
    fc.property(partitionInput, link, link, switchCost, (input, rates, others, switchSeconds) => {
      const rules = { switchSeconds, unansweredSeconds, chargeFirstCut: false };
      const bench = benchOf(input);
      const play = (some: readonly (number | null)[]) => {
        const contexts = contextsOf(some);
        const names = ['default', 'follow', 'recut', 'dads', 'neurosurgeon'] as const;
        return bench.compare(contexts, bench.table(contexts, rules), rules, defaultParameters, names).runs;
      };
      const whole = play([...rates, ...others]);
      play(rates).forEach(({ steps }, i) => assert.deepEqual(whole[i]!.steps.slice(0, rates.length), steps));
    }),
    { numRuns: 40 },
  );
});

test('states that are not held still get a replay, which says that hindsight is no bound', () => {
  fc.assert(
    fc.property(partitionInput, link, (input, rates) => {
      const rules = { switchSeconds: 0.05, unansweredSeconds, chargeFirstCut: false };
      const bench = benchOf(input, 1);
      const contexts = contextsOf(rates);
      const result = bench.compare(contexts, bench.table(contexts, rules), rules, defaultParameters);
      assert.equal(result.runs.length, policyNames.length);
      assert.equal(result.isHindsightExact, false);
    }),
    { numRuns: 20 },
  );
});
