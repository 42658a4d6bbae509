/** The cut of one deployment that is desired now: as a placement, and as what it is kept and sent as. */
import type { Placement } from '../core/decision.js';
import type { LayerGraph } from '../core/layerGraph.js';
import type { Alternative } from '../core/partitioner.js';
import { samePlacement } from '../core/policy/policy.js';
import type { DeploymentRecord } from './records.js';
import { placementOfCut, sameLayers, type StoredCuts } from './storedCut.js';

export class CutInForce {
  /** The version that `#placement` is of; it may have got another cut without a decision here. */
  #version = 0;
  #placement: Placement | null = null;

  constructor(private readonly cuts: StoredCuts) {}

  /** The very object that the partitioner gave, which it knows again; null before the first cut. */
  placement({ cut, version }: DeploymentRecord): Placement | null {
    if (cut === null) return null;
    if (this.#placement === null || this.#version !== version) {
      this.#placement = placementOfCut(cut);
      this.#version = version;
    }
    return this.#placement;
  }

  /** `before` with `chosen` as its cut: under the next version; the same object where it is the cut of `before`. */
  become(chosen: Alternative, before: DeploymentRecord, graph: LayerGraph, atMs: number): DeploymentRecord {
    const isChange = before.cut === null || !this.#is(chosen, before);
    const version = isChange ? before.version + 1 : before.version;
    this.#version = version;
    this.#placement = chosen.placement;
    if (!isChange) return before;
    const cut = this.cuts.of(chosen, graph, chosen.prediction.tierSeconds.length);
    return { ...before, version, cut, updatedAtMs: atMs };
  }

  /** Whether `chosen` is the cut of `deployment`, which has one. */
  #is({ endLayers, placement }: Alternative, deployment: DeploymentRecord): boolean {
    const { cut, cloud } = deployment;
    return cloud === undefined && cut!.edgeLayers === undefined
      ? sameLayers(cut!.endLayers, endLayers)
      : samePlacement(this.placement(deployment)!, placement);
  }
}
