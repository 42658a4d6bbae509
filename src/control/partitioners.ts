/**
 * Partitioners in memory, one for each model and profiles of the tiers, shared by the deployments that need it. They are
 * built one after the other: at a start there may be as many to build as there are deployments. A build that nobody
 * needs any more is cancelled; what is built stays for a while when nobody needs it, since a deployment that is
 * changed, or deleted and made anew, needs it again.
 */
import type { Partitioner } from '../core/partitioner.js';
import type { PartitionInput } from '../core/stateGraph.js';
import type { Events, PartitionerBuilder } from './ports.js';

/** A share in a partitioner. */
export interface PartitionerLease {
  /** Rejects where the build failed, or was cancelled because all leases were released. */
  readonly partitioner: Promise<Partitioner>;
  /** Fraction of the build that is done, from 0 to 1; 1 once there is a partitioner. */
  readonly fraction: number;
  release(): void;
}

class Entry {
  shares = 0;
  fraction = 0;
  isBuilt = false;
  readonly cancellation = new AbortController();
}

export class Partitioners {
  readonly #entries = new Map<string, Entry & { partitioner: Promise<Partitioner> }>();
  /** Built and not needed, the longest unused first. */
  readonly #idle = new Set<string>();
  #lastBuild: Promise<unknown> = Promise.resolve();

  /** @param maxIdle partitioners kept while no deployment needs them */
  constructor(
    private readonly builder: PartitionerBuilder,
    private readonly events: Pick<Events, 'inventory' | 'capHit'>,
    private readonly maxIdle: number,
  ) {}

  /** `key` names the model and where the seconds come from; equal keys mean equal inputs. */
  lease(key: string, input: () => PartitionInput): PartitionerLease {
    const entry = this.#entries.get(key) ?? this.#enter(key, input());
    entry.shares++;
    if (this.#idle.delete(key)) this.#countIdle();
    let released = false;
    return {
      partitioner: entry.partitioner,
      get fraction() {
        return entry.fraction;
      },
      release: () => {
        if (released) return;
        released = true;
        entry.shares--;
        if (entry.shares === 0) this.#unneeded(key, entry);
      },
    };
  }

  #enter(key: string, input: PartitionInput): Entry & { partitioner: Promise<Partitioner> } {
    const begun = new Entry();
    const entry = Object.assign(begun, { partitioner: this.#build(begun, input) });
    this.#entries.set(key, entry);
    // a failed build is no answer for whoever comes later; those who wait for it are told by their own await
    entry.partitioner.catch(() => this.#forget(key, entry));
    return entry;
  }

  async #build(entry: Entry, input: PartitionInput): Promise<Partitioner> {
    const { signal } = entry.cancellation;
    const before = this.#lastBuild;
    const turn = before.then(() => {
      signal.throwIfAborted();
      return this.builder.build(input, { signal, progress: (fraction) => (entry.fraction = fraction) });
    });
    this.#lastBuild = turn.catch(() => undefined);
    const partitioner = await turn;
    entry.fraction = 1;
    entry.isBuilt = true;
    return partitioner;
  }

  #unneeded(key: string, entry: Entry): void {
    if (this.#entries.get(key) !== entry) return;
    if (!entry.isBuilt) {
      entry.cancellation.abort(new Error('nobody needs it any more'));
      this.#forget(key, entry);
      return;
    }
    this.#idle.add(key);
    if (this.#idle.size > this.maxIdle) {
      const [longest] = this.#idle;
      this.#idle.delete(longest!);
      this.#entries.delete(longest!);
      this.events.capHit('idleStateGraphs', { cap: this.maxIdle });
    }
    this.#countIdle();
  }

  #forget(key: string, entry: Entry): void {
    if (this.#entries.get(key) === entry) this.#entries.delete(key);
  }

  #countIdle(): void {
    this.events.inventory({ idleStateGraphs: this.#idle.size });
  }
}
