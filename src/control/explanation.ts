/** Why a cut was chosen, in figures: what the runner-up would cost, and which bounds ruled out what would be quicker. */
import type { Context } from '../core/context.js';
import type { Alternative, Partitioner } from '../core/partitioner.js';

/** How many of the quickest cuts are looked at for those that a bound rules out. */
const quickestLookedAt = 50;
const excludedShown = 5;

export interface Excluded {
  readonly alternative: Alternative;
  /** How much quicker it would be than the chosen cut, seconds. */
  readonly savesSeconds: number;
}

export interface Explanation {
  /** The next best cut in the order of preference; null when there is only one. */
  readonly runnerUp: { readonly alternative: Alternative; readonly extraLatencySeconds: number } | null;
  /** Quicker cuts that exceed a bound, the quickest first; `violations` of each says which. */
  readonly excluded: readonly Excluded[];
  readonly deviceOnly: Alternative;
  readonly edgeOnly: Alternative;
}

/** @param chosen layers of the chosen cut on the end device */
export function explain(
  partitioner: Partitioner,
  context: Context,
  chosen: readonly number[],
  layerCount: number,
): Explanation {
  const winner = partitioner.predict(context, chosen);
  const latency = winner.prediction.latencySeconds;
  const runnerUp = partitioner.alternatives(context, 2).find((other) => !sameCut(other, winner));
  const excluded = partitioner
    .alternatives(withoutBounds(context), quickestLookedAt)
    .map((quick) => partitioner.predict(context, quick.endLayers))
    .filter((quick) => quick.violations.length > 0 && quick.prediction.latencySeconds < latency)
    .slice(0, excludedShown)
    .map((alternative) => ({ alternative, savesSeconds: latency - alternative.prediction.latencySeconds }));
  return {
    runnerUp:
      runnerUp === undefined
        ? null
        : { alternative: runnerUp, extraLatencySeconds: runnerUp.prediction.latencySeconds - latency },
    excluded,
    deviceOnly: partitioner.predict(
      context,
      Array.from({ length: layerCount }, (_, layer) => layer),
    ),
    edgeOnly: partitioner.predict(context, []),
  };
}

/** The same link and speeds, and nothing that bounds the choice. */
function withoutBounds(context: Context): Context {
  return {
    ...context,
    tiers: context.tiers.map(({ slowdown }) => (slowdown === undefined ? {} : { slowdown })),
    requirements: {},
  };
}

function sameCut(a: Alternative, b: Alternative): boolean {
  return (
    a.endLayers.length === b.endLayers.length && a.endLayers.every((layer, i) => layer === b.endLayers[i])
  );
}
