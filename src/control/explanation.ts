/** Why a cut was chosen, in figures: what the runner-up would cost, and which bounds ruled out what would be better. */
import type { Context } from '../core/context.js';
import type { Alternative, Partitioner } from '../core/partitioner.js';
import type { Steps } from '../core/steps.js';

/** How many of the best cuts without bounds are looked at for those that a bound rules out. */
const looseLookedAt = 50;
const excludedShown = 5;

export interface RunnerUp {
  readonly alternative: Alternative;
  /** How much more than the chosen cut in what is minimised: seconds, joules, or the weighted sum asked for; below 0 where a better one was not followed. */
  readonly extraObjective: number;
  readonly extraLatencySeconds: number;
}

export interface Excluded {
  readonly alternative: Alternative;
  /** How much less than the chosen cut in what is minimised. */
  readonly savesObjective: number;
}

export interface Explanation {
  /** The next best cut in the order of preference; null when there is only one. */
  readonly runnerUp: RunnerUp | null;
  /** Better cuts that break a bound, the best first; `violations` of each says which. */
  readonly excluded: readonly Excluded[];
  readonly deviceOnly: Alternative;
  readonly edgeOnly: Alternative;
  /** Null where there are two tiers. */
  readonly cloudOnly: Alternative | null;
}

export function* explain(
  partitioner: Partitioner,
  context: Context,
  chosen: Alternative,
): Steps<Explanation> {
  const { placement, objectiveValue, prediction } = chosen;
  const bestTwo = yield* partitioner.alternatives(context, 2);
  const second = bestTwo.find((other) => !sameCut(other, chosen));
  const excluded: Excluded[] = [];
  for (const loose of yield* partitioner.alternatives(withoutBounds(context), looseLookedAt)) {
    if (excluded.length === excludedShown) break;
    yield;
    const alternative = partitioner.predict(context, loose.placement);
    const savesObjective = objectiveValue - alternative.objectiveValue;
    if (alternative.violations.length > 0 && savesObjective > 0)
      excluded.push({ alternative, savesObjective });
  }
  const allOn = (tier: number): Alternative =>
    partitioner.predict(
      context,
      placement.map(() => tier),
    );
  return {
    runnerUp:
      second === undefined
        ? null
        : {
            alternative: second,
            extraObjective: second.objectiveValue - objectiveValue,
            extraLatencySeconds: second.prediction.latencySeconds - prediction.latencySeconds,
          },
    excluded,
    deviceOnly: allOn(0),
    edgeOnly: allOn(1),
    cloudOnly: context.tiers.length > 2 ? allOn(2) : null,
  };
}

/** The same link, speeds and objective, and nothing that bounds the choice. */
function withoutBounds(context: Context): Context {
  const { objective } = context.requirements;
  return {
    ...context,
    tiers: context.tiers.map(({ slowdown }) => (slowdown === undefined ? {} : { slowdown })),
    requirements: objective === undefined ? {} : { objective },
  };
}

function sameCut(a: Pick<Alternative, 'placement' | 'encoding'>, b: typeof a): boolean {
  return a.encoding === b.encoding && a.placement.every((tier, layer) => tier === b.placement[layer]);
}
