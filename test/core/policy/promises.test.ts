/** The promises of the default policy on made-up links; on recorded ones they are measured (docs/policy.md). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Context } from '../../../src/core/context.js';
import { createPartitioner } from '../../../src/core/createPartitioner.js';
import { defaultParameters } from '../../../src/core/policy/parameters.js';
import { ReplayBench, type Comparison } from '../../../src/core/replay/comparison.js';
import { buildStateGraph } from '../../../src/core/stateGraph.js';
import { graph, tierOf } from './chain.js';

const input = { graph, tiers: [tierOf(0.1), tierOf(0.01)] };
const states = buildStateGraph(input, 1000);
const bench = new ReplayBench(input, states, createPartitioner(states));

const context = (uplinkBitsPerSecond: number): Context => ({
  tiers: [{ slowdown: 1 }, { slowdown: 1 }],
  hops: [{ uplinkBitsPerSecond, downlinkBitsPerSecond: 1e8, rttSeconds: 0.01, queueSeconds: 0 }],
  requirements: {},
});

/** A link that holds for one to three minutes at each rate, within a fifth of it, for ten minutes or more. */
const link = fc
  .array(
    fc.record({
      rate: fc.constantFrom(0, 1e5, 5e5, 1e6, 3e6, 1e7, 1e8),
      noise: fc.array(fc.double({ min: 0.8, max: 1.2, noNaN: true }), { minLength: 60, maxLength: 200 }),
    }),
    { minLength: 10, maxLength: 12 },
  )
  .map((spells) => spells.flatMap(({ rate, noise }) => noise.map((factor) => context(rate * factor))));

function play(contexts: readonly Context[], switchSeconds: number): Comparison {
  const rules = { switchSeconds, unansweredSeconds: 1, chargeFirstCut: false };
  const table = bench.table(contexts, rules);
  return bench.compare(contexts, table, rules, defaultParameters, ['default']);
}

test('on links that hold for a minute both promises are kept up to a switch of 600 ms', () => {
  fc.assert(
    fc.property(link, fc.constantFrom(0, 0.05, 0.6), (contexts, switchSeconds) => {
      const { deviceOnly, bestStatic } = play(contexts, switchSeconds).promises!;
      assert.ok(deviceOnly!.kept, `${deviceOnly!.totalSeconds} s, at most ${deviceOnly!.limitSeconds} s`);
      assert.ok(bestStatic.kept, `${bestStatic.totalSeconds} s, at most ${bestStatic.limitSeconds} s`);
    }),
    { numRuns: 12 },
  );
});

test('however a link behaves, switches stay few where they are dear', () => {
  // Any second may be as good or as bad as can be: the worst for whoever follows.
  const restless = fc.array(fc.constantFrom(0, 1e5, 1e6, 1e7, 1e8), { minLength: 300, maxLength: 300 });
  fc.assert(
    fc.property(restless, (rates) => {
      const [run] = play(rates.map(context), 6).runs;
      // An unanswered second costs 1 s: a switch of 6 s cannot pay more often than each few of them.
      assert.ok(run!.figures.switches <= 300 / 12, `${run!.figures.switches} switches in 300 s`);
    }),
    { numRuns: 30 },
  );
});
