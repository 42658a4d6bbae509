/** Scenarios are about time. A busy machine can spoil one of them; it cannot three times, the last two on its own. */
import type { Result } from '../../src/conformance/run.js';
import type { Verdict } from '../../src/conformance/scenario.js';

const plays = 3;

/**
 * @param play plays the scenarios with these names
 * @returns the last result of each that never came to the verdict that is wanted
 */
export async function notComingTo(
  wanted: Verdict,
  names: readonly string[],
  play: (names: readonly string[]) => Promise<readonly Result[]>,
): Promise<readonly Result[]> {
  let left = (await play(names)).filter(({ verdict }) => verdict !== wanted);
  for (let again = 1; again < plays && left.length > 0; again++) {
    const results: Result[] = [];
    for (const { name } of left) results.push(...(await play([name])));
    left = results.filter(({ verdict }) => verdict !== wanted);
  }
  return left;
}
