import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { LatestSearch } from '../../src/control/latestSearch.js';
import type { Context } from '../../src/core/context.js';
import { createPartitioner } from '../../src/core/createPartitioner.js';
import { finished } from '../../src/core/steps.js';
import { buildStateGraph } from '../../src/core/stateGraph.js';
import { chainsOnTwoTiers } from '../support/parallelChains.js';

const clock = { nowMs: Date.now, monotonicNanoseconds: () => process.hrtime.bigint() };

const contextOf = (uplinkBitsPerSecond: number): Context => ({
  tiers: [{}, {}],
  hops: [{ uplinkBitsPerSecond, downlinkBitsPerSecond: 1e8, rttSeconds: 0.005 }],
  requirements: { weightBytes: [16_650] },
});
const context = contextOf(2e7);
const another = contextOf(2.1e7);

/** A model whose states are not held, searched as shortly as there may be, and where its searches started. */
function hard(t: TestContext) {
  const partitioner = createPartitioner(buildStateGraph(chainsOnTwoTiers(8, 8), 1_000), 1);
  const decide = t.mock.method(partitioner, 'decide');
  const search = new LatestSearch();
  return {
    search,
    partitioner,
    starts: () => decide.mock.calls.map((call) => call.arguments[1]),
    /** In one context or another, and kept as the latest. */
    run: (where: Context, isSame: boolean) => {
      const { decision, searchNanoseconds } = search.decide(partitioner, where, isSame, null, clock);
      search.keep(decision, false);
      return { decision, searchNanoseconds };
    },
  };
}

test('a search starts where the last one ended, or at the cut in force where telemetry confirmed that since', (t) => {
  const { search, partitioner, starts, run } = hard(t);
  const { placement, encoding } = run(context, false).decision;
  run(another, false);
  assert.deepEqual(starts(), [null, { placement, encoding }]);
  search.forget();
  search.decide(partitioner, context, false, placement, clock);
  assert.deepEqual(starts()[2], { placement });
});

test('in the same context what is not proven is kept, bettered once, and told with the time that took', (t) => {
  const { search, partitioner, starts, run } = hard(t);
  const first = run(context, false).decision;
  assert.equal(search.improvable, first);
  assert.equal(search.refine(first, 5), false, 'the same is not better');
  assert.equal(search.isRefined, false);
  assert.equal(search.improvable, null, 'it was searched on');
  assert.equal(run(context, true).decision, first);
  assert.equal(search.improvable, null);

  const second = run(another, false).decision;
  assert.equal(search.improvable, second, 'in another context it is searched on again');
  const better = finished(partitioner.thorough(another, second));
  assert.equal(search.refine(better, 5_000_000_000), true);
  assert.equal(search.isRefined, true);
  assert.deepEqual(run(another, true), { decision: better, searchNanoseconds: 5_000_000_000 });
  assert.equal(search.isRefined, false, 'it is in force');
  assert.equal(starts().length, 2);
});

test('what came of searching on is lost with its context', (t) => {
  const { search, partitioner, run } = hard(t);
  const { decision } = run(context, false);
  assert.equal(search.refine(finished(partitioner.thorough(context, decision)), 5_000_000_000), true);
  const { searchNanoseconds } = run(another, false);
  assert.ok(searchNanoseconds < 5_000_000_000, 'the time is that of the new search');
  assert.equal(search.isRefined, false);
});
