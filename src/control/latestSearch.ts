/** The latest search for the best cut of one deployment: where it ended, and what came of searching on. */
import type { Context } from '../core/context.js';
import type { Decision, Placement } from '../core/decision.js';
import type { Partitioner, PlacedAs } from '../core/partitioner.js';
import { samePlacement } from '../core/policy/policy.js';
import type { Clock } from './ports.js';

export class LatestSearch {
  /** Where it ended; null where telemetry confirmed the cut in force since. */
  #found: PlacedAs | null = null;
  /** The decision itself, where it may be asked for again in the same context; else null, as it is large. */
  #unmoved: Decision | null = null;
  /** That was searched on already, in its context. */
  #isThorough = false;
  /** What the search took that has bettered it since, ns; null where none did. */
  #refinedNanoseconds: number | null = null;

  /** Whether it was bettered since, and that is not in force yet. */
  get isRefined(): boolean {
    return this.#refinedNanoseconds !== null;
  }

  /** What searching on may better; null where it is proven to be the best, or was searched on already. */
  get improvable(): Decision | null {
    const found = this.#unmoved;
    return found === null || this.#isThorough || found.optimality.kind === 'exact' ? null : found;
  }

  /** Telemetry confirmed the cut in force. */
  forget(): void {
    this.#found = null;
    this.#unmoved = null;
  }

  /**
   * Searches, but in the context of before (`isSame`) where the decision is kept.
   * @param inForce placement of the cut in force; null before the first
   * @returns the decision, and what it took
   */
  decide(
    partitioner: Partitioner,
    context: Context,
    isSame: boolean,
    inForce: Placement | null,
    clock: Clock,
  ): { readonly decision: Decision; readonly searchNanoseconds: number } {
    const unmoved = this.#unmoved;
    if (isSame && unmoved !== null) {
      return { decision: unmoved, searchNanoseconds: this.#refinedNanoseconds ?? 0 };
    }
    // The best cut of the last context is nearer than one that was kept although it was not.
    const start = this.#found ?? (inForce === null ? null : { placement: inForce });
    const startedAt = clock.monotonicNanoseconds();
    let foundAt = 0n;
    const decision = partitioner.decide(context, start, () => {
      foundAt = clock.monotonicNanoseconds();
    });
    if (!isSame) {
      this.#isThorough = false;
      this.#refinedNanoseconds = null;
    }
    return { decision, searchNanoseconds: this.#refinedNanoseconds ?? Number(foundAt - startedAt) };
  }

  /** The decision became the latest of the deployment. @param isWeighedAgain in the same context, as time goes on */
  keep(decision: Decision, isWeighedAgain: boolean): void {
    const { placement, encoding, optimality } = decision;
    this.#found = { placement, encoding };
    // where it is not proven, it is searched on
    this.#unmoved = isWeighedAgain || optimality.kind === 'bounded' ? decision : null;
    this.#refinedNanoseconds = null;
  }

  /**
   * Takes what came of searching on from `improvable`, where nothing was decided meanwhile; it is in force after the next
   * decision.
   * @returns false where it is no better than what was found before
   */
  refine(decision: Decision, searchNanoseconds: number): boolean {
    this.#isThorough = true;
    if (!isBetter(decision, this.#unmoved!)) return false;
    this.#unmoved = decision;
    this.#refinedNanoseconds = searchNanoseconds;
    return true;
  }
}

/** Of two decisions in the same context, the later one searched for from the cut of the earlier. */
function isBetter(later: Decision, earlier: Decision): boolean {
  const isAnother = later.encoding !== earlier.encoding || !samePlacement(later.placement, earlier.placement);
  return isAnother || gapOf(later) < gapOf(earlier);
}

function gapOf({ optimality }: Decision): number {
  return optimality.kind === 'exact' ? 0 : (optimality.gap ?? Infinity);
}
