/** Ranges for people: inside them the cut is the best, just beyond them it is not; held against the oracle. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { candidateOf, compareSums, type Candidate } from '../../src/core/candidate.js';
import type { Context } from '../../src/core/context.js';
import { createPartitioner } from '../../src/core/createPartitioner.js';
import { encodingNamed } from '../../src/core/encoding.js';
import { placedCut } from '../../src/core/predictPlacement.js';
import type { Decision } from '../../src/core/decision.js';
import { exhaustive } from '../../src/core/exhaustive.js';
import { movables, type Movable } from '../../src/core/movables.js';
import { assess } from '../../src/core/problem.js';
import type { Range } from '../../src/core/ranges.js';
import { buildStateGraph, type PartitionInput } from '../../src/core/stateGraph.js';
import { finished } from '../../src/core/steps.js';
import { chain, tierOf } from '../support/chain.js';
import { context, partitionInput, richContext, richPartitionInput } from '../support/graphs.js';

interface Case {
  readonly input: PartitionInput;
  readonly now: Context;
}

const plainCase: fc.Arbitrary<Case> = fc.record({ input: partitionInput, now: context });
const richCase: fc.Arbitrary<Case> = richPartitionInput.chain((input) =>
  fc.record({ input: fc.constant(input), now: richContext(input.tiers.length) }),
);

/**
 * By how much the oracle's choice is better than `decision`'s cut in another context, as a share: 0 where they are level, or
 * the cut is the better one.
 */
function lostTo(input: PartitionInput, decision: Decision, at: Context): number {
  const states = buildStateGraph(input, 1);
  const problem = assess(at, states.layout, states.facts.maxDepth);
  const candidate = ({ placement, encoding }: Pick<Decision, 'placement' | 'encoding'>): Candidate =>
    candidateOf(problem, placedCut(states, placement, encodingNamed(states.encodings, encoding)).features, 0);
  const own = candidate(decision);
  const best = candidate(exhaustive(input, at, 100_000));
  const costs = [best, own].map(({ broken, value }) => [...broken, value]);
  for (const [c, least] of costs[0]!.entries()) {
    const cost = costs[1]![c]!;
    if (compareSums(cost, least) !== 0) return Math.max(0, cost / least - 1);
  }
  return 0;
}

/**
 * Where the value is this far from the present one it may be that it drowns a difference: cuts become level at about a
 * trillion times that, which the last bits of sums blur by as much as one part in some thousand.
 */
function isFar(end: number, present: number): boolean {
  return !(end > present / 1e3 && end < present * 1e3);
}

/** Values all over what is possible, by their exponent, from the least to the largest. */
function everywhere({ least, largest, isCount }: Movable, { present, from, to }: Range): number[] {
  if (isCount) return [from, to ?? largest];
  const inside = (end: number, sign: number): number =>
    end * (1 + sign * (isFar(end, present) ? 1e-3 : 1e-5));
  const low = Math.max(inside(from, 1), 1e-18, least);
  const high = to === null ? largest : Math.min(largest, inside(to, -1));
  if (low > high) return [];
  const shares = [0, 0.07, 0.21, 0.35, 0.5, 0.65, 0.79, 0.93, 1];
  const spread = shares.map((share) => Math.min(largest, low * (high / low) ** share));
  return from === 0 && least === 0 ? [0, ...spread] : spread;
}

function checkRange({ input }: Case, decision: Decision, movable: Movable, range: Range): number {
  const { value, present, from, to } = range;
  const told = `${value} = ${present}, said to hold from ${from} to ${to}`;
  const lost = (v: number): number => lostTo(input, decision, movable.with(v));
  assert.equal(movable.present, present);
  assert.ok(from <= present && (to === null || to >= present), told);
  for (const v of everywhere(movable, range)) assert.ok(lost(v) <= 1e-9, `${told}, but not at ${v}`);
  let ends = 0;
  const checkBeyond = (end: number, factor: number): void => {
    // Between two bounds that break one after the other another cut may be the best for a short way only.
    const close = [1e-10, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3].map((share) => 1 + share);
    const steps = isFar(end, present) ? [...close, 1.01, 2, 100] : [...close, 1.01, 1.1];
    const looks = steps.map((step) => end * step ** factor).filter((v) => v <= movable.largest);
    if (looks.length === 0) return;
    ends++;
    assert.ok(
      looks.some((v) => lost(v) > 0),
      `${told}, but holds beyond ${end} too`,
    );
  };
  if (to !== null && to > 0) checkBeyond(to, 1);
  if (from > 0) checkBeyond(from, -1);
  return ends;
}

for (const [kind, cases, runs] of [
  ['latency over two tiers', plainCase, 20],
  ['every objective and bound, two or three tiers, several encodings', richCase, 35],
] as const) {
  test(`a range ends where the oracle changes its mind, and nowhere else: ${kind}`, () => {
    let [ends, endless] = [0, 0];
    fc.assert(
      fc.property(cases, (tried) => {
        const partitioner = createPartitioner(buildStateGraph(tried.input, 100_000));
        const decision = partitioner.decide(tried.now);
        const moved = movables(tried.now);
        const ranges = finished(partitioner.ranges(tried.now, decision));
        assert.deepEqual(
          ranges.map(({ value }) => value),
          moved.map(({ name }) => name),
        );
        ranges.forEach((range, i) => {
          ends += checkRange(tried, decision, moved[i]!, range);
          if (range.from === 0 || range.to === null) endless++;
        });
      }),
      { numRuns: runs },
    );
    assert.ok(ends > 8 && endless > 8, `${ends} ends and ${endless} ranges without one were looked at`);
  });
}

test('an end far away is found, up and down', () => {
  // sending costs 1 ms more than it spares only where the round trip takes seconds, or the link some bits per second
  const graph = chain([10, 10, 0]);
  const tiers = [tierOf([1, 1]), tierOf([0, 0])];
  const now: Context = {
    tiers: [{ slowdown: 1 }, { slowdown: 1 }],
    hops: [{ uplinkBitsPerSecond: 80e9, downlinkBitsPerSecond: 1e6, rttSeconds: 1e-6, queueSeconds: 0 }],
    requirements: { latencySeconds: 1e9 },
  };
  const partitioner = createPartitioner(buildStateGraph({ graph, tiers }, 100));
  const ranges = new Map(
    finished(partitioner.ranges(now, partitioner.decide(now))).map((range) => [range.value, range]),
  );
  const near = (actual: number | null, expected: number): void =>
    assert.ok(Math.abs(actual! / expected - 1) < 1e-5, `${actual} instead of ${expected}`);
  near(ranges.get('hops[0].rttSeconds')!.to, 2 - 1e-9);
  near(ranges.get('hops[0].queueSeconds')!.to, 2 - 1e-6 - 1e-9);
  near(ranges.get('hops[0].uplinkBitsPerSecond')!.from, 80 / (2 - 1e-6));
  near(ranges.get('tiers[0].slowdown')!.from, (1e-9 + 1e-6) / 2);
  // below 1 bit per second there is no way back
  assert.equal(ranges.get('hops[0].downlinkBitsPerSecond')!.from, 1);
  assert.deepEqual(ranges.get('requirements.latencySeconds'), {
    value: 'requirements.latencySeconds',
    present: 1e9,
    from: 0,
    to: null,
  });
});

test('a value of 0 has a range too, and one at the end of what is possible', () => {
  const [input] = fc.sample(partitionInput, { numRuns: 1, seed: 1 });
  const partitioner = createPartitioner(buildStateGraph(input!, 100_000));
  const now: Context = {
    tiers: [{ freeStorageBytes: 1e18, slowdown: 1e17 }, { freeStorageBytes: 9.99e17 }],
    hops: [{ uplinkBitsPerSecond: 0, downlinkBitsPerSecond: 1e6, rttSeconds: 0, connected: true }],
    requirements: { bytesSent: 0, weightBytes: [undefined, 0] },
  };
  const ranges = finished(partitioner.ranges(now, partitioner.decide(now)));
  const named = (name: string): Range => ranges.find(({ value }) => value === name)!;
  assert.equal(named('tiers[1].freeStorageBytes').to, null);
  for (const name of [
    'hops[0].uplinkBitsPerSecond',
    'hops[0].rttSeconds',
    'requirements.bytesSent',
    'requirements.weightBytes[1]',
  ]) {
    assert.equal(named(name).from, 0);
  }
});

test('a rate of 0 ends where the hop is fast enough to be used', () => {
  const graph = chain([1e6, 1e5, 0]);
  const tiers = [tierOf([1, 1]), tierOf([0, 0])];
  const now: Context = {
    tiers: [{ slowdown: 1 }, { slowdown: 1 }],
    hops: [{ uplinkBitsPerSecond: 0, downlinkBitsPerSecond: 1e6, rttSeconds: 0, queueSeconds: 0 }],
    requirements: {},
  };
  const partitioner = createPartitioner(buildStateGraph({ graph, tiers }, 100));
  const decision = partitioner.decide(now);
  assert.deepEqual(decision.placement, [0, 0]);
  const uplink = finished(partitioner.ranges(now, decision)).find(
    ({ value }) => value === 'hops[0].uplinkBitsPerSecond',
  )!;
  // 800,000 bits instead of the second layer's second
  assert.equal(uplink.from, 0);
  assert.ok(uplink.to !== null && Math.abs(uplink.to - 8e5) < 8, `to ${uplink.to}`);
});

test('a wait that dwarfs what two cuts differ in a broken bound ends a range there, and not before', () => {
  // in energy the edge alone is better by 0.2 J; a pipeline of both has the higher throughput
  const graph = chain([0, 0, 0]);
  const tiers = [tierOf([1, 1e15]), tierOf([0.8, 0.8])];
  const now: Context = {
    tiers: [{}, {}],
    hops: [{ uplinkBitsPerSecond: 1e6, downlinkBitsPerSecond: 1e6, rttSeconds: 0.1 }],
    power: { computeWatts: 1, transmitWatts: 1, receiveWatts: 1, idleWatts: 1 },
    requirements: { energyJoulesPerInference: 0.1, objective: 'throughput' },
  };
  const partitioner = createPartitioner(buildStateGraph({ graph, tiers }, 100));
  const decision = partitioner.decide(now);
  assert.deepEqual(decision.placement, [1, 1]);
  const { from, to } = finished(partitioner.ranges(now, decision)).find(
    ({ value }) => value === 'hops[0].rttSeconds',
  )!;
  assert.equal(from, 0);
  assert.ok(Math.abs(to! / 0.2e12 - 1) < 1e-3, `to ${to}`);
});

test('cuts that are level reach a limit together: no range ends there', () => {
  const graph = chain([0, 0, 0], (v) => ({ weightBytes: 1 + v, workingBytes: 0 }));
  // with the first layer on the edge too, a ten-trillionth more there: level, but not the same number
  const tiers = [tierOf([0, 1e6]), tierOf([3e-14, 0.3])];
  const now: Context = {
    tiers: [{}, { slowdown: 1 }],
    hops: [{ uplinkBitsPerSecond: 1e6, downlinkBitsPerSecond: 1e6, rttSeconds: 0 }],
    requirements: { latencySeconds: 1 },
  };
  const partitioner = createPartitioner(buildStateGraph({ graph, tiers }, 100));
  const decision = { ...partitioner.decide(now), placement: [1, 1] };
  const { from, to } = finished(partitioner.ranges(now, decision)).find(
    ({ value }) => value === 'tiers[1].slowdown',
  )!;
  assert.equal(from, 0);
  assert.ok(Math.abs(to! / (1e6 / 0.3) - 1) < 1e-6, `to ${to}`);
});
