/**
 * Failed attempts by network address: each address has a budget that refills with time. Once it is used up further
 * failures get a shorter answer and no log line. A right credential is always taken, so that nobody locks out a
 * fleet from behind the same address.
 */
import { Budget } from '../budget.js';

export interface FailureLimits {
  /** Attempts that may fail at once before the limit, and how many of them come back each minute. */
  readonly failuresPerMinute: number;
  /** Addresses remembered; beyond, the one that failed the longest ago is forgotten. */
  readonly maxTrackedAddresses: number;
}

export class FailedAttempts {
  /** In the order of the last failure. */
  readonly #budgets = new Map<string, Budget>();

  constructor(
    private readonly limits: FailureLimits,
    /** Told when an address is forgotten because too many are remembered. */
    private readonly forgotten: () => void,
  ) {}

  get trackedAddresses(): number {
    return this.#budgets.size;
  }

  /**
   * Counts one failure.
   * @param nowMs of a clock that does not go back
   * @returns false when the budget of the address was used up before
   */
  admit(address: string, nowMs: number): boolean {
    const source = sourceOf(address);
    const { failuresPerMinute, maxTrackedAddresses } = this.limits;
    const known = this.#budgets.get(source);
    const budget = known ?? new Budget(failuresPerMinute, nowMs);
    this.#budgets.delete(source);
    if (known === undefined && this.#budgets.size >= maxTrackedAddresses) {
      this.#budgets.delete(this.#budgets.keys().next().value!);
      this.forgotten();
    }
    this.#budgets.set(source, budget);
    return budget.take({ atOnce: failuresPerMinute, perMinute: failuresPerMinute }, nowMs);
  }
}

/** One customer of IPv6 has at least a /64: all of its addresses count as one. IPv4 stays as it is. */
function sourceOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped) return mapped[1]!;
  if (!address.includes(':')) return address;
  const [head = '', tail = ''] = address.split('::', 2);
  const front = head === '' ? [] : head.split(':');
  const back = tail === '' ? [] : tail.split(':');
  const zeros = address.includes('::')
    ? Array<string>(Math.max(0, 8 - front.length - back.length)).fill('0')
    : [];
  return [...front, ...zeros, ...back].slice(0, 4).join(':');
}
