/**
 * A replay: a sequence of contexts, one step after the other, in which a policy holds and changes the cut.
 *
 * One request a step. Its latency is that of the cut in force in the step's own context; where the edge would not answer
 * in time the end device does the request itself (requestCost.ts). Before a step a policy has seen the contexts of
 * all steps before it, never its own: what it decides on is one step old. In the first step nothing is deployed and the end
 * device does everything; the first cut that a policy takes is the deployment and costs nothing, as for the cuts
 * that are held throughout; from then on each change of the cut delays the request of its step by the switch cost.
 */
import type { Context } from '../context.js';
import type { Placement, Violation } from '../decision.js';
import type { Alternative } from '../partitioner.js';
import { samePlacement, type Policy, type VerdictReason } from '../policy/policy.js';
import { answeredSeconds } from '../policy/requestCost.js';

export interface ReplayRules {
  readonly switchSeconds: number;
  /** How long an unanswered request waits before the end device does it alone. */
  readonly unansweredSeconds: number;
  /** True: the first cut costs a switch, too, unless it is device-only. */
  readonly chargeFirstCut: boolean;
}

/** What a replay needs of a model: `decide` and `predict` of a partitioner, told apart by context and cut alone. */
export interface ReplayModel {
  readonly deviceOnly: Placement;
  readonly best: (context: Context) => Alternative;
  readonly predict: (context: Context, placement: Placement) => Alternative;
}

export interface Step {
  readonly placement: Placement;
  /** Of the request, with all that delays it. */
  readonly latencySeconds: number;
  /** Why the cut was changed before this step; null where it was not. */
  readonly switched: VerdictReason | null;
  /** True where the switch was paid. */
  readonly paid: boolean;
  /** True where the edge did not answer in time. */
  readonly unanswered: boolean;
  /** True where the cut breaks a requirement, or the request one on latency. */
  readonly violates: boolean;
}

/** Steps of a policy that sees only the past. */
export function replayPolicy(
  contexts: readonly Context[],
  model: ReplayModel,
  rules: ReplayRules,
  policy: Policy,
): Step[] {
  const steps: Step[] = [];
  let inForce: Placement = model.deviceOnly;
  contexts.forEach((context, i) => {
    let switched: VerdictReason | null = null;
    let paid = false;
    if (i > 0) {
      const seen = contexts[i - 1]!;
      const isFirst = i === 1 && !rules.chargeFirstCut;
      const { placement, switches, reason } = policy.observe({
        atSeconds: i,
        context: seen,
        best: model.best(seen),
        inForce: isFirst ? null : inForce,
        switchSeconds: rules.switchSeconds,
      });
      if (switches && !samePlacement(placement, inForce)) {
        switched = reason;
        paid = !isFirst;
      }
      inForce = placement;
    }
    steps.push(stepOf(context, model, rules, inForce, switched, paid));
  });
  return steps;
}

/** Steps of a schedule that is known from the start: each change after the first step is paid. */
export function replaySchedule(
  contexts: readonly Context[],
  model: ReplayModel,
  rules: ReplayRules,
  schedule: readonly Placement[],
): Step[] {
  return contexts.map((context, i) => {
    const placement = schedule[i]!;
    const changed = i > 0 && !samePlacement(schedule[i - 1]!, placement);
    return stepOf(context, model, rules, placement, changed ? 'rule' : null, changed);
  });
}

function stepOf(
  context: Context,
  model: ReplayModel,
  rules: ReplayRules,
  placement: Placement,
  switched: VerdictReason | null,
  paid: boolean,
): Step {
  const { prediction, violations } = model.predict(context, placement);
  const deviceOnlySeconds = model.predict(context, model.deviceOnly).prediction.latencySeconds;
  const answered = answeredSeconds(prediction.latencySeconds, deviceOnlySeconds, rules.unansweredSeconds);
  const unanswered = answered < prediction.latencySeconds;
  const latencySeconds = answered + (paid ? rules.switchSeconds : 0);
  const isTooLate = latencySeconds > (context.requirements.latencySeconds ?? Infinity);
  return {
    placement,
    latencySeconds,
    switched,
    paid,
    unanswered,
    violates: isTooLate || violations.some(isBroken),
  };
}

/** The latency of the request is judged with all that delays it; a link that is gone only as far as that. */
function isBroken({ constraint }: Violation): boolean {
  return constraint !== 'latencySeconds' && !constraint.startsWith('hops[');
}
