import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CostLedger } from '../../../src/core/policy/costLedger.js';

const limits = { windowSeconds: 100, windowSpans: 8 };
const cost = fc.double({ min: 0.1, max: 2, noNaN: true });
const sample = fc.record({
  step: fc.constantFrom(0, 0.1, 1, 1, 1, 7),
  costs: fc.tuple(cost, cost),
  inForce: fc.constantFrom(0, 1),
  paid: fc.constantFrom(0, 0, 0, 0.5),
});

test('totals are those of all samples, means those of the past as it fades, and memory is bounded', () => {
  fc.assert(
    fc.property(fc.array(sample, { minLength: 1, maxLength: 300 }), (samples) => {
      const ledger = new CostLedger<null>(limits);
      place(ledger, 0, 0);
      place(ledger, 1, 0);
      let at = 0;
      const seen = samples.map(({ step, costs, inForce, paid }) => {
        at += step;
        ledger.record(at, step, costs, inForce, null);
        ledger.pay(paid);
        assert.ok(ledger.spanCount <= limits.windowSpans);
        return { at, seconds: step, costs, own: costs[inForce] * step + paid };
      });
      const sum = (of: (s: (typeof seen)[number]) => number) => seen.reduce((total, s) => total + of(s), 0);
      const faded = (s: (typeof seen)[number]) => s.seconds * Math.exp((s.at - at) / limits.windowSeconds);
      near(
        ledger.paid,
        sum((s) => s.own),
      );
      near(ledger.meanSeconds, sum(faded));
      for (const slot of [0, 1] as const) {
        near(
          ledger.total(slot),
          sum((s) => s.costs[slot] * s.seconds),
        );
        near(ledger.mean(slot) * sum(faded), at === 0 ? 0 : sum((s) => s.costs[slot] * faded(s)));
        assert.equal(ledger.latest(slot), seen.at(-1)!.costs[slot]);
      }
    }),
    { numRuns: 200 },
  );
});

test('a later candidate is costed in the contexts of the window, and before it as the first one was', () => {
  const ledger = new CostLedger<number>(limits);
  place(ledger, 0, 0);
  for (let i = 1; i <= 90; i++) ledger.record(i, 1, [3], 0, 3);
  ledger.place(1, (note) => ({ cost: note / 2, first: note }));
  // A span fades as a whole, from its middle.
  assert.ok(Math.abs(ledger.mean(1) - 1.5) < 0.02, `${ledger.mean(1)}`);
  near(ledger.total(1), 135);
  for (let i = 91; i <= 1000; i++) ledger.record(i, 1, [3, 3], 0, 3);
  ledger.place(2, (note) => ({ cost: note / 2, first: note }));
  near(ledger.mean(0), 3);
  const covered = (3000 - ledger.total(2)) / 1.5;
  assert.ok(covered >= limits.windowSeconds * 0.8 && covered <= limits.windowSeconds * 1.3, `${covered} s`);
});

test('differences that last tell from those that do not', () => {
  const after = (signs: readonly number[]) => {
    const ledger = new CostLedger<null>(limits);
    place(ledger, 0, 0);
    place(ledger, 1, 0);
    signs.forEach((sign, i) => ledger.record(i + 1, 1, [1, 1 + 0.5 * sign], 0, null));
    return ledger.persistence(0.8, 1);
  };
  const lasting = Array.from({ length: 80 }, (_, i) => (i % 40 < 20 ? 1 : -1));
  const restless = Array.from({ length: 80 }, (_, i) => (i % 2 === 0 ? 1 : -1));
  assert.ok(after(lasting) > 0.8);
  assert.equal(after(restless), 0.2);
  assert.equal(after([0]), 0.8);
});

function place<Note>(ledger: CostLedger<Note>, slot: number, each: number): void {
  ledger.place(slot, () => ({ cost: each, first: each }));
}

function near(actual: number, expected: number): void {
  assert.ok(Math.abs(actual - expected) <= 1e-6 * (1 + Math.abs(expected)), `${actual} is not ${expected}`);
}
