/**
 * The face of the algorithms that GADS is compared with. All cost a cut by the same features and weights as GADS
 * does (features.ts, problem.ts): a tensor that crosses counts once, round trip and queue count where anything
 * runs above, outputs made above come back. They minimise latency, or any other sum over seconds, hop and bytes,
 * for two tiers, with tensors sent as they are. As published they know no constraints, and ignore
 * them here, except that nothing is sent over a hop that cannot be used.
 *
 * Searching and telling the cut are apart, so that a search can be timed without the list that it allocates.
 */
import { featureLayout } from '../features.js';
import type { ObjectiveFunction } from '../problem.js';
import type { PartitionInput } from '../stateGraph.js';

/** Weights of a sum over the features of two tiers, all >= 0 and finite. */
export interface SumWeights {
  /** Per nominal second on the end device and on the tier above. */
  end: number;
  edge: number;
  /** Once, where anything runs above. */
  hop: number;
  /** Per byte. */
  up: number;
  down: number;
  /** False where nothing may be sent: then only device-only is left. */
  usable: boolean;
}

export interface Rival {
  /**
   * Looks for the cut with the least weighted sum.
   * @returns its value; Infinity where the only cut that this rival knows uses a hop that cannot be used
   */
  search(weights: SumWeights): number;
  /** The layers on the end device in the cut last found, ascending. */
  endLayers(): number[];
}

/**
 * The weights of an objective, by name.
 * @param usable whether anything may be sent (`Problem.hopUsable[0]`)
 * @throws RangeError where the objective is not one of two tiers, or more than a sum over seconds, hop and bytes
 */
export function sumWeights({ linear, stageWeight }: ObjectiveFunction, usable: boolean): SumWeights {
  const layout = featureLayout(2);
  if (linear.length !== layout.length) throw new RangeError('objective: these algorithms know two tiers');
  if (stageWeight !== 0)
    throw new RangeError('objective: these algorithms minimise a sum, not a slowest stage');
  for (let f = layout.weights; f < layout.length; f++) {
    if (linear[f] !== 0) throw new RangeError(`objective: these algorithms cannot weigh feature ${f}`);
  }
  return {
    end: linear[layout.seconds]!,
    edge: linear[layout.seconds + 1]!,
    hop: linear[layout.hopUsed]!,
    up: linear[layout.bytesUp]!,
    down: linear[layout.bytesDown]!,
    usable,
  };
}

/**
 * A rival that prepares nothing: builds what it needs anew in every search, which is what the papers
 * measured. What was built last is kept only to be asked for its cut.
 */
export class Rebuilt implements Rival {
  private last: Rival | null = null;

  constructor(private readonly build: () => Rival) {}

  search(weights: SumWeights): number {
    this.last = this.build();
    return this.last.search(weights);
  }

  endLayers(): number[] {
    if (this.last === null) throw new Error('there is no cut before the first search');
    return this.last.endLayers();
  }
}

/** @throws RangeError where the input is not one of two tiers with seconds for each layer and tensors sent as they are */
export function requireTwoTiers({ graph, tiers, encodings }: PartitionInput): void {
  if (tiers.length !== 2) throw new RangeError(`tiers: ${tiers.length} given, these algorithms know two`);
  if (encodings !== undefined) throw new RangeError('encodings: these algorithms send tensors as they are');
  tiers.forEach(({ seconds }, t) => {
    if (seconds.length !== graph.layers.length) {
      throw new RangeError(`tiers[${t}].seconds: ${seconds.length} values for ${graph.layers.length} layers`);
    }
  });
}

/** 0 … count - 1 */
export function firstLayers(count: number): number[] {
  return Array.from({ length: count }, (_, v) => v);
}
