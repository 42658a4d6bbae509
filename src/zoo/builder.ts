/**
 * Builds one ONNX graph operator by operator, with the shape of every tensor, and counts while it builds.
 *
 * Parameters are what training would learn: weights, biases, scales and shifts of normalisations. Running
 * means and variances of batch normalisation and constants of an operator (an axis, a clip bound) are not.
 * MACs are the multiply-accumulates of convolutions and matrix products, attention's included.
 *
 * A node and the tensor it writes bear the same name, because people read these names when they look at a cut.
 */
import { create } from '@bufbuild/protobuf';
import type { MessageInitShape } from '@bufbuild/protobuf';
import {
  AttributeProto_AttributeType as AttributeType,
  GraphProtoSchema,
  ModelProtoSchema,
  TensorProto_DataType as DataType,
} from '../onnx/proto/onnx_pb.js';
import type {
  AttributeProtoSchema,
  NodeProtoSchema,
  TensorProtoSchema,
  ValueInfoProtoSchema,
} from '../onnx/proto/onnx_pb.js';
import { encodeModel } from './encode.js';
import type { EncodedModel, SeededWeight } from './encode.js';
import type { Distribution } from './fill.js';

/** Operator set 17 (LayerNormalization) and its IR version: what current runtimes and tools all read. */
const OPSET = 17n;
const IR_VERSION = 8n;
/** Up to this many elements a constant weight is written out: an operator that makes it would be larger. */
const WRITTEN_OUT_ELEMENTS = 32;

export type ElementType = 'float32' | 'int64';

/** A tensor of the graph under construction. */
export interface Value {
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: ElementType;
}

/** Stands for an optional input that is left out. */
export const ABSENT: Value = { name: '', shape: [], type: 'float32' };

export type Attribute =
  | { readonly int: number }
  | { readonly ints: readonly number[] }
  | { readonly float: number }
  | { readonly string: string };

export interface NodeSpec {
  readonly inputs: readonly Value[];
  readonly shape: readonly number[];
  readonly type?: ElementType;
  readonly attributes?: Readonly<Record<string, Attribute>>;
}

export interface BuilderOptions {
  /** Seed of the random weights: an integer from 0 to 2^32 - 1. */
  readonly seed: number;
  /** `constant`: one ConstantOfShape operator per big weight, for a file of some 10 to 100 KB. */
  readonly weights: 'random' | 'constant';
}

export class GraphBuilder {
  /** Learned parameters so far. */
  parameters = 0;
  /** Multiply-accumulates so far, for the whole batch. */
  macs = 0;
  readonly inputs: Value[] = [];
  readonly #nodes: MessageInitShape<typeof NodeProtoSchema>[] = [];
  readonly #values: MessageInitShape<typeof ValueInfoProtoSchema>[] = [];
  readonly #constants = new Map<string, Value>();
  readonly #initializers: MessageInitShape<typeof TensorProtoSchema>[] = [];
  readonly #weights: SeededWeight[] = [];
  readonly #names = new Set<string>();

  constructor(
    private readonly name: string,
    private readonly options: BuilderOptions,
  ) {}

  /** An input of the model. */
  input(name: string, shape: readonly number[], type: ElementType = 'float32'): Value {
    const value = this.#value(name, shape, type);
    this.inputs.push(value);
    return value;
  }

  /** Adds one operator with one output of its name. The output's shape is the caller's to know. */
  node(name: string, operator: string, spec: NodeSpec): Value {
    return this.nodeOf([name], name, operator, spec)[0]!;
  }

  /** Adds one operator whose outputs have names of their own and all the same shape. */
  nodeOf(outputNames: readonly string[], name: string, operator: string, spec: NodeSpec): Value[] {
    const outputs = outputNames.map((output) => this.#value(output, spec.shape, spec.type ?? 'float32'));
    this.#nodes.push({
      name,
      opType: operator,
      input: spec.inputs.map((input) => input.name),
      output: [...outputNames],
      attribute: Object.entries(spec.attributes ?? {}).map(([key, value]) => attributeProto(key, value)),
    });
    this.#values.push(...outputs.map(valueInfo));
    return outputs;
  }

  /** A learned float32 tensor. */
  parameter(name: string, shape: readonly number[], distribution: Distribution): Value {
    this.parameters += elementsOf(shape);
    return this.statistic(name, shape, distribution);
  }

  /** A float32 tensor that is stored with the weights but not learned: a running mean or variance. */
  statistic(name: string, shape: readonly number[], distribution: Distribution): Value {
    if (this.options.weights === 'constant' && elementsOf(shape) > WRITTEN_OUT_ELEMENTS) {
      return this.#constantOfShape(name, shape, distribution.constant);
    }
    const value = this.#value(name, shape, 'float32');
    this.#weights.push({ name, shape, distribution });
    return value;
  }

  /** A scalar constant of an operator; asked for again under the same name, it is the same tensor. */
  scalar(name: string, value: number): Value {
    return this.#constant(name, 'float32', [], { dataType: DataType.FLOAT, floatData: [value] });
  }

  /** A list of numbers that an operator takes as an input: the factors of Resize. */
  floats(name: string, values: readonly number[]): Value {
    return this.#constant(name, 'float32', [values.length], {
      dataType: DataType.FLOAT,
      floatData: [...values],
    });
  }

  /** A list of integers: the axes or the shape that an operator takes as an input. */
  integers(name: string, values: readonly number[]): Value {
    return this.#constant(name, 'int64', [values.length], {
      dataType: DataType.INT64,
      int64Data: values.map(BigInt),
    });
  }

  /** One integer without dimensions, as Gather takes to drop an axis. */
  integer(name: string, value: number): Value {
    return this.#constant(name, 'int64', [], { dataType: DataType.INT64, int64Data: [BigInt(value)] });
  }

  /** The finished model. */
  encode(outputs: readonly Value[]): EncodedModel {
    const returned = new Set(outputs.map((output) => output.name));
    const graph = create(GraphProtoSchema, {
      name: this.name,
      node: this.#nodes,
      initializer: this.#initializers,
      input: this.inputs.map(valueInfo),
      output: outputs.map(valueInfo),
      valueInfo: this.#values.filter((value) => !returned.has(value.name ?? '')),
    });
    const model = create(ModelProtoSchema, {
      irVersion: IR_VERSION,
      producerName: 'cutpoint zoo',
      opsetImport: [{ domain: '', version: OPSET }],
    });
    return encodeModel(model, graph, this.#weights, this.options.seed);
  }

  #value(name: string, shape: readonly number[], type: ElementType): Value {
    if (this.#names.has(name)) throw new Error(`two tensors of ${this.name} are called ${name}`);
    if (shape.some((extent) => !Number.isInteger(extent) || extent < 1)) {
      throw new Error(`tensor ${name} of ${this.name} has no valid shape: [${shape.join(', ')}]`);
    }
    this.#names.add(name);
    return { name, shape, type };
  }

  #constant(
    name: string,
    type: ElementType,
    shape: readonly number[],
    content: MessageInitShape<typeof TensorProtoSchema>,
  ): Value {
    const known = this.#constants.get(name);
    if (known) return known;
    const value = this.#value(name, shape, type);
    this.#constants.set(name, value);
    this.#initializers.push({ name, dims: shape.map(BigInt), ...content });
    return value;
  }

  #constantOfShape(name: string, shape: readonly number[], value: number): Value {
    const tensor = {
      name: 'value',
      dims: [1n],
      dataType: DataType.FLOAT,
      floatData: [value],
    };
    this.#nodes.push({
      name,
      opType: 'ConstantOfShape',
      input: [this.integers(`${name}.shape`, shape).name],
      output: [name],
      attribute: [{ name: 'value', type: AttributeType.TENSOR, t: tensor }],
    });
    return this.#value(name, shape, 'float32');
  }
}

/** Number of elements of a tensor of this shape. */
export function elementsOf(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

function valueInfo({ name, shape, type }: Value): MessageInitShape<typeof ValueInfoProtoSchema> {
  const dim = shape.map((extent) => ({
    value: { case: 'dimValue' as const, value: BigInt(extent) },
  }));
  const elemType = type === 'float32' ? DataType.FLOAT : DataType.INT64;
  return { name, type: { value: { case: 'tensorType', value: { elemType, shape: { dim } } } } };
}

function attributeProto(name: string, value: Attribute): MessageInitShape<typeof AttributeProtoSchema> {
  if ('int' in value) return { name, type: AttributeType.INT, i: BigInt(value.int) };
  if ('ints' in value) return { name, type: AttributeType.INTS, ints: value.ints.map(BigInt) };
  if ('float' in value) return { name, type: AttributeType.FLOAT, f: value.float };
  return { name, type: AttributeType.STRING, s: Buffer.from(value.string) };
}
