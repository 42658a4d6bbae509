// Over 300 lines: one case beside the other, to be compared; split, each part would repeat the same set-up.
/** How layers are formed: each rule on the smallest model that shows it, through the real runtime. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { ImportResult } from '../../src/control/ports.js';
import type { ProfileOptions } from '../../src/core/profile.js';
import { importModel } from '../../src/onnx/importModel.js';
import type { ModelProto } from '../../src/onnx/proto/onnx_pb.js';
import { assertHalvesEqualWhole, prepare } from './support/halves.js';
import { assertSound } from './support/invariants.js';
import {
  body,
  fileOf,
  graph,
  int,
  int64s,
  ints,
  model,
  QUICK,
  type SmallNode,
  twoConvolutions,
  value,
  weight,
} from './support/smallModel.js';

async function layersOf(
  t: TestContext,
  proto: ModelProto,
  options: Partial<ProfileOptions> = {},
): Promise<ImportResult['graph']> {
  const result = await importModel(await fileOf(t, proto), { ...QUICK, ...options });
  assertSound(result);
  return result.graph;
}

const operatorsOf = (of: ImportResult['graph']): string[] =>
  of.layers.map((layer) => layer.operators.join('+'));

const small = (
  nodes: readonly SmallNode[],
  weights: Parameters<typeof graph>[0]['weights'] = [],
  outputs = ['y'],
): ModelProto =>
  model(
    graph({
      nodes,
      weights,
      inputs: [value('x', [1, 4, 20, 20])], // more than a packet, like what most networks send between layers
      outputs: outputs.map((name) => value(name, null)),
    }),
  );

const conv = (from: string, to: string): SmallNode => ({
  type: 'Conv',
  reads: [from, 'w'],
  writes: [to],
  attributes: [ints('pads', [1, 1, 1, 1])],
});
const w = weight('w', [4, 4, 3, 3]);

test('what the runtime fuses is one layer, with its weights, operations and tensors', async (t) => {
  const of = await layersOf(t, twoConvolutions());
  assert.deepEqual(operatorsOf(of), ['Conv+Relu', 'Conv']);
  assert.deepEqual(
    of.tensors.map(({ name, bytes, producer, consumers, isOutput }) => [
      name,
      bytes,
      producer,
      consumers,
      isOutput,
    ]),
    [
      ['x', 768, null, [0], false],
      ['b', 576, 0, [1], false],
      ['y', 128, 1, [], true],
    ],
  );
  assert.deepEqual(
    of.layers.map((layer) => layer.macs),
    [4 * 36 * 27, 2 * 16 * 36],
  );
  assert.deepEqual(
    of.layers.map((layer) => layer.weightBytes),
    [432, 288],
  );
  assert.deepEqual(
    of.layers.map((layer) => layer.workingBytes),
    [768 + 576, 576 + 128],
  );
});

test('layers do not depend on the level that is profiled', async (t) => {
  const file = await fileOf(t, twoConvolutions());
  const graphs = [];
  for (const optimizationLevel of ['disabled', 'basic', 'extended', 'all'] as const) {
    const result = await importModel(file, { ...QUICK, optimizationLevel });
    assertSound(result);
    graphs.push(result.graph);
  }
  for (const each of graphs) assert.deepEqual(each, graphs[0]);
});

test('a cheap operator joins its source where nobody else reads it', async (t) => {
  const of = await layersOf(
    t,
    small([conv('x', 'a'), { type: 'Abs', reads: ['a'], writes: ['b'] }, conv('b', 'y')], [w]),
  );
  assert.deepEqual(operatorsOf(of), ['Conv+Abs', 'Conv']);
});

test('a cheap operator whose input others read too joins its only reader', async (t) => {
  const of = await layersOf(
    t,
    small(
      [
        { type: 'MaxPool', reads: ['x'], writes: ['a'], attributes: [ints('kernel_shape', [1, 1])] },
        { type: 'Abs', reads: ['a'], writes: ['b'] },
        conv('b', 'c'),
        { type: 'Concat', reads: ['a', 'c'], writes: ['y'], attributes: [int('axis', 1)] },
      ],
      [w],
    ),
  );
  // A cut between MaxPool and Abs sends one tensor; behind Abs it would be two.
  assert.deepEqual(operatorsOf(of), ['MaxPool', 'Abs+Conv', 'Concat']);
});

test('a conversion that makes data larger joins what comes after, one that makes it smaller what is before', async (t) => {
  const of = await layersOf(
    t,
    small(
      [
        conv('x', 'a'),
        { type: 'Cast', reads: ['a'], writes: ['b'], attributes: [int('to', 3)] },
        { type: 'Cast', reads: ['b'], writes: ['c'], attributes: [int('to', 1)] },
        conv('c', 'y'),
      ],
      [w],
    ),
  );
  assert.deepEqual(operatorsOf(of), ['Conv+Cast', 'Cast+Conv']);
  assert.equal(of.tensors.find((tensor) => tensor.name === 'b')?.type, 'int8');
});

test('a result of the model is a border, even before a cheap operator', async (t) => {
  const of = await layersOf(
    t,
    small([conv('x', 'a'), { type: 'Abs', reads: ['a'], writes: ['y'] }], [w], ['a', 'y']),
  );
  assert.deepEqual(operatorsOf(of), ['Conv', 'Abs']);
  assert.ok(of.tensors.every((tensor) => tensor.isOutput || tensor.producer === null));
});

test('an addition of two branches is a layer of its own', async (t) => {
  const of = await layersOf(
    t,
    small(
      [conv('x', 'a'), conv('a', 'b'), { type: 'Add', reads: ['a', 'b'], writes: ['c'] }, conv('c', 'y')],
      [w],
    ),
  );
  assert.deepEqual(operatorsOf(of), ['Conv', 'Conv', 'Add', 'Conv']);
});

test('constants are no layers: computed weights belong to their reader', async (t) => {
  const nodes: SmallNode[] = [
    { type: 'ConstantOfShape', reads: ['size'], writes: ['w'] },
    { type: 'Neg', reads: ['w'], writes: ['minus'] },
    { type: 'Conv', reads: ['x', 'minus'], writes: ['y'] },
  ];
  const of = await layersOf(t, small(nodes, [int64s('size', [4, 4, 3, 3])]), {
    optimizationLevel: 'disabled',
  });
  assert.deepEqual(operatorsOf(of), ['Conv']);
  assert.equal(of.layers[0]!.weightBytes, 4 * 4 * 9 * 4);
});

test('operators that only compute shapes are constants once the input has one', async (t) => {
  const proto = model(
    graph({
      nodes: [
        conv('x', 'a'),
        { type: 'Shape', reads: ['a'], writes: ['shape'] },
        { type: 'Gather', reads: ['shape', 'zero'], writes: ['batch'] },
        { type: 'Concat', reads: ['batch', 'rest'], writes: ['target'], attributes: [int('axis', 0)] },
        conv('a', 'b'),
        { type: 'Reshape', reads: ['b', 'target'], writes: ['y'] },
      ],
      inputs: [value('x', ['n', 4, 6, 6])],
      outputs: [value('y', null)],
      weights: [w, int64s('zero', [0]), int64s('rest', [-1])],
    }),
  );
  const inputs = { x: { shape: [2, 4, 6, 6] } };
  const of = await layersOf(t, proto, { inputs });
  assert.deepEqual(operatorsOf(of), ['Conv', 'Conv+Reshape']);
  await assertHalvesEqualWhole(await prepare(await fileOf(t, proto), inputs), 1);
});

test('a shape that depends on values stays, with its layer', async (t) => {
  const proto = small([
    { type: 'NonZero', reads: ['x'], writes: ['found'] },
    { type: 'Shape', reads: ['found'], writes: ['y'] },
  ]);
  proto.graph!.output = [value('y', null, 7)];
  const of = await layersOf(t, proto);
  assert.deepEqual(operatorsOf(of).join('+').split('+'), ['NonZero', 'Shape']);
});

test('what a branch captures is an input of its layer; the layer is not taken apart', async (t) => {
  const branch = (type: string): ReturnType<typeof graph> =>
    graph({
      nodes: [{ type, reads: ['b'], writes: [`out-${type}`] }],
      inputs: [],
      outputs: [value(`out-${type}`, null)],
    });
  const of = await layersOf(
    t,
    small(
      [
        conv('x', 'a'),
        conv('a', 'b'),
        { type: 'ReduceMax', reads: ['a'], writes: ['max'], attributes: [int('keepdims', 0)] },
        { type: 'Greater', reads: ['max', 'limit'], writes: ['big'] },
        {
          type: 'If',
          reads: ['big'],
          writes: ['y'],
          attributes: [body('then_branch', branch('Neg')), body('else_branch', branch('Abs'))],
        },
      ],
      [w, weight('limit', [])],
    ),
  );
  const branching = of.layers.findIndex((layer) => layer.operators.includes('If'));
  assert.equal(of.layers[branching]!.macs, null);
  assert.deepEqual(of.tensors.find((tensor) => tensor.name === 'b')?.consumers, [branching]);
});

test('weights inside branches count once each', async (t) => {
  const branch = (name: string): ReturnType<typeof graph> =>
    graph({
      nodes: [{ type: 'MatMul', reads: ['x', name], writes: [`out-${name}`] }],
      inputs: [],
      outputs: [value(`out-${name}`, null)],
      weights: [weight(name, [6, 6])],
    });
  const of = await layersOf(
    t,
    model(
      graph({
        nodes: [
          { type: 'ReduceMax', reads: ['x'], writes: ['max'], attributes: [int('keepdims', 0)] },
          { type: 'Greater', reads: ['max', 'limit'], writes: ['big'] },
          {
            type: 'If',
            reads: ['big'],
            writes: ['y'],
            attributes: [body('then_branch', branch('w1')), body('else_branch', branch('w2'))],
          },
        ],
        inputs: [value('x', [4, 6])],
        outputs: [value('y', null)],
        weights: [weight('limit', [])],
      }),
    ),
  );
  const bytes = of.layers.reduce((sum, layer) => sum + layer.weightBytes, 0);
  assert.equal(bytes, 2 * 6 * 6 * 4 + 4);
});

test('operators that lead nowhere and inputs that nobody reads are left out', async (t) => {
  const of = await layersOf(
    t,
    model(
      graph({
        nodes: [conv('x', 'y'), conv('x', 'unused')],
        inputs: [value('x', [1, 4, 6, 6]), value('idle', [3])],
        outputs: [value('y', null)],
        weights: [w],
      }),
    ),
  );
  assert.deepEqual(operatorsOf(of), ['Conv']);
  assert.deepEqual(
    of.tensors.map((tensor) => tensor.name),
    ['x', 'y'],
  );
});

test('a weight that is also listed as an input is a weight', async (t) => {
  const proto = twoConvolutions();
  proto.irVersion = 3n;
  proto.graph!.input.push(value('w1', [4, 3, 3, 3]), value('w2', [2, 4, 3, 3]));
  const of = await layersOf(t, proto);
  assert.deepEqual(
    of.tensors.map((tensor) => tensor.name),
    ['x', 'b', 'y'],
  );
  assert.equal(of.layers[0]!.weightBytes, 432);
});

test('a sequence inside a model keeps both its sides in one layer', async (t) => {
  const of = await layersOf(
    t,
    small(
      [
        conv('x', 'a'),
        { type: 'SplitToSequence', reads: ['a'], writes: ['s'], attributes: [int('axis', 1)] },
        { type: 'ConcatFromSequence', reads: ['s'], writes: ['b'], attributes: [int('axis', 1)] },
        conv('b', 'y'),
      ],
      [w],
    ),
  );
  assert.ok(of.layers.some((layer) => layer.operators.join().includes('SplitToSequence,ConcatFromSequence')));
  assert.ok(!of.tensors.some((tensor) => tensor.name === 's'));
});
