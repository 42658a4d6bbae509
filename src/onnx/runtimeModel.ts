/**
 * The model as it is given to the runtime: the original, with shapes fixed and every operator named.
 *
 * Its bytes hold no large weights. They are external data that points into the buffer the original file
 * was read into, so that a file of hundreds of megabytes is never copied or encoded again.
 */
import { create, toBinary } from '@bufbuild/protobuf';
import type { DecodedModel } from './decode.js';
import type { ChosenInput } from './inputs.js';
import type { OperatorGraph } from './operatorGraph.js';
import {
  type GraphProto,
  ModelProtoSchema,
  type NodeProto,
  StringStringEntryProtoSchema,
  type TensorProto,
  TensorProto_DataLocation,
  TensorShapeProto_DimensionSchema,
  TensorShapeProtoSchema,
  type ValueInfoProto,
} from './proto/onnx_pb.js';

export interface RuntimeModel {
  readonly bytes: Uint8Array;
  readonly externalData: readonly { readonly path: string; readonly data: Uint8Array }[];
}

/** Weights below this stay in the model itself. */
const INLINE_BYTES = 1024;
/** Name under which the buffer of the original file is known to the runtime. */
const MODEL_DATA = 'cutpoint-model-file';

/**
 * Builds what `runModel` loads. Weights that were listed as inputs become constants, which lets the runtime fuse them.
 * @param fixShapes whether the inputs take the chosen shapes, so that the runtime can fold what only depends on them
 */
export function buildRuntimeModel(
  decoded: DecodedModel,
  operators: OperatorGraph,
  inputs: readonly ChosenInput[],
  fixShapes: boolean,
): RuntimeModel {
  const { proto, graph } = decoded;
  const outside = (tensor: TensorProto): TensorProto => pointIntoFile(tensor, decoded.bytes);
  const initializer = graph.initializer.map(outside);
  const node: NodeProto[] = [];
  let bodies = 0;
  const nameBody = (): string => `cutpoint-body-${(bodies += 1)}`;
  for (const operator of operators.operators) {
    const constant = constantOf(operator.node);
    const moved = constant === null ? null : outside(constant);
    if (moved !== null && moved !== constant) initializer.push({ ...moved, name: operator.node.output[0]! });
    else node.push({ ...withNamedBodies(operator.node, nameBody), name: operator.name });
  }
  const shapes = new Map(inputs.map((input) => [input.name, input.shape]));
  const changed: GraphProto = {
    ...graph,
    node,
    initializer,
    input: graph.input
      .filter((input) => shapes.has(input.name))
      .map((input) => (fixShapes ? withShape(input, shapes.get(input.name)!) : input)),
    output: graph.output.map(withoutShape),
    // What exporters noted of shapes inside may contradict the shapes chosen now.
    valueInfo: [],
  };
  // Before version 4 every weight had to be listed as an input, where here none is.
  const irVersion = proto.irVersion < 4n ? 4n : proto.irVersion;
  return {
    bytes: toBinary(ModelProtoSchema, { ...proto, irVersion, graph: changed }),
    externalData: [
      { path: MODEL_DATA, data: decoded.bytes },
      ...decoded.externalFiles.map(({ location, bytes }) => ({ path: location, data: bytes })),
    ],
  };
}

/** The tensor of a Constant operator that holds one. */
function constantOf(node: NodeProto): TensorProto | null {
  if (node.opType !== 'Constant' || node.output.length !== 1) return null;
  return node.attribute.find((attribute) => attribute.name === 'value')?.t ?? null;
}

/** The same tensor with its data left in the file; the very same object where it is small or lies elsewhere. */
function pointIntoFile(tensor: TensorProto, file: Uint8Array): TensorProto {
  const raw = tensor.rawData;
  if (raw.length < INLINE_BYTES || raw.buffer !== file.buffer) return tensor;
  const entry = (
    key: string,
    value: string,
  ): ReturnType<typeof create<typeof StringStringEntryProtoSchema>> =>
    create(StringStringEntryProtoSchema, { key, value });
  const moved: Partial<TensorProto> & Pick<TensorProto, '$typeName'> = {
    ...tensor,
    dataLocation: TensorProto_DataLocation.EXTERNAL,
    externalData: [
      entry('location', MODEL_DATA),
      entry('offset', `${raw.byteOffset - file.byteOffset}`),
      entry('length', `${raw.length}`),
    ],
  };
  delete moved.rawData;
  return moved as TensorProto;
}

/** Names the operators of bodies so that the runtime's profile cannot mix them up with those of the main graph. */
function withNamedBodies(node: NodeProto, nameBody: () => string): NodeProto {
  if (!node.attribute.some((attribute) => attribute.g !== undefined || attribute.graphs.length > 0))
    return node;
  const body = (graph: GraphProto): GraphProto => ({
    ...graph,
    node: graph.node.map((inner) => ({ ...withNamedBodies(inner, nameBody), name: nameBody() })),
  });
  return {
    ...node,
    attribute: node.attribute.map((attribute) => ({
      ...attribute,
      ...(attribute.g === undefined ? {} : { g: body(attribute.g) }),
      graphs: attribute.graphs.map(body),
    })),
  };
}

function withShape(value: ValueInfoProto, shape: readonly number[]): ValueInfoProto {
  const type = value.type;
  if (type?.value.case !== 'tensorType') return value;
  const dim = shape.map((dimension) =>
    create(TensorShapeProto_DimensionSchema, { value: { case: 'dimValue', value: BigInt(dimension) } }),
  );
  const tensor = { ...type.value.value, shape: create(TensorShapeProtoSchema, { dim }) };
  return { ...value, type: { ...type, value: { case: 'tensorType', value: tensor } } };
}

function withoutShape(value: ValueInfoProto): ValueInfoProto {
  const type = value.type;
  if (type?.value.case !== 'tensorType') return value;
  const tensor = { ...type.value.value };
  delete tensor.shape;
  return { ...value, type: { ...type, value: { case: 'tensorType', value: tensor } } };
}
