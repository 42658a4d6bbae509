/** The policies to compare with: one cut held whatever happens, and a search that is followed wherever it leads. */
import { linearObjective } from '../objective.js';
import { assess } from '../problem.js';
import { featureLayout } from '../features.js';
import { layerFacts } from '../layerFacts.js';
import { placementOf } from '../cut.js';
import type { Placement } from '../decision.js';
import type { PartitionInput } from '../stateGraph.js';
import { sumWeights, type Rival } from '../rivals/rival.js';
import { breaksAlike } from './brokenRequirements.js';
import { samePlacement, type Observation, type Policy, type Predict, type Verdict } from './policy.js';

/** Holds one cut. */
export class FixedPolicy implements Policy {
  constructor(private readonly placement: Placement) {}

  observe({ inForce }: Observation): Verdict {
    return follow(this.placement, inForce);
  }
}

/** Goes to the best cut of every observation, whatever a switch costs. */
export class RecutPolicy implements Policy {
  observe({ best, inForce }: Observation): Verdict {
    return follow(best.placement, inForce);
  }
}

/** Goes to the best cut of every observation, whatever a switch costs, unless the cut in force is nearly as good. */
export class FollowPolicy implements Policy {
  /** @param nearEqualShare share of the objective by which the best cut must be better, 0 to below 1 */
  constructor(
    private readonly predict: Predict,
    private readonly nearEqualShare: number,
  ) {
    if (!(nearEqualShare >= 0 && nearEqualShare < 1)) {
      throw new RangeError(`nearEqualShare: ${nearEqualShare} is not a number from 0 to below 1`);
    }
  }

  observe({ context, best, inForce }: Observation): Verdict {
    if (inForce === null || samePlacement(best.placement, inForce)) return follow(best.placement, inForce);
    const present = this.predict(context, inForce);
    const isNear =
      (1 - this.nearEqualShare) * present.objectiveValue <= best.objectiveValue &&
      breaksAlike(present.violations, best.violations, this.nearEqualShare);
    return isNear
      ? { placement: inForce, switches: false, reason: 'near-equal' }
      : follow(best.placement, inForce);
  }
}

/** How much better the best cut has to be for one that follows it at no stated cost: measurements are no better than that. */
export const defaultNearEqualShare = 0.01;

/** Goes to the cut that a published algorithm finds for every observation, whatever a switch costs. */
export class RivalPolicy implements Policy {
  private readonly maxDepth: number;
  /** The same object for the same cut, as searches over held states give it, so that it is known again at once. */
  private readonly placements = new Map<string, Placement>();

  constructor(
    private readonly rival: Rival,
    private readonly input: PartitionInput,
  ) {
    this.maxDepth = layerFacts(input.graph).maxDepth;
  }

  observe({ context, inForce }: Observation): Verdict {
    const { latency, hopUsable } = assess(context, featureLayout(2), this.maxDepth);
    this.rival.search(sumWeights(linearObjective(latency), hopUsable[0]!));
    return follow(this.placement(this.rival.endLayers()), inForce);
  }

  private placement(endLayers: readonly number[]): Placement {
    const key = endLayers.join();
    const known = this.placements.get(key);
    if (known !== undefined) return known;
    if (this.placements.size >= maxRemembered) this.placements.clear();
    const placement = placementOf(endLayers, this.input.graph.layers.length);
    this.placements.set(key, placement);
    return placement;
  }
}

/** A walk of the link visits few cuts. */
const maxRemembered = 1000;

function follow(placement: Placement, inForce: Placement | null): Verdict {
  if (inForce === null) return { placement, switches: true, reason: 'first' };
  const stays = samePlacement(placement, inForce);
  return { placement: stays ? inForce : placement, switches: !stays, reason: stays ? 'stay' : 'rule' };
}
