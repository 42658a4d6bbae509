/**
 * A model as a series of chunks, weights made when their chunk is asked for.
 *
 * protobuf allows the fields of a message in any order and the parts of a repeated field anywhere, so the
 * graph is everything but the big weights, encoded by the library, followed by one `initializer` field per
 * weight whose `raw_data` is streamed. Encoding the whole message at once would hold VGG-16 twice.
 */
import { create, toBinary } from '@bufbuild/protobuf';
import type { GraphProto, ModelProto } from '../onnx/proto/onnx_pb.js';
import {
  GraphProtoSchema,
  ModelProtoSchema,
  TensorProto_DataType,
  TensorProtoSchema,
} from '../onnx/proto/onnx_pb.js';
import { tensorSeed, uniformBytes } from './fill.js';
import type { Distribution } from './fill.js';

/** A float32 initialiser that is made from a seed when it is written. */
export interface SeededWeight {
  readonly name: string;
  readonly shape: readonly number[];
  readonly distribution: Distribution;
}

export interface EncodedModel {
  /** Size of the file in bytes, known before any weight is made. */
  readonly byteLength: number;
  /** The file's bytes in order; each call makes them afresh, the same each time. */
  chunks(): Generator<Uint8Array>;
}

/** Tags of the fields that are written here by hand: field number, wire type 2 (length-delimited). */
const MODEL_GRAPH_TAG = (7 << 3) | 2;
const GRAPH_INITIALIZER_TAG = (5 << 3) | 2;
const TENSOR_RAW_DATA_TAG = (9 << 3) | 2;
const FLOAT32_BYTES = 4;

/**
 * @param model the model without its graph
 * @param graph the graph without the seeded weights
 */
export function encodeModel(
  model: ModelProto,
  graph: GraphProto,
  weights: readonly SeededWeight[],
  seed: number,
): EncodedModel {
  const modelBytes = toBinary(ModelProtoSchema, model);
  const graphBytes = toBinary(GraphProtoSchema, graph);
  const parts = weights.map((weight) => {
    const elements = weight.shape.reduce((product, extent) => product * extent, 1);
    return { head: weightHead(weight, elements), elements, weight };
  });
  const graphLength = parts.reduce(
    (sum, { head, elements }) => sum + head.length + elements * FLOAT32_BYTES,
    graphBytes.length,
  );
  const graphHead = lengthDelimited(MODEL_GRAPH_TAG, graphLength);
  return {
    byteLength: modelBytes.length + graphHead.length + graphLength,
    *chunks() {
      yield modelBytes;
      yield graphHead;
      yield graphBytes;
      for (const { head, elements, weight } of parts) {
        yield head;
        yield* uniformBytes(tensorSeed(seed, weight.name), elements, weight.distribution);
      }
    },
  };
}

/** Everything of one `initializer` field up to the first byte of its data. */
function weightHead(weight: SeededWeight, elements: number): Uint8Array {
  const tensor = toBinary(
    TensorProtoSchema,
    create(TensorProtoSchema, {
      name: weight.name,
      dims: weight.shape.map(BigInt),
      dataType: TensorProto_DataType.FLOAT,
    }),
  );
  const rawHead = lengthDelimited(TENSOR_RAW_DATA_TAG, elements * FLOAT32_BYTES);
  const length = tensor.length + rawHead.length + elements * FLOAT32_BYTES;
  return Buffer.concat([lengthDelimited(GRAPH_INITIALIZER_TAG, length), tensor, rawHead]);
}

/** The tag and the length of a field, as protobuf's base-128 varints. */
function lengthDelimited(tag: number, length: number): Uint8Array {
  const bytes = [tag];
  let rest = length;
  // Division, not shifts: a file above 2 GiB must not wrap.
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  bytes.push(rest);
  return Uint8Array.from(bytes);
}
