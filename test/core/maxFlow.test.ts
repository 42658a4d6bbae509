/** The minimum cut against all cuts tried one by one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FlowNetwork } from '../../src/core/maxFlow.js';

interface Network {
  readonly nodeCount: number;
  readonly edges: readonly { from: number; to: number; forward: number; backward: number }[];
  readonly terminals: readonly { source: number; sink: number }[];
}

/** Zeros, small integers (many ties), floats over orders of magnitude, and edges that must not be cut. */
const finite = fc.oneof(
  fc.constant(0),
  fc.integer({ min: 0, max: 5 }),
  fc.double({ min: -20, max: 10, noNaN: true }).map(Math.exp),
);
const capacity = fc.oneof({ arbitrary: finite, weight: 6 }, { arbitrary: fc.constant(Infinity), weight: 1 });
/** Infinite more rarely: a few suffice to tie most nodes to a side. */
const terminal = fc.oneof({ arbitrary: finite, weight: 15 }, { arbitrary: fc.constant(Infinity), weight: 1 });
const network: fc.Arbitrary<Network> = fc.integer({ min: 1, max: 9 }).chain((nodeCount) =>
  fc.record({
    nodeCount: fc.constant(nodeCount),
    edges: fc.array(
      fc.record({
        from: fc.nat({ max: nodeCount - 1 }),
        to: fc.nat({ max: nodeCount - 1 }),
        forward: capacity,
        backward: capacity,
      }),
      { maxLength: 24 },
    ),
    terminals: fc.array(fc.record({ source: terminal, sink: terminal }), {
      minLength: nodeCount,
      maxLength: nodeCount,
    }),
  }),
);

/** Capacity from the nodes where `isSource` holds to the others. */
function capacityOf({ edges, terminals }: Network, isSource: (node: number) => boolean): number {
  let sum = 0;
  terminals.forEach(({ source, sink }, v) => (sum += isSource(v) ? sink : source));
  for (const { from, to, forward, backward } of edges) {
    if (isSource(from) && !isSource(to)) sum += forward;
    if (isSource(to) && !isSource(from)) sum += backward;
  }
  return sum;
}

function leastCapacity(net: Network): number {
  let least = Infinity;
  for (let set = 0; set < 1 << net.nodeCount; set++) {
    least = Math.min(
      least,
      capacityOf(net, (v) => ((set >>> v) & 1) === 1),
    );
  }
  return least;
}

function build({ nodeCount, edges }: Network): FlowNetwork {
  return new FlowNetwork(
    nodeCount,
    edges.map((e) => e.from),
    edges.map((e) => e.to),
  );
}

function apply(flow: FlowNetwork, { edges, terminals }: Network): void {
  edges.forEach((e, i) => flow.setCapacity(i, e.forward, e.backward));
  terminals.forEach((t, v) => flow.setTerminals(v, t.source, t.sink));
}

const near = (a: number, b: number): boolean =>
  a === b || Math.abs(a - b) <= 1e-9 * Math.max(1e-9, Math.abs(b));

test('flow, the cut that is returned and the least of all cuts have the same capacity', () => {
  let impossible = 0;
  let pinned = 0;
  fc.assert(
    fc.property(network, (net) => {
      const flow = build(net);
      apply(flow, net);
      const found = flow.run();
      const least = leastCapacity(net);
      assert.ok(near(found, least), `flow ${found}, least cut ${least}`);
      if (least === Infinity) {
        impossible++;
        return;
      }
      if (net.terminals.some(({ source, sink }) => source === Infinity || sink === Infinity)) pinned++;
      const cut = capacityOf(net, (v) => flow.sourceSide[v] === 1);
      assert.ok(near(cut, least), `cut ${cut}, least ${least}`);
    }),
    { numRuns: 6000 },
  );
  assert.ok(impossible > 50 && pinned > 500, `${impossible} without a cut, ${pinned} with pinned nodes`);
});

test('amounts of eighteen orders of magnitude beside what must not be cut: the least cut, not the forbidden one', () => {
  const flow = new FlowNetwork(3, [0, 1], [1, 2]);
  flow.setTerminals(0, Infinity, 1e18);
  flow.setTerminals(2, 0, 1e-9);
  flow.setCapacity(0, 3e17);
  flow.setCapacity(1, 1e-9);
  assert.ok(near(flow.run(), 1e18));
  flow.setTerminals(2, 0, Infinity);
  flow.setTerminals(0, Infinity, 0);
  assert.equal(flow.run(), 1e-9);
  flow.setCapacity(1, 1e18);
  assert.equal(flow.run(), 3e17);
  flow.setCapacity(0, Infinity);
  flow.setCapacity(1, Infinity);
  assert.equal(flow.run(), Infinity);
});

test('a network solved before gives the same answer for new capacities as a new one', () => {
  fc.assert(
    fc.property(
      network,
      fc.array(fc.array(finite, { minLength: 66, maxLength: 66 }), { maxLength: 4 }),
      (net, updates) => {
        const reused = build(net);
        apply(reused, net);
        reused.run();
        for (const numbers of updates) {
          const changed: Network = {
            nodeCount: net.nodeCount,
            edges: net.edges.map((e, i) => ({
              ...e,
              forward: numbers[2 * i]!,
              backward: numbers[2 * i + 1]!,
            })),
            terminals: net.terminals.map((_, v) => ({ source: numbers[65 - v]!, sink: numbers[56 - v]! })),
          };
          apply(reused, changed);
          const fresh = build(changed);
          apply(fresh, changed);
          assert.equal(reused.run(), fresh.run());
          assert.deepEqual(reused.sourceSide, fresh.sourceSide);
        }
      },
    ),
    { numRuns: 500 },
  );
});

test('on networks too large to try all cuts, the cut carries what flows: proof that both are optimal', () => {
  let split = 0;
  const large = fc.integer({ min: 50, max: 200 }).chain((nodeCount) =>
    fc.record({
      nodeCount: fc.constant(nodeCount),
      edges: fc.array(
        fc
          .record({ from: fc.nat({ max: nodeCount - 1 }), step: fc.nat({ max: 6 }), forward: finite })
          .chain(({ from, step, forward }) =>
            fc.record({
              from: fc.constant(from),
              to: fc.constant((from + step) % nodeCount),
              forward: fc.constant(forward),
              backward: fc.constantFrom(0, 0, forward, Infinity),
            }),
          ),
        { minLength: nodeCount, maxLength: 4 * nodeCount, size: 'max' },
      ),
      terminals: fc.array(fc.record({ source: finite, sink: finite }), {
        minLength: nodeCount,
        maxLength: nodeCount,
      }),
    }),
  );
  fc.assert(
    fc.property(large, (net) => {
      const flow = build(net);
      apply(flow, net);
      const found = flow.run();
      const cut = capacityOf(net, (v) => flow.sourceSide[v] === 1);
      assert.ok(near(found, cut), `flow ${found}, cut ${cut}`);
      if (flow.sourceSide.includes(1) && flow.sourceSide.includes(0)) split++;
    }),
    { numRuns: 40 },
  );
  assert.ok(split > 10, `${split} networks were split`);
});

test('equal cuts: as many nodes as possible on the source side', () => {
  const flow = new FlowNetwork(3, [0, 1], [1, 2]);
  flow.setTerminals(0, 5, 0);
  flow.setTerminals(2, 0, 5);
  flow.setCapacity(0, 2);
  flow.setCapacity(1, 2);
  assert.equal(flow.run(), 2);
  assert.deepEqual([...flow.sourceSide], [1, 1, 0]);
});

test('a long chain takes work in proportion to its length', () => {
  const length = 2000;
  const tails = Array.from({ length: length - 1 }, (_, v) => v);
  const flow = new FlowNetwork(
    length,
    tails,
    tails.map((v) => v + 1),
  );
  tails.forEach((e) => flow.setCapacity(e, 300 - (e % 7), Infinity));
  // Fed at one end and drained all along: a method that goes by distances to the sink needs one for each node.
  flow.setTerminals(0, 5000, 0);
  for (let v = 1; v < length; v++) flow.setTerminals(v, 0, 0.25);
  assert.equal(flow.run(), 294 + 6 * 0.25);
  assert.ok(flow.relabelings < 4 * length, `${flow.relabelings} labels raised`);
});

test('what is no capacity or no node is refused by name', () => {
  assert.throws(() => new FlowNetwork(2, [0], [2]), /node 2: the network has nodes 0 to 1/);
  assert.throws(() => new FlowNetwork(2, [0, 1], [1]), /2 tails for 1 heads/);
  const flow = new FlowNetwork(2, [0], [1]);
  assert.throws(() => flow.setCapacity(0, -1), /edge 0/);
  assert.throws(() => flow.setCapacity(0, NaN), /edge 0/);
  assert.throws(() => flow.setCapacity(1, 1), /edge 1: there is no such edge/);
  assert.throws(() => flow.setTerminals(0, NaN, 0), /node 0: .*numbers/);
  assert.throws(() => flow.setTerminals(0, 0, -1), /node 0: .*numbers/);
  assert.throws(() => flow.setTerminals(2, 0, 0), /node 2: the network has/);
});
