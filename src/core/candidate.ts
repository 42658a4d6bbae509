/** How two cuts compare when not all constraints can be met: less violation in the stated order, then less cost. */

export interface Candidate {
  /** By how much each constraint is exceeded, in the stated order; 0 where it is met. */
  readonly excess: readonly number[];
  readonly value: number;
}

/** Below 0 where `a` is preferred. */
export function compareCandidates(a: Candidate, b: Candidate): number {
  for (let c = 0; c < a.excess.length; c++) {
    const difference = a.excess[c]! - b.excess[c]!;
    if (difference !== 0) return difference;
  }
  return a.value - b.value;
}
