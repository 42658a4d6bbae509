/**
 * The latest decision of one deployment: the context that it was made in, and what operators see of it, which are words
 * that are made of a confirmation when somebody looks.
 */
import type { Placement } from '../core/decision.js';
import { Confirmation } from './confirmation.js';
import { ContextNumbers } from './contextNumbers.js';
import type { LatestRow } from './history.js';
import type { DecisionRecord, DeploymentRecord } from './records.js';
import { costInForce } from './switching.js';

/** Reads the latest decision of before the start; null: none is kept, undefined: it cannot be read now. */
export type LatestReader = () => DecisionRecord | null | undefined;

export class LatestDecision {
  /** Which it was made in; none: the next context is decided. It may not be durable yet. */
  readonly context = new ContextNumbers();
  /** Where telemetry confirmed the cut in force, and nobody has looked at that yet. */
  readonly confirmation = new Confirmation();
  #shown: DecisionRecord | null = null;
  /** Which decision operators see; 0: one from before the start. */
  #shownNumber = 0;

  /** @param unread null: there is none of before the start */
  constructor(private unread: LatestReader | null) {}

  /** Reads the one of before the start, where there is no newer one; false where nothing had to be read. */
  read(): boolean {
    if (this.unread === null || this.confirmation.isThere) return false;
    const latest = this.unread();
    if (latest === undefined) return true;
    this.unread = null;
    this.#shown = latest;
    return true;
  }

  /** Decision `number`, which `confirmation` holds, is what operators see. */
  showConfirmation(number: number): void {
    this.#shownNumber = number;
  }

  /** `decision`, the one with this number, is what operators see, unless they see a later one already. */
  show(decision: DecisionRecord, number: number): void {
    if (number < this.#shownNumber) return;
    this.#shownNumber = number;
    this.confirmation.forget();
    this.unread = null;
    this.#shown = decision;
  }

  /**
   * What operators see; null before the first decision, and while that of before the start is unread.
   * @param placement of the cut of `deployment` @param deployment as it was when that was confirmed, where it was
   */
  inWords(deployment: DeploymentRecord, placement: Placement | null): DecisionRecord | null {
    if (this.confirmation.isThere) {
      // what is confirmed is a cut
      this.#shown = this.confirmation.inWords(this.context.context(), deployment, placement!);
      this.unread = null;
      this.confirmation.forget();
    }
    return this.#shown;
  }

  /** Whether it left a cut in force that breaks what was asked; false while it is unread. @param latestRow of the history */
  isViolating(latestRow: LatestRow | null): boolean {
    // what is confirmed breaks what the latest row did
    if (this.confirmation.isThere) return latestRow!.broken !== '';
    return this.#shown !== null && costInForce(this.#shown).violations.length > 0;
  }
}
