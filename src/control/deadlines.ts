/** Wakes whoever waits for something until a time: one timer for the earliest of them. */

/** However many are due one after the other, they are looked through at most this often, ms. */
const leastTimerMs = 5;
/** A timer of Node.js does not wait longer, ms. */
const longestTimerMs = 2 ** 31 - 1;

export class Deadlines<Key> {
  readonly #dueAtMs = new Map<Key, number>();
  #timer: NodeJS.Timeout | null = null;
  #timerAtMs = Infinity;
  #stopped = false;

  constructor(
    /** A clock that does not go back. */
    private readonly nowMs: () => number,
    /** `key` is due; it has no deadline any more. */
    private readonly due: (key: Key) => void,
  ) {}

  get size(): number {
    return this.#dueAtMs.size;
  }

  /** Replaces the deadline of `key`; null takes it away. */
  set(key: Key, dueAtMs: number | null): void {
    if (dueAtMs === null) this.#dueAtMs.delete(key);
    else this.#dueAtMs.set(key, dueAtMs);
    if (dueAtMs !== null && dueAtMs < this.#timerAtMs) this.#wakeAt(dueAtMs);
  }

  stop(): void {
    this.#stopped = true;
    this.#dueAtMs.clear();
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #wakeAt(dueAtMs: number): void {
    if (this.#stopped) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timerAtMs = dueAtMs;
    const waitMs = Math.min(longestTimerMs, Math.max(leastTimerMs, Math.ceil(dueAtMs - this.nowMs())));
    this.#timer = setTimeout(() => this.#wake(), waitMs);
  }

  #wake(): void {
    this.#timer = null;
    this.#timerAtMs = Infinity;
    const nowMs = this.nowMs();
    // a timer that comes late finds several, which come in their order all the same
    const due = [...this.#dueAtMs].filter(([, dueAtMs]) => dueAtMs <= nowMs).sort(([, a], [, b]) => a - b);
    for (const [key, dueAtMs] of due) {
      // what came before in here may have put it off, or ended all
      if (this.#dueAtMs.get(key) !== dueAtMs) continue;
      this.#dueAtMs.delete(key);
      this.due(key);
    }
    let earliest = Infinity;
    for (const dueAtMs of this.#dueAtMs.values()) earliest = Math.min(earliest, dueAtMs);
    if (earliest < this.#timerAtMs) this.#wakeAt(earliest);
  }
}
