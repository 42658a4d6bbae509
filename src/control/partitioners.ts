/**
 * Partitioners in memory, one for each model and pair of profiles, shared by the deployments that need it.
 * They are built one after the other: at a start there may be as many to build as there are deployments.
 */
import type { Partitioner } from '../core/partitioner.js';
import type { PartitionInput } from '../core/stateGraph.js';
import type { PartitionerBuilder } from './ports.js';

/** A share in a partitioner; the last one released frees its memory. */
export interface PartitionerLease {
  readonly partitioner: Promise<Partitioner>;
  release(): void;
}

interface Shared {
  readonly partitioner: Promise<Partitioner>;
  shares: number;
}

export class Partitioners {
  readonly #shared = new Map<string, Shared>();
  #lastBuild: Promise<unknown> = Promise.resolve();

  constructor(private readonly builder: PartitionerBuilder) {}

  /** `key` names the model and where the seconds come from; equal keys mean equal inputs. */
  lease(key: string, input: () => PartitionInput): PartitionerLease {
    let shared = this.#shared.get(key);
    if (shared === undefined) {
      shared = { partitioner: this.#build(key, input()), shares: 0 };
      this.#shared.set(key, shared);
      const built = shared;
      // a failed build is no answer for whoever comes later; those who wait for it are told by their own await
      built.partitioner.catch(() => this.#forget(key, built));
    }
    const mine = shared;
    mine.shares++;
    let released = false;
    return {
      partitioner: mine.partitioner,
      release: () => {
        if (released) return;
        released = true;
        mine.shares--;
        if (mine.shares === 0) this.#forget(key, mine);
      },
    };
  }

  #build(key: string, input: PartitionInput): Promise<Partitioner> {
    const partitioner = this.#lastBuild.then(() => {
      if (!this.#shared.has(key)) throw new Error('nobody needs it any more');
      return this.builder.build(input);
    });
    this.#lastBuild = partitioner.catch(() => undefined);
    return partitioner;
  }

  #forget(key: string, shared: Shared): void {
    if (this.#shared.get(key) === shared) this.#shared.delete(key);
  }
}
