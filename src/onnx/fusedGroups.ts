/**
 * Groups of operators that the runtime executes as one: the graph it writes after fusion says so.
 *
 * A tensor of the original model that still exists there is a border. An operator belongs to the runtime
 * node that writes its tensor, or, where that tensor is gone, to the (first) node that its result flows
 * into. Since both run forwards, groups hardly ever wait for one another; where they do, or where the
 * tensor between them cannot be sent (a sequence, texts), they are made one.
 */
import type { OperatorGraph } from './operatorGraph.js';
import { originalTensor, type RuntimeGraph } from './runtimeGraph.js';
import type { KnownTensor } from './tensorFacts.js';

/** Group of each operator; null for operators that are constant or lead nowhere. */
export type Grouping = readonly (number | null)[];

/** @returns groups numbered by their first operator's place, so that the numbers are the same on every machine */
export function fuseAsRuntime(
  operators: OperatorGraph,
  dynamic: readonly boolean[],
  runtime: RuntimeGraph,
  facts: ReadonlyMap<string, KnownTensor>,
): Grouping {
  const isBorder = (name: string): boolean => dynamic[operators.producerOf.get(name) ?? -1] === true;
  const writerOf = new Map<string, number>();
  for (const node of runtime.nodes) {
    if (!node.dynamic) continue;
    for (const runtimeName of node.writes) {
      const name = originalTensor(runtimeName, isBorder);
      if (name !== null && !writerOf.has(name)) writerOf.set(name, node.index);
    }
  }
  const group: (number | null)[] = operators.operators.map(() => null);
  for (const operator of [...operators.operators].reverse()) {
    if (!dynamic[operator.index]) continue;
    const own = operator.writes.map((name) => writerOf.get(name)).filter((node) => node !== undefined);
    const readers = operator.writes
      .flatMap((name) => operators.consumersOf.get(name) ?? [])
      .map((reader) => group[reader])
      .filter((node) => node !== null && node !== undefined);
    const candidates = own.length > 0 ? own : readers;
    group[operator.index] =
      candidates.length > 0
        ? candidates.reduce((a, b) => Math.min(a, b))
        : runtime.nodes.length + operator.index;
  }
  return mergeCircles(operators, joinUnsendable(operators, group, facts));
}

/** Joins the groups on both sides of a tensor whose size is not known. */
function joinUnsendable(
  operators: OperatorGraph,
  group: Grouping,
  facts: ReadonlyMap<string, KnownTensor>,
): Grouping {
  const parent = new Map<number, number>();
  const root = (of: number): number => {
    let at = of;
    for (let up = parent.get(at); up !== undefined && up !== at; up = parent.get(at)) at = up;
    return at;
  };
  for (const operator of operators.operators) {
    const from = group[operator.index];
    if (from === null || from === undefined) continue;
    for (const name of operator.writes) {
      if (facts.has(name)) continue;
      for (const reader of operators.consumersOf.get(name) ?? []) {
        const to = group[reader];
        if (to !== null && to !== undefined && root(to) !== root(from)) parent.set(root(to), root(from));
      }
    }
  }
  return group.map((each) => (each === null ? null : root(each)));
}

/** Edges between groups, as a set of targets per group. */
export function groupEdges(operators: OperatorGraph, group: Grouping): Map<number, Set<number>> {
  const edges = new Map<number, Set<number>>();
  for (const operator of operators.operators) {
    const from = group[operator.index];
    if (from === null || from === undefined) continue;
    const targets = edges.get(from) ?? new Set<number>();
    edges.set(from, targets);
    for (const name of operator.writes) {
      for (const reader of operators.consumersOf.get(name) ?? []) {
        const to = group[reader];
        if (to !== null && to !== undefined && to !== from) targets.add(to);
      }
    }
  }
  return edges;
}

/** Makes one of all groups that wait for one another, and numbers the groups by their first operator. */
function mergeCircles(operators: OperatorGraph, group: Grouping): Grouping {
  const component = strongComponents(groupEdges(operators, group));
  const number = new Map<number, number>();
  return group.map((each, index) => {
    if (each === null) return null;
    const at = component.get(each) ?? each;
    const known = number.get(at);
    if (known !== undefined) return known;
    number.set(at, index);
    return index;
  });
}

/** Tarjan's algorithm without recursion: for each vertex a vertex that stands for its component. */
function strongComponents(edges: ReadonlyMap<number, ReadonlySet<number>>): Map<number, number> {
  const order = new Map<number, number>();
  const low = new Map<number, number>();
  const component = new Map<number, number>();
  const open: number[] = [];
  for (const start of edges.keys()) {
    if (order.has(start)) continue;
    const path = [{ vertex: start, rest: [...(edges.get(start) ?? [])] }];
    order.set(start, order.size);
    low.set(start, order.get(start)!);
    open.push(start);
    for (let frame = path.at(-1); frame !== undefined; frame = path.at(-1)) {
      const { vertex } = frame;
      const next = frame.rest.pop();
      if (next === undefined) {
        path.pop();
        const above = path.at(-1);
        if (above !== undefined) low.set(above.vertex, Math.min(low.get(above.vertex)!, low.get(vertex)!));
        if (low.get(vertex) !== order.get(vertex)) continue;
        for (let member = open.pop(); member !== undefined; member = open.pop()) {
          component.set(member, vertex);
          if (member === vertex) break;
        }
      } else if (!order.has(next)) {
        order.set(next, order.size);
        low.set(next, order.get(next)!);
        open.push(next);
        path.push({ vertex: next, rest: [...(edges.get(next) ?? [])] });
      } else if (!component.has(next)) {
        low.set(vertex, Math.min(low.get(vertex)!, order.get(next)!));
      }
    }
  }
  return component;
}
