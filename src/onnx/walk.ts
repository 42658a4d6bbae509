/** Walks over graphs inside graphs: the bodies of If, Loop, Scan and their like. */
import { ImportRefused } from '../control/ports.js';
import type { GraphProto, NodeProto, TensorProto } from './proto/onnx_pb.js';

/** Deeper nesting than any real model: a file that claims more is out to break something. */
const MAX_DEPTH = 64;

/** The graphs that are attributes of a node. */
export function bodiesOf(node: NodeProto): GraphProto[] {
  return node.attribute.flatMap((attribute) =>
    attribute.g === undefined ? attribute.graphs : [attribute.g, ...attribute.graphs],
  );
}

/** The graph itself and all bodies below it, outermost first. @throws ImportRefused `bad-graph` above 64 levels */
export function* graphsWithin(graph: GraphProto, depth = 0): Generator<GraphProto> {
  if (depth > MAX_DEPTH) {
    throw new ImportRefused('bad-graph', `Branches and loops are nested more than ${MAX_DEPTH} deep.`);
  }
  yield graph;
  for (const node of graph.node) {
    for (const body of bodiesOf(node)) yield* graphsWithin(body, depth + 1);
  }
}

/** All nodes of a graph and of the bodies below it. */
export function* nodesWithin(graph: GraphProto): Generator<NodeProto> {
  for (const each of graphsWithin(graph)) yield* each.node;
}

/** Tensors stored in one graph (not in its bodies): initialisers and tensor attributes such as Constant's. */
export function* tensorsStoredIn(graph: GraphProto): Generator<TensorProto> {
  yield* graph.initializer;
  for (const sparse of graph.sparseInitializer) {
    if (sparse.values !== undefined) yield sparse.values;
    if (sparse.indices !== undefined) yield sparse.indices;
  }
  for (const node of graph.node) {
    for (const attribute of node.attribute) {
      if (attribute.t !== undefined) yield attribute.t;
      yield* attribute.tensors;
    }
  }
}

/**
 * Names that a node reads: its inputs, and the names of the outer graph that its bodies capture.
 * Without repetition, in order of first mention, the empty name of an absent optional input left out.
 */
export function namesRead(node: NodeProto): string[] {
  const names = new Set(node.input.filter((name) => name !== ''));
  for (const body of bodiesOf(node)) for (const name of capturedBy(body)) names.add(name);
  return [...names];
}

/** Names that a body reads but does not define. */
function capturedBy(body: GraphProto): Set<string> {
  const defined = new Set<string>();
  for (const input of body.input) defined.add(input.name);
  for (const tensor of body.initializer) defined.add(tensor.name);
  for (const sparse of body.sparseInitializer) if (sparse.values) defined.add(sparse.values.name);
  for (const node of body.node) for (const output of node.output) defined.add(output);
  const captured = new Set<string>();
  for (const node of body.node) {
    for (const name of namesRead(node)) if (!defined.has(name)) captured.add(name);
  }
  // A branch may return a value of the outer graph as it is.
  for (const output of body.output) if (!defined.has(output.name)) captured.add(output.name);
  return captured;
}
