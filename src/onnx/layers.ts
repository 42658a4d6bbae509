/** From groups of operators to the layer graph: order, tensors, weights, working sets, operations. */
import type { Layer, LayerGraph, Tensor } from '../core/layerGraph.js';
import { ImportRefused } from '../control/ports.js';
import { joinCheapGroups } from './cheapGroups.js';
import { findDynamicOperators } from './dynamicOperators.js';
import { elementCount } from './elementTypes.js';
import { fuseAsRuntime, groupEdges, type Grouping } from './fusedGroups.js';
import { countMacs } from './macs.js';
import { assignNodes, type LayerAssignment } from './nodeLayers.js';
import type { OperatorGraph } from './operatorGraph.js';
import type { RuntimeGraph } from './runtimeGraph.js';
import type { KnownTensor } from './tensorFacts.js';
import { topologicalOrder } from './topologicalOrder.js';
import { weightsByLayer } from './weights.js';

export interface Layering {
  readonly graph: LayerGraph;
  readonly assignment: LayerAssignment;
  /** Operators of the original model in each layer, by index, in execution order. */
  readonly members: readonly (readonly number[])[];
}

/**
 * Forms the layers of a model.
 * @param runtime the graph that the runtime wrote at the level `extended`, which defines what is fused
 * @throws ImportRefused `no-operators` where nothing depends on an input, `bad-graph` where an output is no tensor
 */
export function formLayers(
  name: string,
  operators: OperatorGraph,
  runtime: RuntimeGraph,
  facts: ReadonlyMap<string, KnownTensor>,
): Layering {
  const dynamic = findDynamicOperators(operators, runtime);
  const fused = fuseAsRuntime(operators, dynamic, runtime, facts);
  const { members, layerOf } = numberLayers(operators, joinCheapGroups(operators, fused, facts));
  if (members.length === 0) {
    throw new ImportRefused(
      'no-operators',
      'No operator of the model depends on an input: there is nothing to cut.',
    );
  }
  const macs = operators.operators.map((operator) =>
    countMacs(operator, (tensor) => facts.get(tensor)?.shape),
  );
  const workOf = operators.operators.map(
    ({ index, writes }) =>
      (macs[index] ?? 0) +
      writes.reduce((sum, tensor) => sum + elementCount(facts.get(tensor)?.shape ?? []), 0),
  );
  const assignment: LayerAssignment = { fused, layerOf, workOf };
  const tensors = crossingTensors(operators, layerOf, facts);
  const weightBytes = weightsByLayer(
    runtime,
    assignNodes(operators, assignment, runtime),
    members.length,
    facts,
  );
  const workingBytes = workingSets(tensors, members.length);
  const layers = members.map((own, index): Layer => ({
    name: layerName(own, operators, macs),
    operators: own.map((at) => operators.operators[at]!.type),
    weightBytes: weightBytes[index]!,
    workingBytes: workingBytes[index]!,
    macs: own.reduce<number | null>(
      (sum, at) => (sum === null || macs[at] === null ? null : sum + macs[at]!),
      0,
    ),
  }));
  return { graph: { name, layers, tensors }, assignment, members };
}

/** Puts groups into topological order, the one with the earliest operator first where several could stand. */
function numberLayers(
  operators: OperatorGraph,
  grouping: Grouping,
): { members: number[][]; layerOf: (number | null)[] } {
  const edges = groupEdges(operators, grouping);
  const ids = [...edges.keys()].sort((a, b) => a - b);
  const place = new Map(ids.map((id, index) => [id, index]));
  const targets = ids.map((id) => [...edges.get(id)!].map((to) => place.get(to)!));
  const waiting = ids.map(() => 0);
  for (const each of targets) for (const to of each) waiting[to]! += 1;
  const order = topologicalOrder(waiting, targets);
  if (order.length < ids.length) throw new Error('layers wait for one another in a circle');
  const layerOfGroup = new Map(order.map((at, layer) => [ids[at]!, layer]));
  const members = order.map((): number[] => []);
  const layerOf = grouping.map((group, index) => {
    if (group === null) return null;
    const layer = layerOfGroup.get(group)!;
    members[layer]!.push(index);
    return layer;
  });
  return { members, layerOf };
}

/** Named after the operator with the most work, or else the first. */
function layerName(
  own: readonly number[],
  operators: OperatorGraph,
  macs: readonly (number | null)[],
): string {
  const heaviest = own.reduce((best, at) => ((macs[at] ?? 0) > (macs[best] ?? 0) ? at : best), own[0]!);
  return operators.operators[heaviest]!.name;
}

/** Inputs of the model that are read or returned, then what layers write for others or as a result. */
function crossingTensors(
  operators: OperatorGraph,
  layerOf: readonly (number | null)[],
  facts: ReadonlyMap<string, KnownTensor>,
): Tensor[] {
  const returned = new Set(operators.outputs);
  const tensors: Tensor[] = [];
  const add = (name: string, producer: number | null): void => {
    const readers = (operators.consumersOf.get(name) ?? [])
      .map((index) => layerOf[index])
      .filter((layer) => layer !== null && layer !== undefined && layer !== producer);
    const consumers = [...new Set(readers as number[])].sort((a, b) => a - b);
    const isOutput = returned.has(name);
    if (consumers.length === 0 && !isOutput) return;
    const known = facts.get(name);
    if (known === undefined) {
      throw new ImportRefused(
        'bad-graph',
        `The tensor "${name}" had no value of known size when the model ran.`,
      );
    }
    const { type, shape, bytes } = known;
    tensors.push({ name, type, shape: [...shape], bytes, producer, consumers, isOutput });
  };
  for (const input of operators.inputs) add(input.name, null);
  const written = operators.operators.flatMap(({ index, writes }) => {
    const layer = layerOf[index];
    return layer === null || layer === undefined ? [] : writes.map((name) => ({ name, layer }));
  });
  for (const { name, layer } of written.sort((a, b) => a.layer - b.layer)) add(name, layer);
  return tensors;
}

/** A tensor lives from the layer that writes it (inputs: from the start) to its last reader (results: to the end). */
function workingSets(tensors: readonly Tensor[], layerCount: number): number[] {
  const change = new Array<number>(layerCount + 1).fill(0);
  for (const { producer, consumers, isOutput, bytes } of tensors) {
    const last = isOutput ? layerCount - 1 : consumers.at(-1)!;
    change[producer ?? 0]! += bytes;
    change[last + 1]! -= bytes;
  }
  let alive = 0;
  return change.slice(0, layerCount).map((step) => (alive += step));
}
