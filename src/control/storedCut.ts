/** A cut as it is kept and sent, and the placement that it stands for. */
import { crossingTensors, layersOn, placementOf } from '../core/cut.js';
import type { Placement } from '../core/decision.js';
import type { LayerGraph } from '../core/layerGraph.js';
import type { Alternative } from '../core/partitioner.js';
import type { StoredCut } from './records.js';

/**
 * The cuts of all deployments, one object for each placement that a partitioner gave: deployments of the same model share
 * it, and so does what is made of it once, like the text that devices get. Kept as long as the partitioner knows the placement.
 */
export class StoredCuts {
  readonly #byPlacement = new WeakMap<Placement, StoredCut>();

  /** @param tierCount 2 or 3: of the deployment, whether the cut has layers on all of them or not */
  of(chosen: Chosen, graph: LayerGraph, tierCount: number): StoredCut {
    let cut = this.#byPlacement.get(chosen.placement);
    if (cut === undefined) {
      cut = storedCut(chosen, graph, tierCount);
      this.#byPlacement.set(chosen.placement, cut);
    }
    return cut;
  }
}

type Chosen = Pick<Alternative, 'placement' | 'endLayers' | 'cutTensors'>;

function storedCut(
  { placement, endLayers, cutTensors }: Chosen,
  graph: LayerGraph,
  tierCount: number,
): StoredCut {
  const names = (tensors: readonly number[]): string[] => tensors.map((index) => graph.tensors[index]!.name);
  const cut = { endLayers, layerCount: graph.layers.length, tensors: names(cutTensors) };
  if (tierCount < 3) return cut;
  return {
    ...cut,
    edgeLayers: layersOn(placement, 1),
    edgeTensors: names(crossingTensors(graph, placement, 1)),
  };
}

/** All layers on the end device, in a deployment with as many tiers as `other` has. */
export function safeLocalCut({ layerCount, edgeLayers }: StoredCut): StoredCut {
  const endLayers = Array.from({ length: layerCount }, (_, layer) => layer);
  const cut = { endLayers, layerCount, tensors: [] };
  return edgeLayers === undefined ? cut : { ...cut, edgeLayers: [], edgeTensors: [] };
}

export function placementOfCut({ endLayers, layerCount, edgeLayers }: StoredCut): Placement {
  return placementOf(endLayers, layerCount, edgeLayers);
}

/** All layers on the end device: the safe local cut, which is always ready. */
export function runsOnEndAlone({ endLayers, layerCount }: StoredCut): boolean {
  return endLayers.length === layerCount;
}

/** How many layers run in the cloud. */
export function cloudLayerCount({ endLayers, edgeLayers, layerCount }: StoredCut): number {
  return edgeLayers === undefined ? 0 : layerCount - endLayers.length - edgeLayers.length;
}

export function samePlacement(a: StoredCut, b: StoredCut): boolean {
  return a === b || (sameLayers(a.endLayers, b.endLayers) && sameEdge(a, b));
}

/** Two tiers, of which the end device's layers say all, or the same layers on the edge. */
function sameEdge(a: StoredCut, b: StoredCut): boolean {
  if (a.edgeLayers !== undefined && b.edgeLayers !== undefined) return sameLayers(a.edgeLayers, b.edgeLayers);
  return cloudLayerCount(a) === 0 && cloudLayerCount(b) === 0;
}

export function sameLayers(a: readonly number[], b: readonly number[]): boolean {
  // the core gives the same array for the same cut of one partitioner
  return a === b || (a.length === b.length && a.every((layer, index) => layer === b[index]));
}
