/** What somebody may do so often: some at once, and then as many a minute as come back. */

const MINUTE_MS = 60_000;

export interface BudgetLimits {
  readonly atOnce: number;
  readonly perMinute: number;
}

export class Budget {
  #left: number;
  #atMs: number;

  /** A full one. @param nowMs of a clock that does not go back */
  constructor(atOnce: number, nowMs: number) {
    this.#left = atOnce;
    this.#atMs = nowMs;
  }

  /** @returns false where it is used up; that costs nothing */
  take({ atOnce, perMinute }: BudgetLimits, nowMs: number): boolean {
    const left = Math.min(atOnce, this.#left + ((nowMs - this.#atMs) * perMinute) / MINUTE_MS);
    const isEnough = left >= 1;
    this.#left = isEnough ? left - 1 : left;
    this.#atMs = nowMs;
    return isEnough;
  }
}
