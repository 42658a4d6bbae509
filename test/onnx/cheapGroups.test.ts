// Over 300 lines: one case beside the other, to be compared; split, each part would repeat the same set-up.
/** Which cuts are given up for cheap operators: for random graphs against all their cuts, and by example. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { joinCheapGroups } from '../../src/onnx/cheapGroups.js';
import { findCheapOperators } from '../../src/onnx/cheapOperators.js';
import { groupEdges, type Grouping } from '../../src/onnx/fusedGroups.js';
import { buildOperatorGraph, type OperatorGraph } from '../../src/onnx/operatorGraph.js';
import type { KnownTensor } from '../../src/onnx/tensorFacts.js';
import { graph, type SmallNode, value, weight } from './support/smallModel.js';

interface Case {
  readonly operators: OperatorGraph;
  readonly facts: ReadonlyMap<string, KnownTensor>;
  /** Each operator by itself. */
  readonly apart: Grouping;
}

/** What one packet carries, in bytes: written here once more, so that a change does not go unseen. */
const packetBytes = 1400;

function caseOf(
  nodes: readonly SmallNode[],
  bytes: Readonly<Record<string, number>>,
  { inputs = ['x'], returned = [] as readonly string[] } = {},
): Case {
  const read = new Set(nodes.flatMap((node) => node.reads));
  const outputs = nodes.flatMap((node) => node.writes).filter((name) => !read.has(name));
  const operators = buildOperatorGraph(
    graph({
      nodes,
      inputs: inputs.map((name) => value(name, [1])),
      outputs: [...outputs, ...returned].map((name) => value(name, [1])),
      weights: [weight('w', [1000])],
    }),
  );
  const known = Object.entries(bytes).map(([name, size]): [string, KnownTensor] => [
    name,
    { type: 'uint8', shape: [size], bytes: size },
  ]);
  return {
    operators,
    facts: new Map([...known, ['w', { type: 'float32', shape: [1000], bytes: 4000 }]]),
    apart: operators.operators.map((operator) => operator.index),
  };
}

const node = (type: string, reads: string, writes: string): SmallNode => ({
  type,
  reads: reads.split(' '),
  writes: writes.split(' '),
});

/** Operators of each group, in the order of the groups' first operators. */
function joined({ operators, facts, apart }: Case): string[] {
  const groups = new Map<number | null, string[]>();
  joinCheapGroups(operators, apart, facts).forEach((group, index) => {
    groups.set(group, [...(groups.get(group) ?? []), operators.operators[index]!.type]);
  });
  return [...groups.values()].map((types) => types.join('+'));
}

interface Cut {
  /** Operators that are not cheap and run on the device, as bits. */
  readonly heavy: number;
  readonly bytesUp: number;
  readonly bytesDown: number;
}

/** Every cut that a grouping leaves possible: sets of groups that need nothing from outside. */
function cutsOf({ operators, facts, apart }: Case, grouping: Grouping): Cut[] {
  const isCheap = findCheapOperators(operators, apart, facts);
  const edges = groupEdges(operators, grouping);
  const groups = [...edges.keys()];
  const given = new Set(operators.inputs.map((input) => input.name));
  const sum = (names: Iterable<string>): number =>
    [...names].reduce((total, name) => total + facts.get(name)!.bytes, 0);
  const cuts: Cut[] = [];
  for (let bits = 0; bits < 1 << groups.length; bits += 1) {
    const isBelow = (group: number): boolean => ((bits >> groups.indexOf(group)) & 1) === 1;
    const isValid = groups.every(
      (from) => isBelow(from) || [...edges.get(from)!].every((to) => !isBelow(to)),
    );
    if (!isValid) continue;
    const runsBelow = operators.operators.map(({ index }) => isBelow(grouping[index]!));
    const comesFromBelow = (name: string): boolean =>
      given.has(name) || runsBelow[operators.producerOf.get(name) ?? -1] === true;
    const readAbove = operators.operators.flatMap(({ index, reads }) => (runsBelow[index] ? [] : reads));
    cuts.push({
      heavy: runsBelow.reduce(
        (set, below, index) => (below && !isCheap[index] ? set | (1 << index) : set),
        0,
      ),
      bytesUp: sum(new Set(readAbove.filter(comesFromBelow))),
      bytesDown: sum(operators.outputs.filter((name) => !comesFromBelow(name))),
    });
  }
  return cuts;
}

const types = ['Conv', 'Conv', 'MatMul', 'Add', 'Abs', 'Slice', 'Gather', 'Concat', 'Split', 'ReduceSum'];

/** Up to nine operators that read what two inputs and earlier operators give. */
function cases(sizes: readonly number[]): fc.Arbitrary<Case> {
  const operator = fc.record({
    type: fc.constantFrom(...types),
    reads: fc.array(fc.nat(), { minLength: 1, maxLength: 3 }),
    sizes: fc.array(fc.constantFrom(...sizes), { minLength: 1, maxLength: 2 }),
    isReturned: fc.integer({ min: 0, max: 9 }).map((chance) => chance === 0),
  });
  return fc
    .tuple(
      fc.array(operator, { minLength: 2, maxLength: 9 }),
      fc.array(fc.constantFrom(...sizes), { minLength: 2, maxLength: 2 }),
    )
    .map(([list, inputSizes]) => {
      const inputs = ['x', 'z'];
      const names = [...inputs];
      const bytes: Record<string, number> = { x: inputSizes[0]!, z: inputSizes[1]! };
      const returned: string[] = [];
      const nodes = list.map(({ type, reads, sizes: own, isReturned }, at): SmallNode => {
        const from = [...new Set(reads.map((each) => names[names.length - 1 - (each % names.length)]!))];
        const writes = own.map((size, place) => {
          const name = `t${at}_${place}`;
          bytes[name] = size;
          return name;
        });
        names.push(...writes);
        if (isReturned) returned.push(writes[0]!);
        return { type, reads: from, writes };
      });
      return caseOf(nodes, bytes, { inputs, returned });
    });
}

/** Each cut before has one after with the same heavy operators below and hardly more to send. */
function assertNothingLost(of: Case, bytesMorePerJoin: number): void {
  const grouping = joinCheapGroups(of.operators, of.apart, of.facts);
  const joins = of.apart.length - new Set(grouping).size;
  const after = cutsOf(of, grouping);
  for (const cut of cutsOf(of, of.apart)) {
    const beside = after.some(
      ({ heavy, bytesUp, bytesDown }) =>
        heavy === cut.heavy &&
        bytesUp <= cut.bytesUp + joins * bytesMorePerJoin &&
        bytesDown <= cut.bytesDown,
    );
    assert.ok(beside, `${JSON.stringify(cut)} has none beside it in ${JSON.stringify(grouping)}`);
  }
}

test('each cut given up has one beside it that sends no more, where all is larger than a packet', () => {
  fc.assert(
    fc.property(cases([1401, 5000, 6000, 100_000]), (of) => assertNothingLost(of, 0)),
    { numRuns: 300 },
  );
});

test('each cut given up has one beside it that sends a packet more for each join at most', () => {
  fc.assert(
    fc.property(cases([4, 300, 700, 1400, 1401, 100_000]), (of) => assertNothingLost(of, packetBytes)),
    { numRuns: 300 },
  );
});

test('groups never wait for one another in a circle, keep heavy operators apart, and need no second joining', () => {
  fc.assert(
    fc.property(cases([4, 300, 700, 1400, 1401, 100_000]), ({ operators, facts, apart }) => {
      const grouping = joinCheapGroups(operators, apart, facts);
      const edges = groupEdges(operators, grouping);
      for (let left = new Set(edges.keys()); left.size > 0;) {
        const waiting = new Set([...left].flatMap((from) => [...edges.get(from)!]));
        const next = new Set([...left].filter((group) => waiting.has(group)));
        assert.ok(next.size < left.size, `a circle in ${JSON.stringify(grouping)}`);
        left = next;
      }
      const isCheap = findCheapOperators(operators, apart, facts);
      const heavy = grouping.filter((_, index) => !isCheap[index]);
      assert.equal(new Set(heavy).size, heavy.length);
      assert.deepEqual(joinCheapGroups(operators, grouping, facts), grouping);
    }),
    { numRuns: 500 },
  );
});

test('the cuts of random graphs really become fewer', () => {
  const [before, after] = fc
    .sample(cases([4, 300, 1401]), { numRuns: 100, seed: 1 })
    .reduce(
      ([apart, together], of) => [
        apart + cutsOf(of, of.apart).length,
        together + cutsOf(of, joinCheapGroups(of.operators, of.apart, of.facts)).length,
      ],
      [0, 0],
    );
  assert.ok(after < (before * 2) / 3, `${before} cuts before, ${after} after`);
});

test('a selection joins its source though others read that, while both write no more than a packet', () => {
  const nodes = [
    node('Conv', 'x', 'a'),
    node('Slice', 'a', 'b'),
    node('Conv', 'b', 'c'),
    node('Conv', 'a', 'd'),
    node('Conv', 'd', 'e'),
  ];
  const large = { x: 9000, c: 9000, d: 9000, e: 9000 };
  assert.deepEqual(joined(caseOf(nodes, { ...large, a: 1300, b: 100 })), [
    'Conv+Slice',
    'Conv',
    'Conv',
    'Conv',
  ]);
  assert.deepEqual(joined(caseOf(nodes, { ...large, a: 1300, b: 101 })), [
    'Conv',
    'Slice+Conv',
    'Conv',
    'Conv',
  ]);
  assert.deepEqual(joined(caseOf(nodes, { ...large, a: 9000, b: 101 })), [
    'Conv',
    'Slice',
    'Conv',
    'Conv',
    'Conv',
  ]);
});

test('what fits one packet counts the same, also where it becomes less', () => {
  const nodes = [node('Conv', 'x', 'a'), node('Slice', 'a z', 'b'), node('Conv', 'b', 'c')];
  const inputs = ['x', 'z'];
  const sizes = { x: 9000, c: 9000, b: 4 };
  assert.deepEqual(joined(caseOf(nodes, { ...sizes, a: 1000, z: 400 }, { inputs })), ['Conv+Slice', 'Conv']);
  assert.deepEqual(joined(caseOf(nodes, { ...sizes, a: 1000, z: 401 }, { inputs, returned: ['a'] })), [
    'Conv',
    'Slice',
    'Conv',
  ]);
  assert.deepEqual(joined(caseOf(nodes, { ...sizes, a: 1000, z: 400 }, { inputs, returned: ['a'] })), [
    'Conv',
    'Slice+Conv',
  ]);
});

test('cheap operators that read from the same groups are one, while they write no more than a packet', () => {
  const nodes = [
    node('Slice', 'x', 'a'),
    node('Slice', 'x', 'b'),
    node('Conv', 'a b', 'c'),
    node('Conv', 'a', 'd'),
    node('Conv', 'b', 'e'),
  ];
  const large = { x: 9000, c: 9000, d: 9000, e: 9000 };
  assert.deepEqual(joined(caseOf(nodes, { ...large, a: 700, b: 700 })), [
    'Slice+Slice',
    'Conv',
    'Conv',
    'Conv',
  ]);
  assert.deepEqual(joined(caseOf(nodes, { ...large, a: 700, b: 701 })), [
    'Slice',
    'Slice',
    'Conv',
    'Conv',
    'Conv',
  ]);
});

test('little between two cheap operators is no reason to join where somebody would have to wait', () => {
  const nodes = [
    node('Slice', 'x', 'a'),
    node('Conv', 'a', 'b'),
    node('Conv', 'x', 'c'),
    node('Add', 'a c', 'd'),
    node('Conv', 'd', 'e'),
    node('Conv', 'd', 'f'),
  ];
  const sizes = { x: 9000, a: 4, b: 9000, c: 9000, d: 4, e: 9000, f: 9000 };
  // Slice and Add as one would let the first Conv wait for the second.
  assert.deepEqual(joined(caseOf(nodes, sizes)), ['Slice', 'Conv', 'Conv', 'Add', 'Conv', 'Conv']);
});

test('a Concat of more than a packet is a layer of its own', () => {
  const nodes = [
    node('Conv', 'x', 'a'),
    node('Conv', 'x', 'b'),
    node('Concat', 'a b', 'c'),
    node('Conv', 'c', 'd'),
  ];
  const sizes = { x: 9000, d: 9000, a: 700, b: 700 };
  assert.deepEqual(joined(caseOf(nodes, { ...sizes, c: 1400 })), ['Conv', 'Conv', 'Concat+Conv']);
  assert.deepEqual(joined(caseOf(nodes, { ...sizes, b: 701, c: 1401 })), ['Conv', 'Conv', 'Concat', 'Conv']);
});

test('a look-up in weights is not cheap: they must lie where it runs', () => {
  const sizes = { x: 4, i: 4, a: 8, b: 9000 };
  const lookUp = (from: string): SmallNode[] => [
    node('Cast', 'x', 'i'),
    node('Gather', from, 'a'),
    node('MatMul', 'a', 'b'),
  ];
  assert.deepEqual(joined(caseOf(lookUp('w i'), sizes)), ['Cast+Gather', 'MatMul']);
  assert.deepEqual(joined(caseOf(lookUp('i'), sizes)), ['Cast+Gather+MatMul']);
});

test('an operator of another domain is not cheap, whatever its name', () => {
  const foreign = { ...node('Slice', 'a', 'b'), domain: 'com.microsoft' };
  const of = caseOf([node('Conv', 'x', 'a'), foreign, node('Conv', 'b', 'c')], { x: 4, a: 4, b: 4, c: 4 });
  assert.deepEqual(joined(of), ['Conv', 'Slice', 'Conv']);
});

test('a tensor of unknown size keeps its sides apart', () => {
  const nodes = [node('Conv', 'x', 'a'), node('Slice', 'a', 'b'), node('Conv', 'b', 'c')];
  assert.deepEqual(joined(caseOf(nodes, { x: 4, a: 4, c: 4 })), ['Conv', 'Slice', 'Conv']);
});
