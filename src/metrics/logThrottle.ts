/** Keeps a log readable when the same thing happens thousands of times: one line per kind and interval. */

/** The part of a logger that is used here. */
type Write = (fields: object, message: string) => void;
export interface EventLog {
  readonly debug: Write;
  readonly info: Write;
  readonly warn: Write;
  readonly error: Write;
}

/** A line for something that may happen very often; `unsaid` counts those without a line since the last. */
export type Warn = (level: keyof EventLog, kind: string, fields: object, message: string) => void;

const MAX_KINDS = 1_000;

interface Kind {
  lastLineMs: number;
  unsaid: number;
}

export class LogThrottle {
  readonly #kinds = new Map<string, Kind>();

  /**
   * @param intervalMs least time between two lines of a kind
   * @param nowMs a clock that does not go back
   */
  constructor(
    private readonly intervalMs: number,
    private readonly nowMs: () => number,
  ) {}

  /** How many times `kind` happened without a line since its last one; null when it is to have no line now. */
  admit(kind: string): number | null {
    const nowMs = this.nowMs();
    let known = this.#kinds.get(kind);
    if (!known) {
      if (this.#kinds.size >= MAX_KINDS) this.#kinds.clear(); // costs a few lines too many, not memory
      known = { lastLineMs: -Infinity, unsaid: 0 };
      this.#kinds.set(kind, known);
    }
    if (nowMs - known.lastLineMs < this.intervalMs) {
      known.unsaid += 1;
      return null;
    }
    const { unsaid } = known;
    known.lastLineMs = nowMs;
    known.unsaid = 0;
    return unsaid;
  }
}
