/** The operators of the original model in execution order: the ground on which layers are formed. */
import { ImportRefused } from '../control/ports.js';
import { elementTypeName } from './elementTypes.js';
import type { GraphProto, NodeProto } from './proto/onnx_pb.js';
import { storedBytes, storedShape } from './storedTensors.js';
import { topologicalOrder } from './topologicalOrder.js';
import { bodiesOf, namesRead } from './walk.js';

export interface Operator {
  /** Place in `OperatorGraph.operators`. */
  readonly index: number;
  /** Unique; made up for operators that have no name or share one. */
  readonly name: string;
  readonly type: string;
  readonly domain: string;
  /** What it reads, with what its bodies capture; no empty names. */
  readonly reads: readonly string[];
  /** What it writes; no empty names. */
  readonly writes: readonly string[];
  readonly node: NodeProto;
}

export interface StoredTensor {
  readonly type: string;
  readonly shape: readonly number[];
  readonly bytes: number;
}

export interface DeclaredInput {
  readonly name: string;
  readonly type: string;
  /** A number, a symbol's name, or null where nothing is said; the whole is null where even the rank is unknown. */
  readonly dimensions: readonly (number | string | null)[] | null;
}

export interface OperatorGraph {
  /** Those that lead to an output; every producer stands before its consumers. */
  readonly operators: readonly Operator[];
  /** Index of the operator that writes a name. */
  readonly producerOf: ReadonlyMap<string, number>;
  /** Indices of the operators that read a name, ascending. */
  readonly consumersOf: ReadonlyMap<string, readonly number[]>;
  /** Index of the operator of a (unique) name. */
  readonly operatorNamed: ReadonlyMap<string, number>;
  readonly stored: ReadonlyMap<string, StoredTensor>;
  /** Inputs that must be given at run time: initialisers that are listed as inputs are weights. */
  readonly inputs: readonly DeclaredInput[];
  /** In the model's order, without repetition. */
  readonly outputs: readonly string[];
}

/**
 * Sorts the operators and links them by the names they read and write.
 * @throws ImportRefused `bad-graph` for a circle, a name written twice or one that nobody writes
 */
export function buildOperatorGraph(graph: GraphProto): OperatorGraph {
  const stored = storedTensors(graph);
  const inputs = graph.input.filter((input) => !stored.has(input.name)).map(declaredInput);
  const names = uniqueNames(graph.node);
  const outputs = [...new Set(graph.output.map((output) => output.name))];
  const given = new Set([...stored.keys(), ...inputs.map((each) => each.name)]);
  const places = leadingToOutputs(graph.node, sortNodes(graph.node, given), outputs);
  const operators = places.map((place, index): Operator => {
    const node = graph.node[place]!;
    return {
      index,
      name: names[place]!,
      type: node.opType,
      domain: node.domain === 'ai.onnx' ? '' : node.domain,
      reads: namesRead(node),
      writes: node.output.filter((name) => name !== ''),
      node,
    };
  });
  const producerOf = new Map<string, number>();
  const consumersOf = new Map<string, number[]>();
  for (const { index, reads, writes } of operators) {
    for (const name of writes) producerOf.set(name, index);
    for (const name of reads) {
      const known = consumersOf.get(name);
      if (known === undefined) consumersOf.set(name, [index]);
      else known.push(index);
    }
  }
  for (const name of outputs) {
    if (!producerOf.has(name) && !stored.has(name) && !inputs.some((input) => input.name === name)) {
      throw new ImportRefused('bad-graph', `The output "${name}" is written by no operator.`);
    }
  }
  const operatorNamed = new Map(operators.map(({ name, index }) => [name, index]));
  return { operators, producerOf, consumersOf, operatorNamed, stored, inputs, outputs };
}

function storedTensors(graph: GraphProto): Map<string, StoredTensor> {
  const stored = new Map<string, StoredTensor>();
  for (const tensor of graph.initializer) {
    stored.set(tensor.name, {
      type: elementTypeName(tensor.dataType) ?? 'undefined',
      shape: storedShape(tensor),
      bytes: storedBytes(tensor),
    });
  }
  for (const { values, indices, dims } of graph.sparseInitializer) {
    if (values === undefined) continue;
    stored.set(values.name, {
      type: elementTypeName(values.dataType) ?? 'undefined',
      shape: dims.map(Number),
      bytes: storedBytes(values) + (indices === undefined ? 0 : storedBytes(indices)),
    });
  }
  return stored;
}

function declaredInput(input: GraphProto['input'][number]): DeclaredInput {
  const type = input.type?.value;
  if (type?.case !== 'tensorType') throw new TypeError(`input ${input.name} is no tensor`); // checked on reading
  const name = elementTypeName(type.value.elemType);
  if (name === null) {
    throw new ImportRefused(
      'bad-tensor',
      `The input "${input.name}" has the unknown element type ${type.value.elemType}.`,
    );
  }
  const dimensions =
    type.value.shape?.dim.map(({ value }) => {
      if (value.case === 'dimValue') return value.value < 0n ? null : Number(value.value);
      return value.case === 'dimParam' && value.value !== '' ? value.value : null;
    }) ?? null;
  return { name: input.name, type: name, dimensions };
}

/** Names to find operators by in what the runtime tells: unique over the whole graph. */
function uniqueNames(nodes: readonly NodeProto[]): string[] {
  const taken = new Set<string>();
  return nodes.map((node, place) => {
    let name = node.name;
    for (let attempt = 0; name === '' || taken.has(name); attempt += 1) {
      name = `${node.name || node.opType}_op${place}${attempt === 0 ? '' : `_${attempt}`}`;
    }
    taken.add(name);
    return name;
  });
}

/** Places of the nodes in an order of execution; where several could run, the one that the file has first. */
function sortNodes(nodes: readonly NodeProto[], given: ReadonlySet<string>): number[] {
  const writer = new Map<string, number>();
  nodes.forEach((node, place) => {
    for (const name of node.output) {
      if (name === '') continue;
      if (writer.has(name) || given.has(name)) {
        throw new ImportRefused('bad-graph', `The tensor "${name}" is written twice.`);
      }
      writer.set(name, place);
    }
  });
  const waitingFor = nodes.map(() => 0);
  const readers = nodes.map((): number[] => []);
  nodes.forEach((node, place) => {
    for (const name of namesRead(node)) {
      const from = writer.get(name);
      if (from !== undefined) {
        waitingFor[place]! += 1;
        readers[from]!.push(place);
      } else if (!given.has(name) && bodiesOf(node).length === 0) {
        throw new ImportRefused(
          'bad-graph',
          `"${node.name || node.opType}" reads "${name}", which nobody writes.`,
        );
      }
    }
  });
  const order = topologicalOrder(waitingFor, readers);
  if (order.length < nodes.length) {
    throw new ImportRefused('bad-graph', 'The operators of the model depend on one another in a circle.');
  }
  return order;
}

/** Places (in the order given) of the operators that lead to an output: nobody needs to run the others. */
function leadingToOutputs(
  nodes: readonly NodeProto[],
  order: readonly number[],
  outputs: readonly string[],
): number[] {
  const needed = new Set(outputs);
  return order
    .toReversed()
    .filter((place) => {
      const leads = nodes[place]!.output.some((name) => needed.has(name));
      if (leads) for (const name of namesRead(nodes[place]!)) needed.add(name);
      return leads;
    })
    .reverse();
}
