/**
 * The graph that the runtime really runs, and how its nodes and tensors lead back to the original model.
 *
 * Fusion, constant folding and layout changes rename and drop tensors. What remains recognisable: most
 * nodes still end in a tensor of the original model; those that do not carry its name with a prefix (a
 * cast around an operator in half precision), or carry it in their own name (the NCHWc layout).
 */
import { fromBinary } from '@bufbuild/protobuf';
import { elementTypeName } from './elementTypes.js';
import { type GraphProto, ModelProtoSchema } from './proto/onnx_pb.js';
import type { NodeEvent } from './profileEvents.js';
import { storedBytes, storedShape } from './storedTensors.js';
import type { StoredTensor } from './operatorGraph.js';
import { graphsWithin, bodiesOf, namesRead, nodesWithin, tensorsStoredIn } from './walk.js';

export interface RuntimeNode {
  readonly index: number;
  readonly name: string;
  readonly operator: string;
  readonly reads: readonly string[];
  readonly writes: readonly string[];
  /** Bytes of the constants inside its bodies (branches, loops). */
  readonly bodyBytes: number;
  /** Whether its result depends on an input of the model. */
  readonly dynamic: boolean;
}

export interface RuntimeGraph {
  /** In an order of execution. */
  readonly nodes: readonly RuntimeNode[];
  readonly stored: ReadonlyMap<string, StoredTensor>;
  /** Index of the node that writes a name. */
  readonly producerOf: ReadonlyMap<string, number>;
  /** Names of nodes inside branches and loops: their time is part of the node that holds them. */
  readonly bodyNames: ReadonlySet<string>;
}

/** Operators whose results differ from run to run: they are run, not kept, even where they read no input. */
const RANDOM_OPERATORS: ReadonlySet<string> = new Set([
  'RandomNormal',
  'RandomNormalLike',
  'RandomUniform',
  'RandomUniformLike',
  'Multinomial',
  'Bernoulli',
]);

export function isRandom(operator: string): boolean {
  return RANDOM_OPERATORS.has(operator);
}

/** Reads the graph that the runtime wrote. `inputs` are the names that are fed at run time. */
export function readRuntimeGraph(optimizedModel: Uint8Array, inputs: readonly string[]): RuntimeGraph {
  const graph = fromBinary(ModelProtoSchema, optimizedModel).graph;
  if (graph === undefined) throw new Error('the runtime wrote a model without a graph');
  const stored = new Map<string, StoredTensor>();
  for (const tensor of graph.initializer) {
    stored.set(tensor.name, {
      type: elementTypeName(tensor.dataType) ?? 'undefined',
      shape: storedShape(tensor),
      bytes: storedBytes(tensor),
    });
  }
  for (const { values, dims } of graph.sparseInitializer) {
    if (values === undefined) continue;
    stored.set(values.name, { type: 'undefined', shape: dims.map(Number), bytes: storedBytes(values) });
  }
  const dynamicNames = new Set(inputs);
  const producerOf = new Map<string, number>();
  const nodes = graph.node.map((node, index): RuntimeNode => {
    const reads = namesRead(node);
    const writes = node.output.filter((name) => name !== '');
    const dynamic = isRandom(node.opType) || reads.some((name) => dynamicNames.has(name));
    for (const name of writes) {
      producerOf.set(name, index);
      if (dynamic) dynamicNames.add(name);
    }
    const bodyBytes = bodiesOf(node).reduce((sum, body) => sum + bytesWithin(body), 0);
    return { index, name: node.name, operator: node.opType, reads, writes, bodyBytes, dynamic };
  });
  const mainNames = new Set(nodes.map((node) => node.name));
  const bodyNames = new Set<string>();
  for (const node of graph.node.flatMap(bodiesOf).flatMap((body) => [...nodesWithin(body)])) {
    if (!mainNames.has(node.name)) bodyNames.add(node.name);
  }
  return { nodes, stored, producerOf, bodyNames };
}

/** A body's stored tensors, each once: the runtime lists those of bodies twice where it writes weights to a file of their own. */
function bytesWithin(body: GraphProto): number {
  let bytes = 0;
  for (const graph of graphsWithin(body)) {
    const seen = new Set<string>();
    for (const tensor of tensorsStoredIn(graph)) {
      if (tensor.name !== '' && seen.has(tensor.name)) continue;
      seen.add(tensor.name);
      bytes += storedBytes(tensor);
    }
  }
  return bytes;
}

/** Ways in which the runtime derives a name from that of a tensor. */
const DERIVED_NAME = /^(?:InsertedPrecisionFreeCast_|InsertedCast_)?(.+?)(?:_nchwc)?$/;

/** The tensor of the original model that a runtime name stands for, or null; `known` tells the original names. */
export function originalTensor(runtimeName: string, known: (name: string) => boolean): string | null {
  if (known(runtimeName)) return runtimeName;
  const inner = DERIVED_NAME.exec(runtimeName)?.[1];
  return inner !== undefined && inner !== runtimeName && known(inner) ? inner : null;
}

/** True for a name that stands for a half-precision tensor which the runtime computes in single precision. */
export function isWidened(runtimeName: string): boolean {
  return runtimeName.startsWith('InsertedPrecisionFreeCast_');
}

interface JoinedRun {
  /** Per node of the graph; null where the run has no event of it. */
  readonly events: readonly (NodeEvent | null)[];
  /** Seconds of main-graph events that no node claims. */
  readonly strayedSeconds: number;
}

/**
 * Finds the node of each event of a run. Nodes are found by name and operator; those that the runtime
 * left unnamed (its profile calls them by operator and a running number) by operator and order.
 */
export function joinRun(graph: RuntimeGraph, run: readonly NodeEvent[]): JoinedRun {
  const waiting = new Map<string, number[]>();
  const key = (name: string, operator: string): string => `${operator}\n${name}`;
  for (const node of graph.nodes) {
    const at = key(node.name, node.operator);
    const queue = waiting.get(at);
    if (queue === undefined) waiting.set(at, [node.index]);
    else queue.push(node.index);
  }
  const events: (NodeEvent | null)[] = graph.nodes.map(() => null);
  let strayedSeconds = 0;
  for (const event of run) {
    if (graph.bodyNames.has(event.name)) continue;
    const generated = event.name.startsWith(`${event.operator}_`);
    const queue =
      nonEmpty(waiting.get(key(event.name, event.operator))) ??
      (generated ? nonEmpty(waiting.get(key('', event.operator))) : undefined);
    const index = queue?.shift();
    if (index === undefined) strayedSeconds += event.seconds;
    else events[index] = event;
  }
  return { events, strayedSeconds };
}

function nonEmpty(queue: number[] | undefined): number[] | undefined {
  return queue === undefined || queue.length === 0 ? undefined : queue;
}
