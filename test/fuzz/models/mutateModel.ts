/**
 * Makes a wrong model of a right one: on the bytes, as a bad disk or link would, and on the decoded message, as a
 * buggy exporter or someone with ill intent would. The same seed gives the same files.
 */
import { clone, create, fromBinary, toBinary } from '@bufbuild/protobuf';
import {
  type AttributeProto,
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  type GraphProto,
  GraphProtoSchema,
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  type ValueInfoProto,
} from '../../../src/onnx/proto/onnx_pb.js';
import type { Random } from '../../../src/demo/random.js';

export interface Mutated {
  readonly bytes: Uint8Array;
  /** What was done, for the report of a finding. */
  readonly how: string;
}

const oddNumbers = [0n, 1n, -1n, 2n, 7n, 255n, 2n ** 31n - 1n, -(2n ** 31n), 2n ** 40n, 2n ** 63n - 1n];
const oddTexts = [
  '',
  ' ',
  '\0',
  '../../etc/passwd',
  'x'.repeat(5_000),
  'Conv',
  'ai.onnx',
  '💥',
  '__proto__',
  'a"b',
  'a\\b',
];
const operators = [
  'Conv',
  'Relu',
  'Add',
  'Loop',
  'If',
  'Scan',
  'Reshape',
  'Concat',
  'Identity',
  'NoSuchOperator',
];

const whole = (random: Random, below: number): number => Math.floor(random.uniform() * below);
const pick = <T>(random: Random, list: readonly T[]): T | undefined => list[whole(random, list.length)];

/** One to four mutations, on the bytes or on the message. */
export function mutateModel(original: Uint8Array, random: Random): Mutated {
  const times = 1 + whole(random, 4);
  return random.uniform() < 0.5
    ? bytesMutated(original, random, times)
    : messageMutated(original, random, times);
}

function bytesMutated(original: Uint8Array, random: Random, times: number): Mutated {
  let bytes: Uint8Array = Uint8Array.from(original);
  const done: string[] = [];
  for (let time = 0; time < times && bytes.length > 0; time++) {
    const name = pick(random, Object.keys(byteMutations))! as keyof typeof byteMutations;
    bytes = byteMutations[name](bytes, random);
    done.push(name);
  }
  return { bytes, how: done.join(', ') };
}

const byteMutations = {
  flip(bytes: Uint8Array, random: Random): Uint8Array {
    for (let count = 1 + whole(random, 16); count > 0; count--) {
      bytes[whole(random, bytes.length)]! ^= 1 << whole(random, 8);
    }
    return bytes;
  },
  /** The first bytes hold the structure; a flip among the weights changes nothing that is looked at. */
  flipEarly(bytes: Uint8Array, random: Random): Uint8Array {
    bytes[whole(random, Math.min(bytes.length, 200))] = whole(random, 256);
    return bytes;
  },
  truncate: (bytes: Uint8Array, random: Random) => bytes.slice(0, whole(random, bytes.length)),
  remove(bytes: Uint8Array, random: Random): Uint8Array {
    const start = whole(random, bytes.length);
    return Buffer.concat([bytes.subarray(0, start), bytes.subarray(start + 1 + whole(random, 32))]);
  },
  repeat(bytes: Uint8Array, random: Random): Uint8Array {
    const start = whole(random, bytes.length);
    const part = bytes.subarray(start, start + 1 + whole(random, 64));
    return Buffer.concat([bytes.subarray(0, start), part, bytes.subarray(start)]);
  },
  insert(bytes: Uint8Array, random: Random): Uint8Array {
    const start = whole(random, bytes.length);
    const noise = Uint8Array.from({ length: 1 + whole(random, 16) }, () => whole(random, 256));
    return Buffer.concat([bytes.subarray(0, start), noise, bytes.subarray(start)]);
  },
} satisfies Record<string, (bytes: Uint8Array, random: Random) => Uint8Array>;

function messageMutated(original: Uint8Array, random: Random, times: number): Mutated {
  let model: ModelProto;
  try {
    model = clone(ModelProtoSchema, fromBinary(ModelProtoSchema, original));
  } catch {
    return bytesMutated(original, random, times); // a seed that cannot be decoded has only its bytes
  }
  const done: string[] = [];
  for (let time = 0; time < times; time++) {
    const name = pick(random, Object.keys(messageMutations))! as keyof typeof messageMutations;
    if (messageMutations[name](model, (model.graph ??= create(GraphProtoSchema)), random)) done.push(name);
  }
  return { bytes: toBinary(ModelProtoSchema, model), how: done.join(', ') || 'nothing' };
}

/** The nodes so far as the branch of an If. */
function branch(graph: GraphProto): AttributeProto {
  const g = create(GraphProtoSchema, { name: 'branch', node: graph.node });
  return create(AttributeProtoSchema, { name: 'then_branch', type: AttributeProto_AttributeType.GRAPH, g });
}

/** Each changes the model in place; false where there was nothing to change. */
const messageMutations = {
  dropNode: (_model: ModelProto, graph: GraphProto, random: Random) =>
    graph.node.splice(whole(random, graph.node.length), 1).length > 0,
  repeatNode: (_model: ModelProto, graph: GraphProto, random: Random) =>
    withNode(graph, random, (node) => graph.node.push(node)),
  swapNodes(_model: ModelProto, graph: GraphProto, random: Random) {
    graph.node.sort(() => random.uniform() - 0.5);
    return true;
  },
  renameTensor: (_model: ModelProto, graph: GraphProto, random: Random) =>
    withNode(graph, random, (node) => {
      const list = random.uniform() < 0.5 ? node.input : node.output;
      if (list.length > 0) list[whole(random, list.length)] = pick(random, oddTexts)!;
    }),
  /** A node reads what a later one writes: a circle, or the wrong shape. */
  rewire: (_model: ModelProto, graph: GraphProto, random: Random) =>
    withNode(graph, random, (node) => {
      const other = pick(random, graph.node)!;
      const written = pick(random, other.output);
      if (written !== undefined && node.input.length > 0)
        node.input[whole(random, node.input.length)] = written;
    }),
  otherOperator: (_model: ModelProto, graph: GraphProto, random: Random) =>
    withNode(graph, random, (node) => (node.opType = pick(random, operators)!)),
  otherDomain: (_model: ModelProto, graph: GraphProto, random: Random) =>
    withNode(graph, random, (node) => (node.domain = pick(random, oddTexts)!)),
  attribute: (_model: ModelProto, graph: GraphProto, random: Random) =>
    withNode(graph, random, (node) => attributeMutated(node, random)),
  initializer(_model: ModelProto, graph: GraphProto, random: Random) {
    const tensor = pick(random, graph.initializer);
    if (tensor === undefined) return false;
    if (random.uniform() < 0.5 && tensor.dims.length > 0) {
      tensor.dims[whole(random, tensor.dims.length)] = pick(random, oddNumbers)!;
    } else if (random.uniform() < 0.5) tensor.dataType = whole(random, 25);
    else tensor.rawData = tensor.rawData.slice(0, whole(random, tensor.rawData.length + 1));
    return true;
  },
  dropInitializer: (_model: ModelProto, graph: GraphProto, random: Random) =>
    graph.initializer.splice(whole(random, graph.initializer.length), 1).length > 0,
  shape(_model: ModelProto, graph: GraphProto, random: Random) {
    const value = pick(random, [...graph.input, ...graph.output, ...graph.valueInfo]);
    return value === undefined ? false : shapeMutated(value, random);
  },
  dropInput: (_model: ModelProto, graph: GraphProto) => graph.input.pop() !== undefined,
  dropOutput: (_model: ModelProto, graph: GraphProto) => graph.output.pop() !== undefined,
  nest: (_model: ModelProto, graph: GraphProto, random: Random) =>
    withNode(graph, random, (node) => {
      for (let depth = whole(random, 200); depth > 0; depth--) {
        graph.node = [
          create(NodeProtoSchema, {
            opType: 'If',
            input: ['c'],
            output: node.output,
            attribute: [branch(graph)],
          }),
        ];
      }
    }),
  opset(model: ModelProto, _graph: GraphProto, random: Random) {
    const opset = pick(random, model.opsetImport);
    if (opset === undefined) return false;
    if (random.uniform() < 0.5) opset.version = pick(random, oddNumbers)!;
    else opset.domain = pick(random, oddTexts)!;
    return true;
  },
  irVersion(model: ModelProto, _graph: GraphProto, random: Random) {
    model.irVersion = pick(random, oddNumbers)!;
    return true;
  },
} satisfies Record<string, (model: ModelProto, graph: GraphProto, random: Random) => boolean>;

function withNode(graph: GraphProto, random: Random, change: (node: NodeProto) => unknown): boolean {
  const node = pick(random, graph.node);
  if (node === undefined) return false;
  change(node);
  return true;
}

function attributeMutated(node: NodeProto, random: Random): void {
  const attribute: AttributeProto | undefined = pick(random, node.attribute);
  if (attribute === undefined) return;
  const kind = whole(random, 5);
  if (kind === 0) attribute.i = pick(random, oddNumbers)!;
  else if (kind === 1) attribute.ints = attribute.ints.map(() => pick(random, oddNumbers)!);
  else if (kind === 2) attribute.type = whole(random, 15);
  else if (kind === 3) attribute.name = pick(random, oddTexts)!;
  else node.attribute.splice(node.attribute.indexOf(attribute), 1);
}

function shapeMutated(value: ValueInfoProto, random: Random): boolean {
  const type = value.type?.value;
  if (type?.case !== 'tensorType') return false;
  if (random.uniform() < 0.3) {
    type.value.elemType = whole(random, 25);
    return true;
  }
  const dimension = pick(random, type.value.shape?.dim ?? []);
  if (dimension === undefined) return false;
  dimension.value =
    random.uniform() < 0.8
      ? { case: 'dimValue', value: pick(random, oddNumbers)! }
      : { case: 'dimParam', value: pick(random, oddTexts)! };
  return true;
}
