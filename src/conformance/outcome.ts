/** How a scenario ends other than well, and the small checks that scenarios are written with. */

/** The other side does not keep the promise of the scenario. */
export class Unmet extends Error {
  override readonly name = 'Unmet';
}

/** The scenario cannot be played here; the message says what it needs. */
export class NotPlayable extends Error {
  override readonly name = 'NotPlayable';
}

/** @throws Unmet */
export function must(condition: boolean, expectation: string): asserts condition {
  if (!condition) throw new Unmet(expectation);
}

/** Compares JSON values. @throws Unmet naming both */
export function mustEqual(actual: unknown, expected: unknown, what: string): void {
  const [is, wanted] = [show(actual), show(expected)];
  if (is !== wanted) throw new Unmet(`${what}: expected ${wanted}, got ${is}`);
}

/** A value as JSON for a message; `nothing` where it is absent. */
export function show(value: unknown): string {
  return value === undefined ? 'nothing' : JSON.stringify(value);
}
