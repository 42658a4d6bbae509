import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import type { ValueInfoProto } from '../../src/onnx/proto/onnx_pb.js';
import { ModelProtoSchema, ValueInfoProtoSchema } from '../../src/onnx/proto/onnx_pb.js';
import { buildZooModel, isZooName, ZooError, zooNames } from '../../src/zoo/zoo.js';
import type { ZooModel, ZooName } from '../../src/zoo/zoo.js';
import { runModel } from './runModel.js';

/** MACs are published rounded to three or four digits. */
const MACS_TOLERANCE = 0.01;
/** Above this the copies of a run's tensors are too many for a test: only the outputs are looked at. */
const MAX_TENSOR_BYTES = 400e6;

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
    const everything = [...declared.values()].reduce((sum, shape) => sum + 4 * product(shape), 0);
    const results = await runModel(
      everything < MAX_TENSOR_BYTES ? returningEverything(bytes) : bytes,
      model.inputs,
    );
    assert.deepEqual(
      model.outputs.filter((output) => !results.has(output.name)),
      [],
    );
    for (const [tensor, { shape, data }] of results) {
      assert.deepEqual(shape, declared.get(tensor), tensor);
      assert.ok(data.every(Number.isFinite), `${tensor} has a value that is no number`);
    }
  });
}

/** The smaller ones; the same code makes the weights of the others. */
const RUN_WITH_RANDOM_WEIGHTS: readonly ZooName[] = ['squeezenet-1.1', 'googlenet', 'resnet-18'];

for (const name of RUN_WITH_RANDOM_WEIGHTS) {
  test(`${name} with random weights gives finite answers that differ from class to class`, async () => {
    const model = buildZooModel(name, { seed: 7 });
    const bytes = model.bytes();
    assert.equal(bytes.length, model.byteLength);
    assert.ok(bytes.length > 4 * model.counted.parameters);
    checkStructure(bytes, model);
    const results = await runModel(bytes, model.inputs);
    for (const output of model.outputs) {
      const { shape, data } = results.get(output.name)!;
      assert.deepEqual(shape, output.shape);
      assert.ok(data.every(Number.isFinite));
      assert.ok(new Set(data).size > data.length / 10, 'the answers are nearly all the same');
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
  refused(() => buildZooModel('googlenet', { batch: 0 }), 'wrong-option', /batch/);
  assert.ok(!isZooName('constructor'));
});

const product = (shape: readonly number[]) => shape.reduce((result, extent) => result * extent, 1);

/** Names unique, nodes in order, every tensor made before it is read and read after. @returns the declared shapes */
function checkStructure(bytes: Uint8Array, model: ZooModel): ReadonlyMap<string, number[]> {
  const { graph, opsetImport, irVersion } = fromBinary(ModelProtoSchema, bytes);
  assert.ok(graph);
  assert.deepEqual([irVersion, opsetImport.map((set) => set.version)], [8n, [17n]]);
  const known = new Set([...graph.input, ...graph.initializer].map((value) => value.name));
  assert.equal(known.size, graph.input.length + graph.initializer.length);
  const read = new Set(graph.output.map((output) => output.name));
  for (const node of graph.node) {
    assert.equal(node.name, node.output[0]);
    for (const input of node.input) {
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

/** The same model, returning every tensor between its operators too. */
function returningEverything(bytes: Uint8Array): Uint8Array {
  const model = fromBinary(ModelProtoSchema, bytes);
  const inner = model.graph!.valueInfo.map((value) => create(ValueInfoProtoSchema, { name: value.name }));
  model.graph!.output.push(...inner);
  model.graph!.valueInfo = [];
  return toBinary(ModelProtoSchema, model);
}
