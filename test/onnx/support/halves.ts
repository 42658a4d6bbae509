/**
 * Cuts a model at a layer border and runs both halves: the proof that a cut of the layer graph is a cut of
 * the original model. Weights and what only depends on shapes stand in both halves.
 */
import { create, toBinary } from '@bufbuild/protobuf';
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { InferenceSession, type Tensor } from 'onnxruntime-node';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ProfileOptions } from '../../../src/core/profile.js';
import { readModel } from '../../../src/onnx/decode.js';
import type { ExternalFile } from '../../../src/onnx/externalData.js';
import { chooseInputs, makeFeeds } from '../../../src/onnx/inputs.js';
import { formLayers, type Layering } from '../../../src/onnx/layers.js';
import { DEFAULT_IMPORT_LIMITS } from '../../../src/onnx/limits.js';
import { buildOperatorGraph, type OperatorGraph } from '../../../src/onnx/operatorGraph.js';
import { eventsByRun } from '../../../src/onnx/profileEvents.js';
import {
  GraphProtoSchema,
  type ModelProto,
  ModelProtoSchema,
  NodeProtoSchema,
  type TensorProto,
  TensorProtoSchema,
  type ValueInfoProto,
} from '../../../src/onnx/proto/onnx_pb.js';
import { readRuntimeGraph } from '../../../src/onnx/runtimeGraph.js';
import { buildRuntimeModel } from '../../../src/onnx/runtimeModel.js';
import { runModel } from '../../../src/onnx/session.js';
import { gatherTensorFacts, type KnownTensor } from '../../../src/onnx/tensorFacts.js';
import { value } from './smallModel.js';

const NUMBERS: Readonly<Record<string, number>> = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
};

interface Prepared {
  readonly proto: ModelProto;
  readonly externalFiles: readonly ExternalFile[];
  readonly operators: OperatorGraph;
  readonly layering: Layering;
  readonly facts: ReadonlyMap<string, KnownTensor>;
  readonly feeds: Readonly<Record<string, Tensor>>;
  readonly whole: Readonly<Record<string, Tensor>>;
}

/** Forms the layers of a model as the importer does and runs the whole of it without optimisation. */
export async function prepare(file: string, shapes: ProfileOptions['inputs']): Promise<Prepared> {
  const decoded = await readModel(file, DEFAULT_IMPORT_LIMITS);
  const operators = buildOperatorGraph(decoded.graph);
  const inputs = chooseInputs(operators.inputs, shapes, DEFAULT_IMPORT_LIMITS);
  const feeds = makeFeeds(inputs);
  const runtime = buildRuntimeModel(decoded, operators, inputs, true);
  const folder = await mkdtemp(join(tmpdir(), 'cutpoint-test-'));
  try {
    const base = { intraOpThreads: 1, warmupRuns: 0, record: true } as const;
    const plain = await runModel(runtime, feeds, { ...base, level: 'disabled', runs: 1 }, folder);
    const fused = await runModel(runtime, feeds, { ...base, level: 'extended', runs: 0 }, folder);
    const names = Object.keys(feeds);
    const facts = gatherTensorFacts(
      operators,
      inputs,
      readRuntimeGraph(plain.optimizedModel!, names),
      eventsByRun(plain.profileJson!)[0]!,
      plain.outputs,
    );
    const layering = formLayers('whole', operators, readRuntimeGraph(fused.optimizedModel!, names), facts);
    return {
      proto: decoded.proto,
      externalFiles: decoded.externalFiles,
      operators,
      layering,
      facts,
      feeds,
      whole: plain.outputs,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Runs the layers below `border` and then the rest, and holds the results against those of the whole. */
export async function assertHalvesEqualWhole(prepared: Prepared, border: number): Promise<void> {
  const { layering, feeds, whole } = prepared;
  const tensors = layering.graph.tensors;
  const below = (layer: number | null): boolean => layer === null || layer < border;
  const crossing = tensors.filter(
    (each) => below(each.producer) && each.consumers.some((at) => at >= border),
  );
  const headOutputs = tensors.filter(
    (each) => each.producer !== null && below(each.producer) && (each.isOutput || crossing.includes(each)),
  );
  const headInputs = tensors.filter(
    (each) => each.producer === null && each.consumers.some((at) => at < border),
  );
  const names = (list: typeof tensors): string[] => list.map((each) => each.name);
  const head = await runHalf(
    prepared,
    (layer) => layer < border,
    names(headInputs),
    names(headOutputs),
    feeds,
  );
  const tailOutputs = tensors.filter(
    (each) => each.producer !== null && !below(each.producer) && each.isOutput,
  );
  const tailFeeds = { ...feeds, ...head };
  const tail = await runHalf(
    prepared,
    (layer) => layer >= border,
    names(crossing),
    names(tailOutputs),
    tailFeeds,
  );
  const got = { ...head, ...tail };
  for (const each of tensors) {
    if (!each.isOutput || each.producer === null) continue;
    assertClose(got[each.name]!, whole[each.name]!, `${each.name} cut before layer ${border}`);
  }
}

async function runHalf(
  { proto, externalFiles, operators, layering, facts }: Prepared,
  isIn: (layer: number) => boolean,
  inputs: readonly string[],
  outputs: readonly string[],
  feeds: Readonly<Record<string, Tensor>>,
): Promise<Readonly<Record<string, Tensor>>> {
  const layerOf = layering.assignment.layerOf;
  const initializer = new Map<string, TensorProto>();
  const wanted = new Set<number>();
  const byName = new Map(proto.graph!.initializer.map((tensor) => [tensor.name, tensor]));
  const want = (name: string): void => {
    const stored = byName.get(name);
    if (stored !== undefined) initializer.set(name, stored);
    const index = operators.producerOf.get(name);
    if (index === undefined || wanted.has(index) || layerOf[index] !== null) return;
    const operator = operators.operators[index]!;
    if (operator.type === 'Shape' || operator.type === 'Size') {
      assert.equal(operator.node.attribute.length, 0);
      const shape = facts.get(operator.reads[0]!)!.shape;
      const size = shape.reduce((a, b) => a * b, 1);
      const tensor =
        operator.type === 'Size'
          ? { dims: [], int64Data: [BigInt(size)] }
          : { dims: [BigInt(shape.length)], int64Data: shape.map(BigInt) };
      initializer.set(name, create(TensorProtoSchema, { name, dataType: 7, ...tensor }));
      return;
    }
    wanted.add(index);
    operator.reads.forEach(want);
  };
  operators.operators.forEach(({ index, reads }) => {
    const layer = layerOf[index];
    if (layer === null || layer === undefined || !isIn(layer)) return;
    wanted.add(index);
    reads.forEach(want);
  });
  const info = (name: string): ValueInfoProto =>
    value(name, facts.get(name)!.shape, NUMBERS[facts.get(name)!.type]);
  if (outputs.length === 0) return {};
  const graph = create(GraphProtoSchema, {
    name: 'half',
    node: [...wanted]
      .sort((a, b) => a - b)
      .map((index) => create(NodeProtoSchema, operators.operators[index]!.node)),
    initializer: [...initializer.values()],
    input: inputs.map(info),
    output: outputs.map(info),
  });
  const bytes = toBinary(ModelProtoSchema, { ...proto, irVersion: 8n, graph });
  const session = await InferenceSession.create(bytes, {
    graphOptimizationLevel: 'disabled',
    logSeverityLevel: 4,
    externalData: externalFiles.map((file) => ({ path: file.location, data: file.bytes })),
  });
  try {
    return await session.run(Object.fromEntries(inputs.map((name) => [name, feeds[name]!])));
  } finally {
    await session.release();
  }
}

function assertClose(got: Tensor, expected: Tensor, what: string): void {
  assert.deepEqual([got.type, got.dims], [expected.type, expected.dims], what);
  const [a, b] = [got.data as ArrayLike<number | bigint>, expected.data as ArrayLike<number | bigint>];
  for (let index = 0; index < b.length; index += 1) {
    const [x, y] = [Number(a[index]), Number(b[index])];
    // Half precision comes as bits: one unit in the last place is 1.
    const allowed = expected.type === 'float16' ? 1 : 1e-4 * Math.max(1, Math.abs(y));
    if (!Object.is(x, y) && !(Math.abs(x - y) <= allowed))
      assert.fail(`${what}: [${index}] is ${x}, not ${y}`);
  }
}
