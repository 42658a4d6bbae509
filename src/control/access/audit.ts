/**
 * The record of changes: written down before a change is carried out, and completed with its outcome after. So no
 * change is without its row, and a row without an outcome says that the process or the database failed in between.
 */
import type { Clock, Events } from '../ports.js';
import type { AccessStore, AuditEntry, AuditOutcome, AuditStart } from './records.js';

/** Rows deleted at most in one go. */
const rowsPerStep = 200;
/** The cap is looked at after so many rows. */
const rowsBetweenPrunes = 100;

/** Without a time: of now. */
export type ChangeWanted = Omit<AuditStart, 'atMs'> & Partial<Pick<AuditStart, 'atMs'>>;

export class Audit {
  #rowsSincePrune = rowsBetweenPrunes;

  constructor(
    private readonly ports: { readonly store: AccessStore; readonly clock: Clock; readonly events: Events },
    private readonly keepRows: number,
  ) {}

  /** @throws StoreError: the change must then not be carried out */
  start(change: ChangeWanted): AuditStart & { readonly id: number } {
    const entry = this.dated(change);
    const id = this.ports.store.startAudit(entry);
    this.#prune();
    return { ...entry, id };
  }

  dated(change: ChangeWanted): AuditStart {
    return { atMs: this.ports.clock.nowMs(), ...change };
  }

  /** Never throws: the change is done, and the row without an outcome tells of the failure. */
  finish(started: AuditStart & { readonly id: number }, outcome: AuditOutcome): void {
    try {
      this.ports.store.finishAudit(started.id, outcome);
    } catch (error) {
      this.ports.events.storeFailed({ operation: 'complete the audit', error });
    }
    this.ports.events.audited({ ...started, ...outcome });
  }

  entries(page: { readonly limit: number; readonly beforeId?: number | undefined }): readonly AuditEntry[] {
    return this.ports.store.audit(page);
  }

  #prune(): void {
    if (++this.#rowsSincePrune < rowsBetweenPrunes) return;
    this.#rowsSincePrune = 0;
    try {
      const rows = this.ports.store.pruneAudit(this.keepRows, rowsPerStep);
      if (rows > 0) this.ports.events.auditPruned(rows);
      // more may be left when the cap was lowered: the next change goes on
      if (rows === rowsPerStep) this.#rowsSincePrune = rowsBetweenPrunes;
    } catch (error) {
      this.ports.events.storeFailed({ operation: 'prune the audit', error });
    }
  }
}
