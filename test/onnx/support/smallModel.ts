/** Small ONNX models, written out field by field, for one behaviour each. */
import { create, toBinary } from '@bufbuild/protobuf';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import {
  AttributeProto_AttributeType,
  type AttributeProto,
  AttributeProtoSchema,
  type GraphProto,
  GraphProtoSchema,
  type ModelProto,
  ModelProtoSchema,
  NodeProtoSchema,
  type TensorProto,
  TensorProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from '../../../src/onnx/proto/onnx_pb.js';
import type { ProfileOptions } from '../../../src/core/profile.js';

export const QUICK: ProfileOptions = {
  optimizationLevel: 'all',
  intraOpThreads: 1,
  runs: 2,
  warmupRuns: 0,
  inputs: {},
};

export interface SmallNode {
  readonly type: string;
  readonly reads: readonly string[];
  readonly writes: readonly string[];
  readonly domain?: string;
  readonly name?: string;
  readonly attributes?: readonly AttributeProto[];
}

export const int = (name: string, value: number): AttributeProto =>
  create(AttributeProtoSchema, { name, type: AttributeProto_AttributeType.INT, i: BigInt(value) });
export const ints = (name: string, values: readonly number[]): AttributeProto =>
  create(AttributeProtoSchema, { name, type: AttributeProto_AttributeType.INTS, ints: values.map(BigInt) });
export const body = (name: string, graph: GraphProto): AttributeProto =>
  create(AttributeProtoSchema, { name, type: AttributeProto_AttributeType.GRAPH, g: graph });

/** A tensor value of the given element type (1 is float32); `?` is an unknown dimension. */
export function value(
  name: string,
  dimensions: readonly (number | string)[] | null,
  elemType = 1,
): ValueInfoProto {
  const dim = dimensions?.map((each) =>
    typeof each === 'number'
      ? { value: { case: 'dimValue' as const, value: BigInt(each) } }
      : { value: each === '?' ? { case: undefined } : { case: 'dimParam' as const, value: each } },
  );
  return create(ValueInfoProtoSchema, {
    name,
    type: {
      value: { case: 'tensorType', value: { elemType, ...(dim === undefined ? {} : { shape: { dim } }) } },
    },
  });
}

/** A float32 tensor whose elements are small and different. */
export function weight(name: string, shape: readonly number[]): TensorProto {
  const length = shape.reduce((a, b) => a * b, 1);
  const data = Float32Array.from({ length }, (_, index) => ((index * 7919) % 97) / 97 - 0.5);
  return create(TensorProtoSchema, {
    name,
    dims: shape.map(BigInt),
    dataType: 1,
    rawData: new Uint8Array(data.buffer),
  });
}

export function int64s(name: string, values: readonly number[]): TensorProto {
  return create(TensorProtoSchema, {
    name,
    dims: [BigInt(values.length)],
    dataType: 7,
    int64Data: values.map(BigInt),
  });
}

export function graph(parts: {
  nodes: readonly SmallNode[];
  inputs: readonly ValueInfoProto[];
  outputs: readonly ValueInfoProto[];
  weights?: readonly TensorProto[];
}): GraphProto {
  return create(GraphProtoSchema, {
    name: 'small',
    node: parts.nodes.map((node) =>
      create(NodeProtoSchema, {
        name: node.name ?? '',
        opType: node.type,
        domain: node.domain ?? '',
        input: [...node.reads],
        output: [...node.writes],
        attribute: [...(node.attributes ?? [])],
      }),
    ),
    input: [...parts.inputs],
    output: [...parts.outputs],
    initializer: [...(parts.weights ?? [])],
  });
}

export function model(of: GraphProto, changes: { opset?: number | null } = {}): ModelProto {
  const opset = changes.opset === undefined ? 17 : changes.opset;
  return create(ModelProtoSchema, {
    irVersion: 8n,
    producerName: 'test',
    opsetImport: opset === null ? [] : [{ domain: '', version: BigInt(opset) }],
    graph: of,
  });
}

/** Writes a model or bytes into a folder of its own, which goes with the test. */
export async function fileOf(
  t: TestContext,
  content: ModelProto | Uint8Array,
  name = 'small.onnx',
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'cutpoint-test-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, name);
  await writeFile(file, content instanceof Uint8Array ? content : toBinary(ModelProtoSchema, content));
  return file;
}

/** x -> Conv -> Relu -> Conv -> y, the plainest model that can be cut. */
export function twoConvolutions(): ModelProto {
  return model(
    graph({
      nodes: [
        { type: 'Conv', reads: ['x', 'w1'], writes: ['a'] },
        { type: 'Relu', reads: ['a'], writes: ['b'] },
        { type: 'Conv', reads: ['b', 'w2'], writes: ['y'] },
      ],
      inputs: [value('x', [1, 3, 8, 8])],
      outputs: [value('y', [1, 2, 4, 4])],
      weights: [weight('w1', [4, 3, 3, 3]), weight('w2', [2, 4, 3, 3])],
    }),
  );
}
