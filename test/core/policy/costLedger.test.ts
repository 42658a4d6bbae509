import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CostLedger } from '../../../src/core/policy/costLedger.js';

const limits = { windowSeconds: 100, windowBuckets: 8 };
const sample = fc.record({
  step: fc.constantFrom(0.1, 1, 1, 1, 7),
  costs: fc.tuple(fc.double({ min: 0.1, max: 2, noNaN: true }), fc.double({ min: 0.1, max: 2, noNaN: true })),
  inForce: fc.constantFrom(0, 1),
  paid: fc.constantFrom(0, 0, 0, 0.5),
});

test('sums are those of the samples of a window that is as long as asked, up to one bucket, in bounded memory', () => {
  fc.assert(
    fc.property(fc.array(sample, { minLength: 1, maxLength: 400 }), (samples) => {
      const ledger = new CostLedger<null>(limits);
      let at = 0;
      const seen = samples.map(({ step, costs, inForce, paid }) => {
        at += step;
        ledger.record(at, step, [...costs], inForce, null);
        if (paid > 0) ledger.pay(paid);
        assert.ok(ledger.bucketCount <= limits.windowBuckets);
        return { seconds: step, costs, own: costs[inForce] * step + paid };
      });
      // The ledger drops whole buckets, so its window is a tail of the samples: find it by its seconds.
      let tail = seen.length;
      let seconds = 0;
      while (tail > 0 && seconds < ledger.seenSeconds - 1e-6) seconds += seen[--tail]!.seconds;
      const window = seen.slice(tail);
      const sum = (of: (s: (typeof seen)[number]) => number) => window.reduce((total, s) => total + of(s), 0);
      near(ledger.seenSeconds, seconds);
      near(
        ledger.total(0),
        sum((s) => s.costs[0] * s.seconds),
      );
      near(
        ledger.total(1),
        sum((s) => s.costs[1] * s.seconds),
      );
      near(
        ledger.paidTotal,
        sum((s) => s.own),
      );
      assert.ok(seconds >= Math.min(at, limits.windowSeconds / 2) - 7.1, `only ${seconds} s of ${at} s`);
      near(
        ledger.aboveFirst(0.02),
        seen.reduce((total, s) => total + s.own - 1.02 * s.costs[0] * s.seconds, 0),
      );
    }),
    { numRuns: 200 },
  );
});

test('a later candidate is costed in the contexts of the window', () => {
  const ledger = new CostLedger<number>(limits);
  for (let i = 1; i <= 300; i++) ledger.record(i, 1, [1], 0, 3);
  ledger.place(1, (note) => note / 2);
  assert.ok(Math.abs(ledger.mean(1) - 1.5) < 1e-9);
  assert.ok(Math.abs(ledger.mean(0) - 1) < 1e-9);
  assert.equal(ledger.regret(1), 0);
});

function near(actual: number, expected: number): void {
  assert.ok(Math.abs(actual - expected) <= 1e-6 * (1 + Math.abs(expected)), `${actual} is not ${expected}`);
}
