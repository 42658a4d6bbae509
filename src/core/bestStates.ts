/** The best held states of a problem in the order of preference, by looking at each once. */
import { candidateOf, compareCandidates, type Candidate } from './candidate.js';
import type { Problem } from './problem.js';
import type { Steps } from './steps.js';

/** States looked at in one step. */
const statesPerStep = 128;

/**
 * @param features of the states, row by row, each of `width` features
 * @returns the `limit` best, the best first
 */
export function* bestStates(
  features: Float64Array,
  width: number,
  problem: Problem,
  limit: number,
): Steps<readonly number[]> {
  const best: (Candidate & { readonly state: number })[] = [];
  for (let state = 0; state * width < features.length; state++) {
    if (state % statesPerStep === 0) yield;
    const candidate = { state, ...candidateOf(problem, features, state * width) };
    if (best.length === limit && compareCandidates(candidate, best[limit - 1]!) >= 0) continue;
    const at = best.findIndex((other) => compareCandidates(candidate, other) < 0);
    best.splice(at < 0 ? best.length : at, 0, candidate);
    if (best.length > limit) best.pop();
  }
  return best.map(({ state }) => state);
}
