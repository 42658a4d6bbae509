/**
 * The way of decisions into the store: a bounded queue, committed in groups off the decision path.
 *
 * While the store fails, rows wait and the commit is tried again, ever later up to `maxRetryMs`. A full queue
 * makes decisions wait (`isFull`), never go: telemetry coalesces meanwhile, so nothing grows.
 */
import type { DeploymentSession } from './deploymentSession.js';
import type { Devices } from './devices.js';
import type { Clock, Events, Store } from './ports.js';
import type { DecisionRecord, DeploymentRecord } from './records.js';
import type { ControlSettings } from './settings.js';

/** Of decisions, of reports and of devices each: a commit must stay short. */
const rowsPerCommit = 500;
/** What nobody waits for (reports, devices) is committed after this, with a decision that comes before, ms. */
const unhurriedMs = 50;
const maxRetryMs = 5_000;

interface Row {
  readonly session: DeploymentSession;
  readonly decision: DecisionRecord;
  readonly deployment: DeploymentRecord;
  /** When the frame came that caused it; null where no frame did. */
  readonly receivedAtNanoseconds: bigint | null;
}

/** What one commit made durable for one deployment. */
export interface DurableStep {
  readonly session: DeploymentSession;
  readonly deployment: DeploymentRecord;
  readonly decision: DecisionRecord | null;
  readonly receivedAtNanoseconds: bigint | null;
}

export class DecisionLog {
  #rows: Row[] = [];
  readonly #reported = new Set<DeploymentSession>();
  #timer: NodeJS.Timeout | null = null;
  #dueNanoseconds = 0n;
  #retryMs = 0;
  #closed = false;

  constructor(
    private readonly store: Store,
    private readonly devices: Devices,
    private readonly clock: Clock,
    private readonly events: Events,
    private readonly settings: ControlSettings['decisions'],
    private readonly on: {
      /** After the commit, before this log does anything else. Must not throw. */
      readonly durable: (step: DurableStep) => void;
      /** There is room again after the queue was full. */
      readonly room: () => void;
    },
  ) {}

  get isFull(): boolean {
    return this.#rows.length >= this.settings.queueRows;
  }

  /** False while the last commit failed. */
  get isHealthy(): boolean {
    return this.#retryMs === 0;
  }

  get waitingRows(): number {
    return this.#rows.length;
  }

  append(session: DeploymentSession, decision: DecisionRecord, receivedAtNanoseconds: bigint | null): void {
    this.#rows.push({ session, decision, deployment: session.current, receivedAtNanoseconds });
    this.events.decisionQueue(this.#rows.length);
    if (this.isFull) this.events.capHit('decisionQueueRows', { cap: this.settings.queueRows });
    this.#wake(this.settings.flushMs);
  }

  /** What a device reported of `session` goes with the next commit. */
  reported(session: DeploymentSession): void {
    this.#reported.add(session);
    this.schedule();
  }

  /** Something waits that nobody waits for (reports, devices): commit in a while. */
  schedule(): void {
    this.#wake(Math.max(unhurriedMs, this.settings.flushMs));
  }

  #wake(afterMs: number): void {
    if (this.#closed) return;
    const waitMs = this.#retryMs || afterMs;
    const dueNanoseconds = this.clock.monotonicNanoseconds() + BigInt(waitMs) * 1_000_000n;
    if (this.#timer !== null) {
      if (this.#dueNanoseconds <= dueNanoseconds) return;
      clearTimeout(this.#timer);
    }
    this.#dueNanoseconds = dueNanoseconds;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#commitOnce();
      if (this.#hasWork()) this.#wake(this.settings.flushMs);
    }, waitMs);
  }

  /** Commits all that waits, now; false when the store cannot, in which case it keeps waiting. */
  flush(): boolean {
    while (this.#hasWork()) if (!this.#commitOnce()) return false;
    return true;
  }

  /** No commit of its own after this; `flush` first. */
  close(): void {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #hasWork(): boolean {
    return this.#rows.length > 0 || this.#reported.size > 0 || this.devices.hasUnsaved;
  }

  #commitOnce(): boolean {
    const wasFull = this.isFull;
    const rows = this.#rows.slice(0, rowsPerCommit);
    const reported = [...this.#reported].slice(0, rowsPerCommit);
    const steps = this.#steps(rows, reported);
    const devices = this.devices.unsaved(rowsPerCommit);
    const startedAt = this.clock.monotonicNanoseconds();
    let refused: readonly string[];
    try {
      if (devices.length > 0) this.store.saveDevices(devices);
      refused = this.store.commit(
        rows.map((row) => row.decision),
        steps.map((step) => step.deployment),
      );
    } catch (error) {
      this.events.storeFailed({ operation: 'commit', error });
      this.#retryMs = Math.min(maxRetryMs, Math.max(this.settings.flushMs, this.#retryMs * 2, 10));
      return false;
    }
    this.#retryMs = 0;
    this.#rows = this.#rows.slice(rows.length);
    this.devices.saved(devices);
    const seconds = Number(this.clock.monotonicNanoseconds() - startedAt) / 1e9;
    this.events.storeCommitted({ rows: rows.length, seconds });
    this.events.decisionQueue(this.#rows.length);
    for (const session of [...reported, ...steps.map((step) => step.session)]) this.#reported.delete(session);
    for (const step of steps) if (!refused.includes(step.session.id)) this.on.durable(step);
    if (wasFull && !this.isFull) this.on.room();
    return true;
  }

  /** One step for each deployment that the rows or a report touch, with its state after the last of its rows. */
  #steps(rows: readonly Row[], reported: readonly DeploymentSession[]): DurableStep[] {
    const last = new Map<DeploymentSession, Row>();
    for (const row of rows) {
      const before = last.get(row.session);
      const receivedAtNanoseconds = before?.receivedAtNanoseconds ?? row.receivedAtNanoseconds;
      last.set(row.session, { ...row, receivedAtNanoseconds });
    }
    return [...new Set([...last.keys(), ...reported])]
      .filter((session) => !session.disposed)
      .map((session) => {
        const row = last.get(session);
        return {
          session,
          // a report may be newer than the row that waits; a version is never newer than its row
          deployment: { ...(row?.deployment ?? session.durable), reported: session.current.reported },
          decision: row?.decision ?? null,
          receivedAtNanoseconds: row?.receivedAtNanoseconds ?? null,
        };
      });
  }
}
