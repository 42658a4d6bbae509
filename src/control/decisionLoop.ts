/**
 * Which deployments have to be decided again: a set, so that many frames for one deployment are one decision on
 * the latest context. It is worked off in bounded batches with the event loop in between.
 */
import type { DecisionReason } from './records.js';

export interface Trigger {
  readonly reason: DecisionReason;
  /** When the oldest frame came that waits for this decision; null where no frame does. */
  readonly receivedAtNanoseconds: bigint | null;
}

export class DecisionLoop {
  readonly #dirty = new Map<string, Trigger>();
  #scheduled: NodeJS.Immediate | null = null;
  #stopped = false;

  constructor(
    private readonly batchDeployments: number,
    private readonly work: {
      /** False: not now; `resume` is called when there is room. */
      readonly hasRoom: () => boolean;
      readonly decide: (deploymentId: string, trigger: Trigger) => void;
      /** Another frame came before the last one was looked at. */
      readonly coalesced: () => void;
    },
  ) {}

  get waiting(): number {
    return this.#dirty.size;
  }

  mark(deploymentId: string, trigger: Trigger): void {
    if (this.#stopped) return;
    const before = this.#dirty.get(deploymentId);
    if (before === undefined) {
      this.#dirty.set(deploymentId, trigger);
    } else {
      if (trigger.reason === 'telemetry') this.work.coalesced();
      this.#dirty.set(deploymentId, {
        reason: before.reason === 'telemetry' ? trigger.reason : before.reason,
        receivedAtNanoseconds: before.receivedAtNanoseconds ?? trigger.receivedAtNanoseconds,
      });
    }
    this.resume();
  }

  resume(): void {
    if (this.#scheduled !== null || this.#stopped || this.#dirty.size === 0 || !this.work.hasRoom()) return;
    this.#scheduled = setImmediate(() => {
      this.#scheduled = null;
      this.#drain();
      this.resume();
    });
  }

  /** No decision after this; what is marked stays undecided. */
  stop(): void {
    this.#stopped = true;
    if (this.#scheduled !== null) clearImmediate(this.#scheduled);
    this.#scheduled = null;
  }

  #drain(): void {
    let left = this.batchDeployments;
    for (const [deploymentId, trigger] of this.#dirty) {
      if (left-- === 0 || !this.work.hasRoom()) return;
      this.#dirty.delete(deploymentId);
      this.work.decide(deploymentId, trigger);
    }
  }
}
