/**
 * What may become the desired cut in place of what was chosen. A placement that devices refused is left alone for a while:
 * the cut in force stays. Where that is the refused one, the last good one takes its place, or the safe local one.
 */
import type { Decision } from '../core/decision.js';
import type { Alternative } from '../core/partitioner.js';
import { samePlacement } from '../core/policy/policy.js';
import type { DeploymentRecord, StoredCut } from './records.js';
import type { SetAsides } from './setAside.js';
import { placementOfCut, safeLocalCut } from './storedCut.js';
import type { Choice } from './switching.js';

export interface Admission extends Choice {
  /** What was chosen, where something else is to be in force; to be decided again when its wait is over. */
  readonly waitsFor: Alternative | null;
}

/**
 * @param found the best cut
 * @param atMs by the clock that does not go back
 * @param predict what a placement costs now
 */
export function admitted(
  choice: Choice,
  found: Decision,
  { cut, lastGood }: Pick<DeploymentRecord, 'cut' | 'lastGood'>,
  setAsides: SetAsides,
  atMs: number,
  predict: (placement: readonly number[]) => Alternative,
): Admission {
  if (cut === null) return { ...choice, waitsFor: null };
  const mustLeave = setAsides.holds(cut, atMs);
  if (!mustLeave && !setAsides.holds(choice.chosen, atMs)) return { ...choice, waitsFor: null };
  const target = mustLeave ? refuge(cut, lastGood?.cut ?? null, setAsides, atMs) : cut;
  const chosen = predict(placementOfCut(target));
  const { objectiveValue, prediction, violations } = chosen;
  const isBest = samePlacement(chosen.placement, found.placement);
  return {
    chosen,
    changesCut: mustLeave,
    switching: {
      ...choice.switching,
      reason: 'set-aside',
      kept: isBest ? null : { why: 'set-aside', objectiveValue, prediction, violations },
    },
    waitsFor: choice.chosen,
  };
}

function refuge(cut: StoredCut, lastGood: StoredCut | null, setAsides: SetAsides, atMs: number): StoredCut {
  if (lastGood !== null && !setAsides.holds(lastGood, atMs)) return lastGood;
  return safeLocalCut(cut);
}
