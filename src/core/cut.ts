/** A cut of two tiers, from the set of layers on the end device: what crosses, and what it is made of. */
import { featureLayout } from './features.js';
import type { LayerGraph } from './layerGraph.js';
import type { PartitionInput } from './stateGraph.js';
import { isDownset, type Topology } from './topology.js';

/** Indices of the tensors that cross upwards: available on the end device, read above; ascending. */
export function cutTensorsOf(graph: LayerGraph, endLayers: readonly number[]): number[] {
  const onEnd = new Set(endLayers);
  const crossing: number[] = [];
  graph.tensors.forEach(({ producer, consumers }, t) => {
    const available = producer === null || onEnd.has(producer);
    if (available && consumers.some((c) => !onEnd.has(c))) crossing.push(t);
  });
  return crossing;
}

/**
 * The features of any valid cut, computed from its definition rather than looked up.
 * @throws RangeError where a layer does not exist, stands twice, or runs before one it depends on
 */
export function featuresOfCut(
  { graph, tiers }: PartitionInput,
  topology: Topology,
  endLayers: readonly number[],
): Float64Array {
  const layout = featureLayout(tiers.length);
  const onEnd = new Set(endLayers);
  for (const v of endLayers) {
    if (!(Number.isInteger(v) && v >= 0 && v < graph.layers.length)) {
      throw new RangeError(`endLayers: ${v} is no layer of ${graph.name}`);
    }
  }
  if (onEnd.size !== endLayers.length) throw new RangeError('endLayers: a layer stands twice');
  if (!isDownset(topology, (v) => onEnd.has(v))) {
    throw new RangeError('endLayers: a layer on the end device would need a tensor that is made above');
  }
  const features = new Float64Array(layout.length);
  graph.layers.forEach((layer, v) => {
    const t = onEnd.has(v) ? 0 : 1;
    features[layout.seconds + t]! += tiers[t]!.seconds[v]!;
    features[layout.weights + t]! += layer.weightBytes;
    features[layout.working + t] = Math.max(features[layout.working + t]!, layer.workingBytes);
    if (t === 1) features[layout.hopUsed] = 1;
  });
  for (const t of cutTensorsOf(graph, endLayers)) features[layout.bytesUp]! += graph.tensors[t]!.bytes;
  for (const { producer, isOutput, bytes } of graph.tensors) {
    if (isOutput && producer !== null && !onEnd.has(producer)) features[layout.bytesDown]! += bytes;
  }
  return features;
}
