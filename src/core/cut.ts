/** A placement of layers on tiers, judged from its definition: is it valid, what crosses, what are its features. */
import type { Placement } from './decision.js';
import type { Encoding } from './encoding.js';
import type { FeatureLayout } from './features.js';
import type { LayerFacts } from './layerFacts.js';
import type { LayerGraph } from './layerGraph.js';
import type { TierSeconds } from './profile.js';
import type { Topology } from './topology.js';

/** The layers on tier 0, ascending. */
export function endLayersOf(placement: Placement): number[] {
  return layersOn(placement, 0);
}

/** The layers on a tier, ascending. */
export function layersOn(placement: Placement, wanted: number): number[] {
  return placement.flatMap((tier, layer) => (tier === wanted ? [layer] : []));
}

/**
 * The placement that has exactly `endLayers` on tier 0. All others are on tier 1 or, where `edgeLayers` are given for
 * that one, on tier 2.
 * @throws RangeError for no layer, or one twice
 */
export function placementOf(
  endLayers: readonly number[],
  layerCount: number,
  edgeLayers?: readonly number[],
): number[] {
  const rest = edgeLayers === undefined ? 1 : 2;
  const placement = new Array<number>(layerCount).fill(rest);
  const put = (name: string, layers: readonly number[], tier: number): void => {
    for (const v of layers) {
      if (!(Number.isInteger(v) && v >= 0 && v < layerCount))
        throw new RangeError(`${name}: ${v} is no layer`);
      if (placement[v] !== rest) throw new RangeError(`${name}: ${v} stands twice`);
      placement[v] = tier;
    }
  };
  put('endLayers', endLayers, 0);
  if (edgeLayers !== undefined) put('edgeLayers', edgeLayers, 1);
  return placement;
}

/** Indices of the tensors that cross hop `hop` upwards, ascending: available below it, read above it. */
export function crossingTensors(graph: LayerGraph, placement: Placement, hop: number): number[] {
  const crossing: number[] = [];
  graph.tensors.forEach(({ producer, consumers }, t) => {
    const available = producer === null || placement[producer]! <= hop;
    if (available && consumers.some((c) => placement[c]! > hop)) crossing.push(t);
  });
  return crossing;
}

/** @throws RangeError where a tier does not exist or data would have to flow down */
export function checkPlacement(placement: Placement, topology: Topology, tierCount: number): void {
  if (placement.length !== topology.predecessors.length) {
    throw new RangeError(`placement: ${placement.length} tiers for ${topology.predecessors.length} layers`);
  }
  placement.forEach((tier, v) => {
    if (!(Number.isInteger(tier) && tier >= 0 && tier < tierCount)) {
      throw new RangeError(`placement[${v}]: ${tier} is no tier of ${tierCount}`);
    }
    for (const p of topology.predecessors[v]!) {
      if (placement[p]! > tier) {
        throw new RangeError(
          `placement[${v}]: runs on tier ${tier} but needs layer ${p}, which runs above it`,
        );
      }
    }
  });
}

/** The features of a valid placement, from their definitions in features.ts. */
export function featuresOfPlacement(
  graph: LayerGraph,
  tiers: readonly TierSeconds[],
  facts: LayerFacts,
  layout: FeatureLayout,
  placement: Placement,
  encoding: Encoding,
): Float64Array {
  const features = new Float64Array(layout.length);
  graph.layers.forEach((layer, v) => {
    const t = placement[v]!;
    features[layout.seconds + t]! += tiers[t]!.seconds[v]!;
    features[layout.weights + t]! += layer.weightBytes;
    features[layout.working + t] = Math.max(features[layout.working + t]!, layer.workingBytes);
  });
  for (let h = 0; h < layout.hopCount; h++) {
    features[layout.hopUsed + h] = placement.some((t) => t > h) ? 1 : 0;
    for (const t of crossingTensors(graph, placement, h)) {
      features[layout.bytesUp + h]! += encoding.bytes[t]!;
      features[layout.seconds + h]! += encoding.encodeSeconds[t]!;
      features[layout.seconds + h + 1]! += encoding.decodeSeconds[t]!;
      features[layout.accuracyLoss] = encoding.accuracyLoss;
      const exposure = facts.maxDepth + 1 - facts.depth[t]!;
      if (h === 0) features[layout.exposure] = Math.max(features[layout.exposure]!, exposure);
    }
    for (const { producer, isOutput, bytes } of graph.tensors) {
      if (isOutput && producer !== null && placement[producer]! > h) features[layout.bytesDown + h]! += bytes;
    }
  }
  return features;
}
