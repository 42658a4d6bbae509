import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { deadEnd, type Limits } from '../../bench/policy/twins.js';

const lengths = [5, 9];
const cost = fc.constantFrom(0.1, 0.3, 0.6, 1, 2);
/** Rows of device-only and two other cuts. */
const link = fc.array(fc.tuple(fc.constant(1), cost, cost), { minLength: 2, maxLength: 6 });

function table(rows: readonly (readonly number[])[]) {
  const cuts = rows[0]!.length;
  return {
    steps: rows.length,
    cuts,
    seconds: Float64Array.from(rows.flat()),
    placementOf: (cut: number) => [cut],
    isExact: true,
    keepsFixed: true,
  };
}

/** Paid for a sequence of cuts, the first one after the first second free. */
function paid(rows: readonly (readonly number[])[], cuts: readonly number[], price: number): number {
  return rows.reduce(
    (sum, row, i) => sum + row[cuts[i]!]! + (i > 1 && cuts[i] !== cuts[i - 1] ? price : 0),
    0,
  );
}

function keeps(rows: readonly (readonly number[])[], own: number, limits: Limits): boolean {
  const totals = [0, 1, 2].map((cut) => rows.reduce((sum, row) => sum + row[cut]!, 0));
  const deviceOnly = (1 + limits.deviceOnlyShare) * totals[0]!;
  const best = (1 + limits.bestStaticShare) * Math.min(...totals);
  return own <= (Math.min(deviceOnly, best) + limits.switchSeconds) * (1 + 1e-9);
}

/** All that continues `cuts` up to `length`. */
function continuations(cuts: readonly number[], length: number): number[][] {
  if (cuts.length >= length) return [[...cuts]];
  return [0, 1, 2].flatMap((cut) => continuations([...cuts, cut], length));
}

test('a dead end is what trying all sequences of cuts on the link and its twins finds', () => {
  let found = 0;
  fc.assert(
    fc.property(link, fc.constantFrom(0, 0.3, 1, 3), fc.constantFrom(null, 0, 1), (rows, price, first) => {
      const limits: Limits = {
        switchSeconds: price,
        deviceOnlyShare: 0.02,
        bestStaticShare: 0.05,
        twinSeconds: lengths,
      };
      // Twins hold as in any second before; the search tries some of them, so it may find fewer dead ends, and never more.
      const survives = (cuts: readonly number[]): boolean =>
        keeps(rows, paid(rows, cuts, price), limits) &&
        rows.every((_, second) =>
          second === 0
            ? true
            : rows.slice(0, second).every((held) =>
                lengths
                  .filter((length) => length > second)
                  .every((length) => {
                    const twin = Array.from({ length }, (_, i) => (i < second ? rows[i]! : held));
                    // Constant contexts: whoever changes again does so at once or never.
                    const ends = [0, 1, 2].map((cut) =>
                      Array.from({ length }, (_, i) => (i <= second ? cuts[i]! : cut)),
                    );
                    return ends.some((all) => keeps(twin, paid(twin, all, price), limits));
                  }),
              ),
        );
      const sequences = continuations([0], rows.length).filter((cuts) => first === null || cuts[1] === first);
      const end = deadEnd(table(rows), limits, first);
      if (end === null) return;
      found++;
      assert.ok(!sequences.some(survives), 'there is a sequence that keeps all');
    }),
    { numRuns: 300 },
  );
  assert.ok(found > 20, `only ${found} dead ends were found`);
});

test('a link without a surprise is no dead end, one that fools every first cut is', () => {
  const limits: Limits = { switchSeconds: 6, deviceOnlyShare: 0.02, bestStaticShare: 0.05 };
  const steady = Array.from({ length: 60 }, () => [0.3, 0.1]);
  assert.equal(deadEnd(table(steady), limits, null), null);
  assert.equal(deadEnd(table(steady), limits, 1), null);
  // The edge is gone as soon as it is used: it is left for 6 s, or paid for with every second.
  const fooled = steady.map((row, i) => (i === 0 ? row : [0.3, 1.3]));
  assert.notEqual(deadEnd(table(fooled), limits, 1), null);
});
