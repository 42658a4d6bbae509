/**
 * Revoked is refused at once, also while nothing can be written: who must be cut off does not wait for a full disk.
 * What the store has not taken yet is tried again until it has, each with its row in the audit.
 */
import type { Events } from '../ports.js';
import type { Audit } from './audit.js';
import type { DeviceTokens } from './deviceTokens.js';
import type { AuditStart } from './records.js';

const betweenTriesMs = 1_000;

export class Revocations {
  /** What was asked for, by token; not more than there are tokens. */
  readonly #unstored = new Map<string, AuditStart>();
  #timer: NodeJS.Timeout | null = null;

  constructor(
    private readonly tokens: DeviceTokens,
    private readonly audit: Audit,
    private readonly events: Events,
  ) {}

  /** Writes down later what is refused already. */
  later(tokenId: string, change: AuditStart): void {
    this.#unstored.set(tokenId, change);
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
      for (const [tokenId, change] of this.#unstored) {
        const started = this.audit.start(change);
        this.tokens.saveRefused(tokenId);
        this.#unstored.delete(tokenId);
        this.audit.finish(started, { status: 204, code: null, target: change.target });
      }
    } catch (error) {
      this.events.storeFailed({ operation: 'save revoked tokens', error });
    }
    this.events.revocationsUnstored(this.#unstored.size);
    return this.#unstored.size === 0;
  }
}
