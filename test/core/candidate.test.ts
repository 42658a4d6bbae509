/** The order of preference among cuts that are level in a broken bound, but for the last bits of their sums. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compareCandidates, compareSums, isWithin, loosened } from '../../src/core/candidate.js';
import type { Context } from '../../src/core/context.js';
import { createPartitioner } from '../../src/core/createPartitioner.js';
import { exhaustive } from '../../src/core/exhaustive.js';
import { assess, type Constraint } from '../../src/core/problem.js';
import { StateScan } from '../../src/core/rivals/stateScan.js';
import { buildStateGraph, placementOfState, type PartitionInput } from '../../src/core/stateGraph.js';
import { finished } from '../../src/core/steps.js';
import { ScanOracle, allCuts } from '../../bench/search/oracle.js';
import { chain, tierOf } from '../support/chain.js';

/**
 * On the end device 0.1 s + 0.2 s at 1 W; on the edge 0.6 s at 0.5 W: 0.3 J each, but for the last bit, which is in favour of the
 * edge, where a result takes twice as long. Between the layers there is too much to send.
 */
const input: PartitionInput = {
  graph: chain([0, 1e6, 0]),
  tiers: [tierOf([0.1, 0.2]), tierOf([0.3, 0.3])],
};
const now: Context = {
  tiers: [{ slowdown: 1 }, { slowdown: 1 }],
  hops: [{ uplinkBitsPerSecond: 1e6, downlinkBitsPerSecond: 1e6, rttSeconds: 0, queueSeconds: 0 }],
  power: { computeWatts: 1, transmitWatts: 1, receiveWatts: 1, idleWatts: 0.5 },
  requirements: { energyJoulesPerInference: 0.1, latencySeconds: 0.1, objective: 'energy' },
};
const [onEnd, onEdge] = [
  [0, 0],
  [1, 1],
];

test('cuts level in a broken bound: all who decide take the one that breaks the later bound less', () => {
  const states = buildStateGraph(input, 100);
  const held = createPartitioner(states);
  assert.ok(held.predict(now, onEdge).prediction.energyJoules! < 0.1 + 0.2);
  assert.equal(held.predict(now, onEnd).prediction.energyJoules, 0.1 + 0.2);

  assert.deepEqual(held.decide(now).placement, onEnd);
  assert.deepEqual(held.decide(now, { placement: onEdge }).placement, onEnd);
  assert.deepEqual(held.confirmed(now, onEnd), ['energyJoulesPerInference', 'latencySeconds']);
  assert.equal(held.confirmed(now, onEdge), null);
  assert.deepEqual(
    finished(held.alternatives(now, 2)).map(({ placement }) => placement),
    [onEnd, onEdge],
  );
  assert.deepEqual(exhaustive(input, now, 100).placement, onEnd);
  const searching = createPartitioner(buildStateGraph(input, 0));
  assert.deepEqual(searching.decide(now).placement, onEnd);
  assert.deepEqual(searching.decide(now, { placement: onEdge }).placement, onEnd);

  const problem = assess(now, states.layout, states.facts.maxDepth);
  const scanned = new StateScan(states.held!).decide(problem);
  assert.deepEqual(placementOfState(states, states.held!, scanned).placement, onEnd);
  const rows = allCuts(states, 100)!;
  const row = new ScanOracle(rows).best(problem);
  assert.equal(rows.features[row * states.layout.length + states.layout.hopUsed], 0);
});

test('cuts level in a broken bound: a range ends where they cease to be level', () => {
  const partitioner = createPartitioner(buildStateGraph(input, 100));
  const ranges = new Map(
    finished(partitioner.ranges(now, partitioner.decide(now))).map(({ value, from, to }) => [
      value,
      [from, to],
    ]),
  );
  // whatever makes the edge worse, or the end device better, keeps the cut the best
  for (const name of ['hops[0].rttSeconds', 'hops[0].queueSeconds', 'requirements.latencySeconds']) {
    assert.deepEqual(ranges.get(name), [0, null], name);
  }
  const [slowEnd, slowEdge] = [ranges.get('tiers[0].slowdown')!, ranges.get('tiers[1].slowdown')!];
  assert.equal(slowEnd[0], 0);
  assert.ok(Math.abs(slowEnd[1]! - 1) < 1e-9, `to ${slowEnd[1]}`);
  assert.ok(Math.abs(slowEdge[0]! - 1) < 1e-9, `from ${slowEdge[0]}`);
  assert.equal(slowEdge[1], null);
});

test('a bound that is met comes before one that is broken by the last bit', () => {
  const [met, broken] = [
    { broken: [0, 9], value: 9 },
    { broken: [0.1 + 0.2, 0], value: 1 },
  ];
  assert.ok(compareCandidates(met, broken) < 0);
  assert.ok(compareCandidates(broken, met) > 0);
  assert.deepEqual([met, broken, { broken: [0, 0], value: 9 }].map(isWithin), [false, false, true]);
});

test('what a raised bound lets in is what is level with the least', () => {
  const amount = fc.double({ min: 1e-18, max: 1e30, noNaN: true });
  fc.assert(
    fc.property(amount, fc.integer({ min: 0, max: 40 }), amount, (least, tenths, limit) => {
      const sum = least * (1 + tenths * 1e-13);
      const bound: Constraint = {
        name: 'bytesSent',
        weights: new Float64Array(1),
        column: 0,
        asked: limit,
        limit,
      };
      const raised = loosened(bound, least);
      if (least <= limit) {
        assert.equal(raised, bound);
        return;
      }
      assert.equal(raised.asked, limit);
      assert.equal(sum <= raised.limit, compareSums(sum, least) === 0);
      if (tenths !== 10) assert.equal(compareSums(sum, least), tenths < 10 ? 0 : sum - least);
      assert.equal(compareSums(least, sum) + compareSums(sum, least), 0);
    }),
  );
});
