/** Reachability against a walk over the graph, layer by layer. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Reachability } from '../../../src/core/rivals/reachability.js';

test('a layer leads to exactly those that a walk from it meets', () => {
  const graph = fc.integer({ min: 1, max: 80 }).chain((count) =>
    fc
      .array(fc.tuple(fc.nat({ max: count - 1 }), fc.nat({ max: count - 1 })), { maxLength: 2 * count })
      .map((pairs) => {
        const successors = Array.from({ length: count }, () => new Set<number>());
        for (const [a, b] of pairs) if (a !== b) successors[Math.min(a, b)]!.add(Math.max(a, b));
        return successors.map((set) => [...set].sort((x, y) => x - y));
      }),
  );
  fc.assert(
    fc.property(graph, (successors) => {
      const reach = new Reachability({ predecessors: [], successors });
      successors.forEach((_, from) => {
        const met = new Set<number>();
        const walk = (v: number): void => successors[v]!.forEach((n) => !met.has(n) && (met.add(n), walk(n)));
        walk(from);
        for (let to = 0; to < successors.length; to++) assert.equal(reach.leads(from, to), met.has(to));
      });
      const all = successors.map((_, v) => v);
      assert.deepEqual(
        reach.lastOf(all),
        all.filter((v) => successors[v]!.length === 0),
      );
    }),
  );
});
