/** Bytes of constants per layer, as the runtime holds them when the model is ready to run. */
import type { LayerShares } from './nodeLayers.js';
import type { RuntimeGraph, RuntimeNode } from './runtimeGraph.js';
import type { KnownTensor } from './tensorFacts.js';

/** Operators that make something large from next to nothing: what they make counts, not what they read. */
const GENERATORS: ReadonlySet<string> = new Set([
  'ConstantOfShape',
  'Expand',
  'Tile',
  'Range',
  'EyeLike',
  'OneHot',
]);

/**
 * Sum over the different constants that the nodes of a layer read, directly or through nodes that depend
 * on no input (weights that are stored quantised count as stored), and those inside branches and loops.
 */
export function weightsByLayer(
  runtime: RuntimeGraph,
  layersOfNode: readonly LayerShares[],
  layerCount: number,
  facts: ReadonlyMap<string, KnownTensor>,
): number[] {
  const constants = Array.from({ length: layerCount }, () => new Map<string, number>());
  const bodies = new Array<number>(layerCount).fill(0);
  const collect = (into: Map<string, number>, name: string, seen: Set<string>): void => {
    if (seen.has(name)) return;
    seen.add(name);
    const stored = runtime.stored.get(name);
    if (stored !== undefined) {
      into.set(name, stored.bytes);
      return;
    }
    const writer = runtime.nodes[runtime.producerOf.get(name) ?? -1];
    if (writer === undefined || writer.dynamic) return;
    if (GENERATORS.has(writer.operator)) into.set(name, facts.get(name)?.bytes ?? 0);
    else for (const read of writer.reads) collect(into, read, seen);
    if (writer.bodyBytes > 0) into.set(`body of ${writer.index}`, writer.bodyBytes);
  };
  const own = (node: RuntimeNode): number | undefined => layersOfNode[node.index]?.[0]?.layer;
  for (const node of runtime.nodes) {
    const layer = own(node);
    if (!node.dynamic || layer === undefined) continue;
    const seen = new Set<string>();
    for (const name of node.reads) collect(constants[layer]!, name, seen);
    bodies[layer]! += node.bodyBytes;
  }
  return constants.map((each, layer) =>
    [...each.values()].reduce((sum, bytes) => sum + bytes, bodies[layer]!),
  );
}
