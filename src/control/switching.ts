/**
 * Whether a deployment goes to the cut that was found, or stays with the one in force: the policies of the core at work.
 *
 * Where somebody states what a switch costs, the default policy weighs it (docs/replay.md), on the same observations
 * as a replay: one for each frame of telemetry, also in an unchanged context. Where nobody does, the best cut is followed unless
 * the one in force is nearly as good. What an operator asks for is followed at once. Searches are none of this: a
 * policy predicts what its few candidates cost.
 */
import type { Context } from '../core/context.js';
import type { Decision, Placement } from '../core/decision.js';
import type { Alternative, Partitioner } from '../core/partitioner.js';
import { DefaultPolicy } from '../core/policy/defaultPolicy.js';
import { defaultParameters } from '../core/policy/parameters.js';
import { samePlacement, type Policy, type Verdict } from '../core/policy/policy.js';
import { defaultNearEqualShare, FollowPolicy } from '../core/policy/simplePolicies.js';
import type { DeviceView } from './deploymentContext.js';
import type { DecisionReason, DecisionRecord, DeploymentRecord, SwitchingRecord } from './records.js';

export interface Found {
  readonly reason: DecisionReason;
  readonly partitioner: Partitioner;
  readonly requirements: DeploymentRecord['requirements'];
  readonly context: Context;
  readonly decision: Decision;
  /** Null while there is no cut yet. */
  readonly inForce: Placement | null;
  /** Null: nobody states it. */
  readonly switchSeconds: number | null;
  readonly atSeconds: number;
}

export interface Choice {
  /** The cut to be in force from now on. */
  readonly chosen: Alternative;
  /** Whether that is another one than before. */
  readonly changesCut: boolean;
  readonly switching: SwitchingRecord;
}

/** What the policy of a deployment was made for; with another one it begins anew. */
interface Basis {
  readonly partitioner: Partitioner;
  readonly requirements: DeploymentRecord['requirements'];
  readonly isStated: boolean;
}

export class Switching {
  #policy: Policy | null = null;
  #basis: Basis | null = null;

  /** Whether the passing of time alone can change the choice, so that each frame is to be shown. */
  get watchesTime(): boolean {
    return this.#basis?.isStated === true;
  }

  /**
   * Whether a best cut that is in force stays so, whatever was observed before. Only where nobody states what a switch costs,
   * so that the best cut is followed, and nothing has changed that the policy was made for.
   */
  keepsBest(partitioner: Partitioner, requirements: DeploymentRecord['requirements']): boolean {
    const basis = this.#basis;
    if (basis === null || basis.isStated) return false;
    return basis.partitioner === partitioner && basis.requirements === requirements;
  }

  /** @throws RangeError where time goes back or a cost is out of range */
  choose(found: Found): Choice {
    const { decision, inForce, reason, switchSeconds } = found;
    const isAsked = reason === 'requirements' || reason === 'profile';
    const policy = this.#policyFor(found);
    if (isAsked && inForce !== null && !samePlacement(decision.placement, inForce)) {
      return {
        chosen: decision,
        changesCut: true,
        switching: { reason: 'asked', switchSeconds, kept: null },
      };
    }
    const { atSeconds, context } = found;
    const verdict = policy.observe({
      atSeconds,
      context,
      best: decision,
      inForce,
      switchSeconds: switchSeconds ?? 0,
    });
    return choiceOf(found, verdict);
  }

  #policyFor({ partitioner, requirements, switchSeconds, decision }: Found): Policy {
    const isStated = switchSeconds !== null;
    const basis = this.#basis;
    if (
      this.#policy !== null &&
      basis?.partitioner === partitioner &&
      basis.requirements === requirements &&
      basis.isStated === isStated
    ) {
      return this.#policy;
    }
    const predict = (context: Context, placement: Placement): Alternative =>
      partitioner.predict(context, placement);
    this.#basis = { partitioner, requirements, isStated };
    this.#policy = isStated
      ? new DefaultPolicy(
          predict,
          decision.placement.map(() => 0),
          {
            ...defaultParameters,
            requestsPerSecond: requirements.inferencesPerSecond ?? defaultParameters.requestsPerSecond,
          },
        )
      : new FollowPolicy(predict, defaultNearEqualShare);
    return this.#policy;
  }
}

function choiceOf({ partitioner, context, decision, switchSeconds }: Found, verdict: Verdict): Choice {
  const { placement, reason, switches: changesCut } = verdict;
  if (samePlacement(placement, decision.placement)) {
    return { chosen: decision, changesCut, switching: { reason, switchSeconds, kept: null } };
  }
  const chosen = partitioner.predict(context, placement);
  const { objectiveValue, prediction, violations } = chosen;
  const why = reason === 'stay' ? 'not-worth-the-switch' : reason;
  return {
    chosen,
    changesCut,
    switching: { reason, switchSeconds, kept: { why, objectiveValue, prediction, violations } },
  };
}

/** What a switch costs, s: as asked of the deployment, else what the slowest device reports; null where nobody states it. */
export function switchSecondsOf(
  requirements: DeploymentRecord['requirements'],
  end: DeviceView,
  edge: DeviceView,
  cloud: DeviceView | null,
): number | null {
  if (requirements.switchSeconds !== undefined) return requirements.switchSeconds;
  const ofEnd = end.description?.switchSeconds ?? -1;
  const ofEdge = edge.description?.switchSeconds ?? -1;
  const slowest = Math.max(ofEnd, ofEdge, cloud?.description?.switchSeconds ?? -1);
  return slowest < 0 ? null : slowest;
}

/** Cost and broken bounds of the cut that `record` left in force. */
export function costInForce({
  decision,
  switching,
}: Pick<DecisionRecord, 'decision' | 'switching'>): Pick<
  Decision,
  'objectiveValue' | 'prediction' | 'violations'
> {
  return switching?.kept ?? decision;
}
