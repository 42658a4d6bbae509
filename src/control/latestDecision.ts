/** The latest decision of one deployment: the context that it was made in, and what operators see of it. */
import { ContextNumbers } from './contextNumbers.js';
import { DecisionParts, type Confirmed, type MadeOn } from './decisionParts.js';
import type { DecisionRecord } from './records.js';
import { costInForce } from './switching.js';

/** Reads the latest decision of before the start; null: none is kept, undefined: it cannot be read now. */
export type LatestReader = () => DecisionRecord | null | undefined;

export class LatestDecision {
  /** Which it was made in; none: the next context is decided. It may not be durable yet. */
  readonly context = new ContextNumbers();
  readonly #parts = new DecisionParts();
  /** Of the parts, once somebody looked; what has no parts, otherwise. */
  #words: DecisionRecord | null = null;
  /** Which decision operators see; 0: one from before the start. */
  #shownNumber = 0;

  /** @param unread null: there is none of before the start */
  constructor(private unread: LatestReader | null) {}

  /** Reads the one of before the start, where there is no newer one; false where nothing had to be read. */
  read(): boolean {
    if (this.unread === null) return false;
    const latest = this.unread();
    if (latest === undefined) return true;
    this.unread = null;
    this.#words = latest;
    return true;
  }

  /** Decision `number`, made on `on`, is what operators see: it was made in `confirmed.context`, and left all as it was. */
  confirm(confirmed: Confirmed, on: MadeOn, number: number): void {
    this.context.take(confirmed.context);
    this.#shownNumber = number;
    this.#parts.confirm(on, confirmed);
    this.#words = null;
    this.unread = null;
  }

  /**
   * `decision`, the one with this number, is what operators see, unless they see a later one already.
   * @param on what the deployment stands on now
   */
  show(decision: DecisionRecord, number: number, on: MadeOn | null): void {
    if (number < this.#shownNumber) return;
    this.#shownNumber = number;
    const hasParts = on !== null && this.#parts.take(on, decision);
    if (!hasParts) this.#parts.forget();
    this.#words = hasParts ? null : decision;
    this.unread = null;
  }

  /** What operators see; null before the first decision, and while that of before the start is unread. */
  inWords(): DecisionRecord | null {
    if (this.#words === null && this.#parts.isThere) this.#words = this.#parts.inWords();
    return this.#words;
  }

  /** The next context is decided whatever it is; nothing is held any more of what this one stood on. */
  forgetContext(): void {
    this.inWords();
    this.#parts.forget();
    this.context.forget();
  }

  /** Predicted of the cut that it left in force, seconds; null where `inWords` is. */
  get latencySeconds(): number | null {
    if (this.#parts.isThere && !Number.isNaN(this.#parts.latencySeconds)) return this.#parts.latencySeconds;
    const words = this.inWords();
    return words === null ? null : costInForce(words).prediction.latencySeconds;
  }

  /** Whether it left a cut in force that breaks what was asked; false while it is unread. */
  get isViolating(): boolean {
    if (this.#parts.isThere) return this.#parts.isViolating;
    return this.#words !== null && costInForce(this.#words).violations.length > 0;
  }
}
