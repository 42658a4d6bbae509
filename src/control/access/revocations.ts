/**
 * Revoked is refused at once, also while nothing can be written: who must be cut off does not wait for a full disk.
 * What the store has not taken yet is tried again until it has, each with its row in the audit.
 */
import type { Events } from '../ports.js';
import type { Audit } from './audit.js';
import type { AuditStart } from './records.js';

const betweenTriesMs = 1_000;

interface Unstored {
  readonly change: AuditStart;
  /** @throws StoreError */
  readonly save: () => void;
}

export class Revocations {
  /** What was asked for, by token or key; not more than there are of those. */
  readonly #unstored = new Map<string, Unstored>();
  #timer: NodeJS.Timeout | null = null;

  constructor(
    private readonly audit: Audit,
    private readonly events: Events,
  ) {}

  /** Writes down later what is refused already. @param id of the token or the key @param save stores that */
  later(id: string, change: AuditStart, save: () => void): void {
    this.#unstored.set(id, { change, save });
    this.events.revocationsUnstored(this.#unstored.size);
    this.#schedule();
  }

  /** One last try. */
  close(): void {
    if (this.#timer === null) return;
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#store();
  }

  #schedule(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      if (!this.#store()) this.#schedule();
    }, betweenTriesMs).unref();
  }

  /** @returns false when some are left */
  #store(): boolean {
    try {
      for (const [id, { change, save }] of this.#unstored) {
        const started = this.audit.start(change);
        save();
        this.#unstored.delete(id);
        this.audit.finish(started, { status: 204, code: null, target: change.target });
      }
    } catch (error) {
      this.events.storeFailed({ operation: 'save what is revoked', error });
    }
    this.events.revocationsUnstored(this.#unstored.size);
    return this.#unstored.size === 0;
  }
}
