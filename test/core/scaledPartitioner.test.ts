import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Context } from '../../src/core/context.js';
import { createPartitioner } from '../../src/core/createPartitioner.js';
import { scaledPartitioner } from '../../src/core/scaledPartitioner.js';
import { buildStateGraph, type PartitionInput } from '../../src/core/stateGraph.js';
import { finished } from '../../src/core/steps.js';
import { partitionInput } from '../support/graphs.js';

const ratio = fc.double({ min: 0.01, max: 100, noNaN: true });
const slowdown = fc.option(fc.double({ min: 0.1, max: 50, noNaN: true }), { nil: undefined });
const link = fc.record({
  uplinkBitsPerSecond: fc.double({ min: 1e3, max: 1e9, noNaN: true }),
  downlinkBitsPerSecond: fc.double({ min: 1e3, max: 1e9, noNaN: true }),
});

const contextOf = (slowdowns: readonly (number | undefined)[], hop: Context['hops'][number]): Context => ({
  tiers: slowdowns.map((value) => (value === undefined ? {} : { slowdown: value })),
  hops: [hop],
  requirements: {},
});

/** A state graph of its own for these ratios: what the shared one stands for. */
function own(input: PartitionInput, ratios: readonly number[]) {
  const tiers = input.tiers.map((tier, t) => ({
    ...tier,
    seconds: tier.seconds.map((seconds) => seconds * ratios[t]!),
  }));
  return createPartitioner(buildStateGraph({ ...input, tiers }, 10_000));
}

function assertClose(actual: number, expected: number): void {
  assert.ok(
    actual === expected || Math.abs(actual - expected) <= 1e-9 * Math.abs(expected),
    `${actual} is not ${expected}`,
  );
}

describe('a partitioner shared by machines of different speeds', () => {
  it('decides as one built for each of them', () => {
    fc.assert(
      fc.property(
        partitionInput,
        fc.tuple(ratio, ratio),
        fc.tuple(slowdown, slowdown),
        link,
        (input, ratios, slowdowns, hop) => {
          const context = contextOf(slowdowns, hop);
          const shared = scaledPartitioner(createPartitioner(buildStateGraph(input, 10_000)), ratios);
          const expected = own(input, ratios).decide(context);
          const actual = shared.decide(context);
          assertClose(actual.objectiveValue, expected.objectiveValue);
          assertClose(actual.prediction.latencySeconds, expected.prediction.latencySeconds);
          assert.deepEqual(actual.assumed, expected.assumed);
          assert.deepEqual(actual.violations, expected.violations);
          const sameCut = shared.predict(context, expected.placement);
          sameCut.prediction.tierSeconds.forEach((seconds, t) =>
            assertClose(seconds, expected.prediction.tierSeconds[t]!),
          );
          assertClose(finished(shared.alternatives(context, 1))[0]!.objectiveValue, expected.objectiveValue);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('tells ranges of the slowdown as measured there, and none of one that nobody measured', () => {
    fc.assert(
      fc.property(partitionInput, ratio, slowdown, link, (input, endRatio, measured, hop) => {
        const ratios = [endRatio, 1];
        const shared = scaledPartitioner(createPartitioner(buildStateGraph(input, 10_000)), ratios);
        const context = contextOf([measured, 2], hop);
        const decision = shared.decide(context);
        const ranges = finished(shared.ranges(context, decision));
        const ofEnd = ranges.find(({ value }) => value === 'tiers[0].slowdown');
        assert.equal(ofEnd?.present, measured);
        assert.equal(ranges.find(({ value }) => value === 'tiers[1].slowdown')?.present, 2);
        if (ofEnd === undefined || ofEnd.to === null) return;
        // at the end of the range the cut still costs no more than the best one
        const there = contextOf([ofEnd.to, 2], hop);
        const best = shared.decide(there).objectiveValue;
        assertClose(shared.predict(there, decision.placement).objectiveValue, best);
      }),
      { numRuns: 60 },
    );
  });

  it('names the value that becomes too large, and refuses ratios that are none', () => {
    const [input] = fc.sample(partitionInput, { numRuns: 1, seed: 1 });
    const inner = createPartitioner(buildStateGraph(input!, 10_000));
    const hop = { uplinkBitsPerSecond: 1e6, downlinkBitsPerSecond: 1e6 };
    assert.throws(
      () => scaledPartitioner(inner, [10, 1]).decide(contextOf([5e17, 1], hop)),
      /tiers\[0\]\.slowdown: 500000000000000000 times the compute ratio 10 is above/,
    );
    assert.throws(
      () => scaledPartitioner(inner, [10, 1]).decide(contextOf([-1, 1], hop)),
      /tiers\[0\]\.slowdown/,
    );
    for (const wrong of [0, -1, NaN, Infinity])
      assert.throws(() => scaledPartitioner(inner, [wrong, 1]), RangeError);
    assert.equal(scaledPartitioner(inner, [1, 1]), inner);
  });
});
