/**
 * Which deployments have to be decided again: a set, so that many frames for one deployment are one decision on
 * the latest context. It is worked off in bounded batches with the event loop in between.
 *
 * A device may have a thousand deployments, all of which each of its frames marks. What it marks in bulk has a share
 * of each batch and no more, so that it waits for itself, and nobody else for it.
 */
import type { DecisionReason } from './records.js';

export interface Trigger {
  readonly reason: DecisionReason;
  /** When the oldest frame came that waits for this decision; null where no frame does. */
  readonly receivedAtNanoseconds: bigint | null;
  /** One of many that were marked at once. */
  readonly isBulk: boolean;
}

/** What was marked in bulk has this part of a batch. */
const bulkPart = 4;

export class DecisionLoop {
  readonly #single = new Map<string, Trigger>();
  readonly #bulk = new Map<string, Trigger>();
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
    return this.#single.size + this.#bulk.size;
  }

  /** Without what was marked in bulk. */
  get waitingSingle(): number {
    return this.#single.size;
  }

  mark(deploymentId: string, trigger: Trigger): void {
    if (this.#stopped) return;
    const before = this.#single.get(deploymentId) ?? this.#bulk.get(deploymentId);
    if (before === undefined) {
      (trigger.isBulk ? this.#bulk : this.#single).set(deploymentId, trigger);
    } else {
      if (trigger.reason === 'telemetry') this.work.coalesced();
      const isBulk = before.isBulk && trigger.isBulk;
      if (before.isBulk && !isBulk) this.#bulk.delete(deploymentId);
      (isBulk ? this.#bulk : this.#single).set(deploymentId, {
        reason: before.reason === 'telemetry' ? trigger.reason : before.reason,
        receivedAtNanoseconds: before.receivedAtNanoseconds ?? trigger.receivedAtNanoseconds,
        isBulk,
      });
    }
    this.resume();
  }

  resume(): void {
    if (this.#scheduled !== null || this.#stopped || this.waiting === 0 || !this.work.hasRoom()) return;
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
    this.#take(this.#single, this.batchDeployments);
    this.#take(this.#bulk, Math.ceil(this.batchDeployments / bulkPart));
  }

  #take(marked: Map<string, Trigger>, most: number): void {
    let left = most;
    for (const [deploymentId, trigger] of marked) {
      if (left-- === 0 || !this.work.hasRoom()) return;
      marked.delete(deploymentId);
      this.work.decide(deploymentId, trigger);
    }
  }
}
