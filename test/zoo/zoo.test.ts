import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import type { ValueInfoProto } from '../../src/onnx/proto/onnx_pb.js';
import { ModelProtoSchema, ValueInfoProtoSchema } from '../../src/onnx/proto/onnx_pb.js';
import { buildZooModel, isZooName, ZooError, zooNames } from '../../src/zoo/zoo.js';
import type { ZooModel, ZooName } from '../../src/zoo/zoo.js';
import { isFinite, runModel } from './runModel.js';

/** MACs are published rounded to three or four digits. */
const MACS_TOLERANCE = 0.01;
/** What a run may return in tests: the largest tensors of the U-Net are left out, those that read them are not. */
const MAX_RETURNED_BYTES = 400e6;

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

for (const name of zooNames) {
  test(`${name} has the published parameters and MACs`, () => {
    const { counted, published } = buildZooModel(name, { weights: 'constant' });
    assert.equal(counted.parameters, published.parameters, published.source);
    const off = Math.abs(counted.macs / published.macs - 1);
    assert.ok(
      off < MACS_TOLERANCE,
      `${counted.macs} MACs built, ${published.macs} published (${published.source})`,
    );
  });

  test(`${name} is well-formed, small with constant weights, and computes every tensor in the shape it says`, async () => {
    const model = buildZooModel(name, { weights: 'constant' });
    const bytes = model.bytes();
    assert.equal(bytes.length, model.byteLength);
    assert.ok(bytes.length < 400_000, `${bytes.length} bytes`);
    const declared = checkStructure(bytes, model);
    const results = await runModel(returningMore(bytes), model.inputs);
    assert.ok(results.size > 0.6 * declared.size, `${results.size} of ${declared.size} tensors looked at`);
    assert.deepEqual(
      model.outputs.filter((output) => !results.has(output.name)),
      [],
    );
    for (const [tensor, result] of results) {
      assert.deepEqual(result.shape, declared.get(tensor), tensor);
      assert.ok(isFinite(result), `${tensor} has a value that is no number`);
    }
  });
}

/** The smaller ones; the same code makes the weights of the others. */
const RUN_WITH_RANDOM_WEIGHTS: readonly ZooName[] = [
  'squeezenet-1.1',
  'googlenet',
  'resnet-18',
  'mobilenet-v2',
  'densenet-121',
  'efficientnet-b0',
  'yolov3-tiny',
];

for (const name of RUN_WITH_RANDOM_WEIGHTS) {
  test(`${name} with random weights gives finite answers that differ`, async () => {
    const model = buildZooModel(name, { seed: 7 });
    const bytes = model.bytes();
    assert.equal(bytes.length, model.byteLength);
    assert.ok(bytes.length > 4 * model.counted.parameters);
    checkStructure(bytes, model);
    const results = await runModel(bytes, model.inputs);
    for (const output of model.outputs) {
      const result = results.get(output.name)!;
      assert.deepEqual(result.shape, output.shape);
      assert.ok(isFinite(result));
      const different = new Set<number | bigint>(result.data).size;
      assert.ok(different > result.data.length / 10, `only ${different} different answers`);
    }
  });
}

test('the same seed gives the same bytes, another seed other weights in the same file layout', () => {
  const bytes = (seed: number) => buildZooModel('squeezenet-1.1', { seed }).bytes();
  assert.equal(sha256(bytes(3)), sha256(bytes(3)));
  assert.notEqual(sha256(bytes(3)), sha256(bytes(4)));
  assert.equal(bytes(3).length, bytes(4).length);
});

test('a batch multiplies the MACs and the shapes, not the parameters', async () => {
  const one = buildZooModel('squeezenet-1.1', { weights: 'constant' });
  const three = buildZooModel('squeezenet-1.1', { weights: 'constant', batch: 3 });
  assert.equal(three.counted.macs, 3 * one.counted.macs);
  assert.equal(three.counted.parameters, one.counted.parameters);
  const results = await runModel(three.bytes(), three.inputs);
  assert.deepEqual(results.get(three.outputs[0]!.name)!.shape, [3, 1000]);
});

test('an unknown name or a wrong option is refused by name', () => {
  const refused = (build: () => unknown, code: string, named: RegExp) =>
    assert.throws(
      build,
      (error) => error instanceof ZooError && error.code === code && named.test(error.message),
    );
  refused(() => buildZooModel('resnet-51'), 'unknown-network', /resnet-51.*resnet-50/);
  refused(() => buildZooModel('toString'), 'unknown-network', /toString/);
  refused(() => buildZooModel('googlenet', { seed: -1 }), 'wrong-option', /seed/);
  refused(() => buildZooModel('googlenet', { seed: 1.5 }), 'wrong-option', /seed/);
  refused(() => buildZooModel('googlenet', { weights: 'zero' as 'random' }), 'wrong-option', /weights.*zero/);
  refused(() => buildZooModel('googlenet', { batch: 0 }), 'wrong-option', /batch/);
  assert.ok(!isZooName('constructor'));
});

/** Names unique, nodes in order, every tensor made before it is read and read after. @returns the declared shapes */
function checkStructure(bytes: Uint8Array, model: ZooModel): ReadonlyMap<string, number[]> {
  const { graph, opsetImport, irVersion } = fromBinary(ModelProtoSchema, bytes);
  assert.ok(graph);
  assert.deepEqual([irVersion, opsetImport.map((set) => set.version)], [8n, [17n]]);
  const known = new Set([...graph.input, ...graph.initializer].map((value) => value.name));
  assert.equal(known.size, graph.input.length + graph.initializer.length);
  const nodeNames = new Set<string>();
  const read = new Set(graph.output.map((output) => output.name));
  for (const node of graph.node) {
    assert.ok(!nodeNames.has(node.name), `two operators are called ${node.name}`);
    nodeNames.add(node.name);
    // The empty name is an optional input left out.
    for (const input of node.input.filter((name) => name !== '')) {
      assert.ok(known.has(input), `${node.name} reads ${input}, which nothing has made before`);
      read.add(input);
    }
    for (const output of node.output) {
      assert.ok(!known.has(output), `${output} is made twice`);
      known.add(output);
    }
  }
  assert.deepEqual(
    [...known].filter((name) => !read.has(name)),
    [],
    'tensors that nothing reads',
  );
  assert.deepEqual(
    graph.output.map((output) => output.name),
    model.outputs.map((output) => output.name),
  );
  return new Map([...graph.output, ...graph.valueInfo].map((value) => [value.name, shapeOf(value)]));
}

function shapeOf(value: ValueInfoProto): number[] {
  const type = value.type?.value;
  assert.equal(type?.case, 'tensorType');
  return type.value.shape!.dim.map((dim) => Number(dim.value.value));
}

/** The same model, returning the tensors between its operators too, small ones first. */
function returningMore(bytes: Uint8Array): Uint8Array {
  const model = fromBinary(ModelProtoSchema, bytes);
  const graph = model.graph!;
  const byteLength = (value: ValueInfoProto) =>
    4 * shapeOf(value).reduce((product, extent) => product * extent, 1);
  let returned = 0;
  for (const value of graph.valueInfo.sort((a, b) => byteLength(a) - byteLength(b))) {
    returned += byteLength(value);
    if (returned > MAX_RETURNED_BYTES) break;
    graph.output.push(create(ValueInfoProtoSchema, { name: value.name }));
  }
  // Without the declared shapes the runtime cannot but find its own.
  graph.valueInfo = [];
  return toBinary(ModelProtoSchema, model);
}
