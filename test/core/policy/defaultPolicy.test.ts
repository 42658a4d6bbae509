import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Context, Requirements } from '../../../src/core/context.js';
import { createPartitioner } from '../../../src/core/createPartitioner.js';
import { DefaultPolicy } from '../../../src/core/policy/defaultPolicy.js';
import { defaultParameters } from '../../../src/core/policy/parameters.js';
import { FollowPolicy } from '../../../src/core/policy/simplePolicies.js';
import type { Verdict } from '../../../src/core/policy/policy.js';
import { buildStateGraph } from '../../../src/core/stateGraph.js';
import { graph, tierOf } from './chain.js';

const partitioner = createPartitioner(buildStateGraph({ graph, tiers: [tierOf(0.1), tierOf(0.01)] }, 1000));
const deviceOnly = [0, 0, 0];
const edgeOnly = [1, 1, 1];

const context = (uplinkBitsPerSecond: number, requirements: Requirements = {}): Context => ({
  tiers: [{ slowdown: 1 }, { slowdown: 1 }],
  hops: [{ uplinkBitsPerSecond, downlinkBitsPerSecond: 1e8, rttSeconds: 0.01, queueSeconds: 0 }],
  requirements,
});

/** A session: the policy, the cut in force, and what happened. */
function session(switchSeconds: number, parameters = defaultParameters) {
  const policy = new DefaultPolicy((c, p) => partitioner.predict(c, p), deviceOnly, parameters);
  let inForce: readonly number[] | null = null;
  let atSeconds = 0;
  return {
    get inForce() {
      return inForce;
    },
    see(seen: Context, times = 1, step = 1): Verdict[] {
      return Array.from({ length: times }, () => {
        atSeconds += step;
        const best = partitioner.decide(seen);
        const verdict = policy.observe({ atSeconds, context: seen, best, inForce, switchSeconds });
        inForce = verdict.placement;
        return verdict;
      });
    },
    policy,
  };
}

const fast = context(1e8);
const slow = context(1e5);
const dead = context(0);

test('the first cut is the best one, and device-only where that is hardly better', () => {
  assert.equal(session(0.6).see(fast)[0]!.reason, 'first');
  const here = session(0.6);
  here.see(fast);
  assert.deepEqual(here.inForce, edgeOnly);
  const there = session(0.6);
  there.see(slow);
  assert.deepEqual(there.inForce, deviceOnly);
});

test('a dead link is left at once where that costs less than one more unanswered request', () => {
  const here = session(0.05);
  here.see(fast, 60);
  const [verdict] = here.see(dead);
  assert.equal(verdict!.reason, 'link-gone');
  assert.deepEqual(here.inForce, deviceOnly);
});

test('a dead link is left in the end however dear a switch is', () => {
  const here = session(6);
  here.see(fast, 300);
  const verdicts = here.see(dead, 120);
  const left = verdicts.findIndex((verdict) => verdict.switches);
  assert.ok(left >= 1, 'a second without a link does not pay for a switch of 6 s');
  assert.ok(left <= 60, `left after ${left} s`);
  assert.deepEqual(here.inForce, deviceOnly);
});

test('a short recovery does not pay for a dear switch, a long one does', () => {
  const here = session(6);
  here.see(slow, 100);
  assert.deepEqual(here.inForce, deviceOnly);
  const short = here.see(fast, 5);
  assert.ok(short.every((verdict) => !verdict.switches));
  here.see(slow, 20);
  const long = here.see(fast, 600);
  assert.equal(long.filter((verdict) => verdict.switches).length, 1);
  assert.deepEqual(here.inForce, edgeOnly);
});

test('a switch that costs nothing follows a steady link at once', () => {
  const here = session(0);
  here.see(slow, 30);
  assert.deepEqual(here.inForce, deviceOnly);
  here.see(fast, 2);
  assert.deepEqual(here.inForce, edgeOnly);
});

test('a cut that breaks a requirement is left at once at any price, and not gone back to before it is calm', () => {
  const bound = { latencySeconds: 0.31 };
  const here = session(6);
  here.see(context(1e8, bound), 50);
  assert.deepEqual(here.inForce, edgeOnly);
  const [verdict] = here.see(context(1e6, bound));
  assert.equal(verdict!.reason, 'requirement');
  assert.notDeepEqual(here.inForce, edgeOnly);
  const back = here.see(context(1e8, bound), defaultParameters.calmSeconds - 1);
  assert.ok(back.every((v) => v.placement.some((tier) => tier === 0)));
});

test('what breaks a requirement always is never gone to', () => {
  const here = session(0);
  // Each tensor that leaves must have passed two layers.
  here.see(context(1e8, { privacyDepth: 2 }), 50);
  assert.deepEqual(here.inForce!.slice(0, 2), [0, 0]);
});

test('a window and its candidates are bounded', () => {
  const here = session(0.05, { ...defaultParameters, windowSpans: 8, maxCandidates: 3 });
  const { ledger, candidates } = here.policy as unknown as {
    ledger: { spanCount: number };
    candidates: unknown[];
  };
  let most = 0;
  for (let i = 0; i < 2000; i++) {
    here.see(context(10 ** (4 + (i % 5))), 1, 0.7);
    most = Math.max(most, ledger.spanCount);
  }
  assert.equal(most, 8);
  assert.equal(candidates.length, 3);
});

test('the same observations give the same verdicts, at any times', () => {
  const observation = fc.record({
    rate: fc.constantFrom(0, 1e4, 1e5, 1e6, 1e7, 1e8),
    step: fc.constantFrom(0, 0.1, 1, 5, 4000),
  });
  fc.assert(
    fc.property(fc.array(observation, { maxLength: 60 }), fc.constantFrom(0, 0.05, 0.6, 6), (list, price) => {
      const play = () => {
        const here = session(price);
        return list.map(({ rate, step }) => here.see(context(rate), 1, step)[0]!);
      };
      const once = play();
      assert.deepEqual(play(), once);
      for (const { reason, switches } of once.slice(1)) assert.equal(switches, reason !== 'stay');
    }),
    { numRuns: 100 },
  );
});

test('time that goes back and a switch without a price are refused', () => {
  const here = session(0);
  here.see(fast, 2);
  const best = partitioner.decide(fast);
  const observe = (atSeconds: number, switchSeconds: number) =>
    here.policy.observe({ atSeconds, context: fast, best, inForce: edgeOnly, switchSeconds });
  assert.throws(() => observe(1, 0), /atSeconds: 1 comes before 2/);
  assert.throws(() => observe(3, NaN), /switchSeconds: NaN/);
  assert.throws(() => session(0, { ...defaultParameters, persistence: 2 }), /persistence: 2/);
});

test('who follows at no stated cost goes to what is better by more than a hundredth, and to nothing less', () => {
  const policy = new FollowPolicy((c, p) => partitioner.predict(c, p), 0.01);
  const observe = (seen: Context, inForce: readonly number[] | null) =>
    policy.observe({
      atSeconds: 0,
      context: seen,
      best: partitioner.decide(seen),
      inForce,
      switchSeconds: 0,
    });
  assert.deepEqual(observe(fast, null), { placement: edgeOnly, switches: true, reason: 'first' });
  assert.equal(observe(fast, deviceOnly).reason, 'rule');
  assert.equal(observe(fast, edgeOnly).reason, 'stay');
  // One layer here and 20 kB sent takes as long as two and 5 kB at 4/3 Mbit/s.
  const one = [0, 1, 1];
  const two = [0, 0, 1];
  const nearly = context((4e6 / 3) * 1.001);
  assert.deepEqual(partitioner.decide(nearly).placement, one);
  assert.deepEqual(observe(nearly, two), { placement: two, switches: false, reason: 'near-equal' });
  assert.equal(observe(nearly, deviceOnly).reason, 'rule');
  assert.equal(observe(context((4e6 / 3) * 1.2), two).reason, 'rule');
  // A bound that the best cut keeps is never near.
  const bound = context(1e8, { privacyDepth: 3 });
  assert.equal(observe(bound, edgeOnly).reason, 'rule');
  assert.equal(observe(dead, edgeOnly).reason, 'rule');
});
