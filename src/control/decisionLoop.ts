/**
 * Which deployments have to be decided again: each once, so that many frames for one deployment are one decision on
 * the latest context. They are worked off in bounded batches with the event loop in between.
 *
 * A device may have a thousand deployments, all of which each of its frames marks. What it marks in bulk has a share
 * of each batch and no more, so that it waits for itself, and nobody else for it.
 */
import Denque from 'denque';
import type { DecisionReason } from './records.js';

export interface Trigger {
  readonly reason: DecisionReason;
  /** When the oldest frame came that waits for this decision, by the clock that does not go back; NaN where no frame does. */
  readonly receivedAtMs: number;
  /** One of many that were marked at once. */
  readonly isBulk: boolean;
}

/**
 * The trigger of one deployment, written over by the next one: there is one for each telemetry frame, and as objects of
 * their own they would be moved and thrown away by the garbage collector all the time.
 */
export class Mark implements Trigger {
  isWaiting = false;
  reason: DecisionReason = 'telemetry';
  receivedAtMs = NaN;
  isBulk = false;
}

/** What is to be decided. */
export interface Marked {
  readonly mark: Mark;
}

/** What was marked in bulk has this part of a batch. */
const bulkPart = 4;

export class DecisionLoop<Target extends Marked> {
  /** Each target that waits is in that of its mark, once; it may stand in the other one as well, where it is passed over. */
  readonly #single = new Denque<Target>();
  readonly #bulk = new Denque<Target>();
  #waiting = 0;
  #waitingSingle = 0;
  #scheduled: NodeJS.Immediate | null = null;
  #stopped = false;

  constructor(
    private readonly batchDeployments: number,
    private readonly work: {
      /** False: not now; `resume` is called when there is room. */
      readonly hasRoom: () => boolean;
      /** The trigger is good until the next mark. */
      readonly decide: (target: Target, trigger: Trigger) => void;
      /** Another frame came before the last one was looked at. */
      readonly coalesced: () => void;
    },
  ) {}

  get waiting(): number {
    return this.#waiting;
  }

  /** Without what was marked in bulk. */
  get waitingSingle(): number {
    return this.#waitingSingle;
  }

  /** @param receivedAtMs NaN where no frame is the cause */
  mark(target: Target, reason: DecisionReason, receivedAtMs: number, isBulk: boolean): void {
    if (this.#stopped) return;
    const { mark } = target;
    if (!mark.isWaiting) {
      mark.isWaiting = true;
      mark.reason = reason;
      mark.receivedAtMs = receivedAtMs;
      this.#waiting++;
      this.#add(target, isBulk);
    } else {
      if (reason === 'telemetry') this.work.coalesced();
      if (mark.reason === 'telemetry') mark.reason = reason;
      if (Number.isNaN(mark.receivedAtMs)) mark.receivedAtMs = receivedAtMs;
      if (mark.isBulk && !isBulk) this.#add(target, false);
    }
    this.resume();
  }

  resume(): void {
    if (this.#scheduled !== null || this.#stopped || this.#waiting === 0 || !this.work.hasRoom()) return;
    this.#scheduled = setImmediate(this.#round);
  }

  /** No decision after this; what is marked stays undecided. */
  stop(): void {
    this.#stopped = true;
    if (this.#scheduled !== null) clearImmediate(this.#scheduled);
    this.#scheduled = null;
  }

  #add(target: Target, isBulk: boolean): void {
    target.mark.isBulk = isBulk;
    if (isBulk) {
      this.#bulk.push(target);
    } else {
      this.#single.push(target);
      this.#waitingSingle++;
    }
  }

  readonly #round = (): void => {
    this.#scheduled = null;
    this.#take(this.#single, false, this.batchDeployments);
    this.#take(this.#bulk, true, Math.ceil(this.batchDeployments / bulkPart));
    this.resume();
  };

  /** What is marked meanwhile waits for the next round. */
  #take(queue: Denque<Target>, isBulk: boolean, most: number): void {
    let left = most;
    for (let unread = queue.length; unread > 0 && left > 0 && this.work.hasRoom(); unread--) {
      const target = queue.shift()!;
      const { mark } = target;
      if (!mark.isWaiting || mark.isBulk !== isBulk) continue; // it has had its turn
      mark.isWaiting = false;
      this.#waiting--;
      if (!isBulk) this.#waitingSingle--;
      left--;
      this.work.decide(target, mark);
    }
  }
}
