/**
 * The way of decisions into the store: a bounded queue, committed in groups. What is decided in one turn of the event loop is
 * committed at its end, at once; where the last commit is less than `flushMs` ago, when that time is over.
 *
 * While the store fails, rows wait and the commit is tried again, ever later up to `maxRetryMs`. A full queue
 * makes decisions wait (`isFull`), never go: telemetry coalesces meanwhile, so nothing grows. Where it is configured to
 * go on without the store, versions that were reserved before are given out, and at half of the queue the oldest rows
 * of those go: of the history something is missing then, of what stands nothing.
 */
import type { DeploymentSession } from './deploymentSession.js';
import type { Devices } from './devices.js';
import type { Clock, Events, Store } from './ports.js';
import type { DecisionRecord, DeploymentRecord } from './records.js';
import { Reservations } from './reservations.js';
import type { ControlSettings } from './settings.js';

/** Of decisions, of reports and of devices each: a commit holds up telemetry, and has to stay at a few milliseconds. */
const rowsPerCommit = 64;
/** What nobody waits for (reports, devices) is committed after this: a deployment's acks are one write then, ms. */
const unhurriedMs = 250;
const maxRetryMs = 5_000;
/** While the store asks commits to wait, it is asked again after this, ms. */
const yieldMs = 2;

interface Row {
  readonly session: DeploymentSession;
  readonly decision: DecisionRecord;
  /** Which one of its deployment. */
  readonly number: number;
  readonly deployment: DeploymentRecord;
  /** When the frame came that caused it; NaN where no frame did. */
  readonly receivedAtMs: number;
}

/** What one commit made durable for one deployment, or what goes out on a reserved version before its commit. */
export interface DurableStep {
  readonly session: DeploymentSession;
  readonly deployment: DeploymentRecord;
  readonly decision: DecisionRecord | null;
  /** Which decision of its deployment that is. */
  readonly number: number;
  readonly receivedAtMs: number;
}

export class DecisionLog {
  #rows: Row[] = [];
  readonly #reported = new Set<DeploymentSession>();
  #timer: NodeJS.Timeout | null = null;
  #dueNanoseconds = 0n;
  /** The rows of this turn are committed at its end. */
  #endsTurn = false;
  /** The store asked for the commit that is due to wait. */
  #yields = false;
  /** When the last commit was over. */
  #committedNanoseconds = 0n;
  /** When reports and devices have waited long enough; null while there is none. */
  #unhurriedAtNanoseconds: bigint | null = null;
  #retryMs = 0;
  #closed = false;
  readonly #reservations: Reservations;
  /** Of the rows that wait, so many from the first on were looked at while the store fails. */
  #givenOut = 0;
  #giveOutTimer: NodeJS.Timeout | null = null;

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
  ) {
    this.#reservations = new Reservations(this.#continues ? settings.reservedVersions : 0);
  }

  get isFull(): boolean {
    return this.#rows.length >= this.settings.queueRows;
  }

  get #continues(): boolean {
    return this.settings.whenStoreFails === 'continue';
  }

  /** False while the last commit failed. */
  get isHealthy(): boolean {
    return this.#retryMs === 0;
  }

  get waitingRows(): number {
    return this.#rows.length;
  }

  append(session: DeploymentSession, decision: DecisionRecord, receivedAtMs: number): void {
    const { current: deployment, decisionCount: number } = session;
    this.#rows.push({ session, decision, number, deployment, receivedAtMs });
    this.events.decisionQueue(this.#rows.length);
    if (this.isFull) this.events.capHit('decisionQueueRows', { cap: this.settings.queueRows });
    this.#commitSoon();
    if (!this.isHealthy && this.#continues) this.#giveOutSoon();
  }

  /** Reserves versions of deployments that were there before, where cuts go on without the store. @throws StoreError */
  reserve(sessions: readonly DeploymentSession[]): void {
    const due = this.#reservations.due(sessions.map((session) => ({ session, deployment: session.durable })));
    if (due.length === 0) return;
    this.store.commit([], [], due);
    const until = new Map(due.map((one) => [one.deploymentId, one]));
    for (const session of sessions) this.#reservations.stored(session, until.get(session.id)!);
  }

  /** What a device reported of `session` goes with the next commit. */
  reported(session: DeploymentSession): void {
    this.#reported.add(session);
    this.schedule();
  }

  /** Something waits that nobody waits for (reports, devices): commit in a while. */
  schedule(): void {
    if (this.#unhurriedAtNanoseconds !== null) return;
    const afterMs = Math.max(unhurriedMs, this.settings.flushMs);
    this.#unhurriedAtNanoseconds = this.clock.monotonicNanoseconds() + BigInt(afterMs) * 1_000_000n;
    this.#wake(afterMs);
  }

  #commitSoon(): void {
    if (this.#endsTurn || this.#yields) return;
    const sinceLast = Number(this.clock.monotonicNanoseconds() - this.#committedNanoseconds) / 1e6;
    if (!this.isHealthy || sinceLast < this.settings.flushMs) {
      this.#wake(Math.ceil(this.settings.flushMs - sinceLast));
      return;
    }
    this.#endsTurn = true;
    queueMicrotask(() => {
      this.#endsTurn = false;
      if (!this.#closed && this.#rows.length > 0) this.#take();
    });
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
    this.#timer = setTimeout(() => this.#take(), waitMs);
  }

  #take(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#yields = this.store.asksToWait();
    if (this.#yields) {
      this.#dueNanoseconds = this.clock.monotonicNanoseconds() + BigInt(yieldMs) * 1_000_000n;
      this.#timer = setTimeout(() => this.#take(), yieldMs);
      return;
    }
    this.#timer = null;
    this.#commitOnce(this.#isUnhurriedDue());
    this.#wakeAgain();
  }

  #isUnhurriedDue(): boolean {
    const dueAt = this.#unhurriedAtNanoseconds;
    return dueAt !== null && dueAt <= this.clock.monotonicNanoseconds();
  }

  #wakeAgain(): void {
    if (this.#rows.length > 0 || this.#isUnhurriedDue()) this.#wake(this.settings.flushMs);
    else if (this.#unhurriedAtNanoseconds !== null) this.#wake(unhurriedMs);
  }

  /** Commits all that waits, now; false when the store cannot, in which case it keeps waiting. */
  flush(): boolean {
    while (this.#hasWork()) if (!this.#commitOnce(true)) return false;
    return true;
  }

  /** No commit of its own after this; `flush` first. */
  close(): void {
    this.#closed = true;
    if (this.#giveOutTimer !== null) clearTimeout(this.#giveOutTimer);
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #hasWork(): boolean {
    return this.#rows.length > 0 || this.#reported.size > 0 || this.devices.hasUnsaved;
  }

  /** @param withUnhurried whether reports and devices go too; the report of a deployment with a row always does */
  #commitOnce(withUnhurried: boolean): boolean {
    const wasFull = this.isFull;
    const rows = this.#rows.slice(0, rowsPerCommit);
    const reported = withUnhurried ? firstOf(this.#reported, rowsPerCommit) : [];
    const steps = this.#steps(rows, reported);
    const devices = withUnhurried ? this.devices.unsaved(rowsPerCommit) : [];
    const reservations = this.#reservations.due(steps);
    const startedAt = this.clock.monotonicNanoseconds();
    let refused: readonly string[];
    try {
      if (devices.length > 0) this.store.saveDevices(devices);
      refused = this.store.commit(
        rows.map((row) => row.decision),
        steps.map((step) => step.deployment),
        reservations,
      );
    } catch (error) {
      this.#failed(error);
      return false;
    }
    if (!this.isHealthy) this.events.storeFailing(false);
    this.#retryMs = 0;
    this.#rows = this.#rows.slice(rows.length);
    this.#givenOut = Math.max(0, this.#givenOut - rows.length);
    this.devices.saved(devices);
    this.#committedNanoseconds = this.clock.monotonicNanoseconds();
    const seconds = Number(this.#committedNanoseconds - startedAt) / 1e9;
    this.events.storeCommitted({ rows: rows.length, seconds });
    this.events.decisionQueue(this.#rows.length);
    if (refused.length > 0) this.events.storeRowsRefused(refused);
    for (const session of reported) this.#reported.delete(session); // some of them have no step: they are disposed
    for (const { session } of steps) this.#reported.delete(session);
    if (this.#reported.size === 0 && !this.devices.hasUnsaved) this.#unhurriedAtNanoseconds = null;
    const reserved = new Map(reservations.map((one) => [one.deploymentId, one]));
    for (const step of steps) {
      const { session } = step;
      const reservation = reserved.get(session.id);
      if (reservation !== undefined) this.#reservations.stored(session, reservation);
      // what was given out on a reserved version may be newer than these rows
      const isBehind = step.deployment.version < session.durable.version;
      if (!isBehind && !refused.includes(session.id)) this.on.durable(step);
    }
    if (wasFull && !this.isFull) this.on.room();
    return true;
  }

  #failed(error: unknown): void {
    this.events.storeFailed({ operation: 'commit', error });
    if (this.isHealthy) this.events.storeFailing(true);
    this.#retryMs = Math.min(maxRetryMs, Math.max(this.settings.flushMs, this.#retryMs * 2, 10));
    if (this.#continues) this.#giveOut();
  }

  #giveOutSoon(): void {
    if (this.#giveOutTimer !== null || this.#closed) return;
    this.#giveOutTimer = setTimeout(() => {
      this.#giveOutTimer = null;
      if (!this.isHealthy) this.#giveOut();
    }, this.settings.flushMs);
  }

  /** Without the store: versions within their reservation go out now, others wait for it. */
  #giveOut(): void {
    const wasFull = this.isFull;
    const steps = this.#steps(this.#rows.slice(this.#givenOut), []);
    this.#givenOut = this.#rows.length;
    for (const step of steps) {
      const { session, deployment } = step;
      if (deployment.version <= session.durable.version) continue;
      if (this.#reservations.covers(session, deployment.version)) {
        this.on.durable(step);
        this.events.givenOutUnstored();
      } else {
        this.events.capHit('reservedVersions', { deploymentId: session.id, version: deployment.version });
      }
    }
    this.#dropRows();
    if (wasFull && !this.isFull) this.on.room();
  }

  /** Makes room for decisions: the oldest rows of what was given out go, and what stands of them is stored later. */
  #dropRows(): void {
    let excess = this.#rows.length - Math.ceil(this.settings.queueRows / 2);
    if (excess <= 0) return;
    const kept = this.#rows.filter((row) => {
      const { session, deployment } = row;
      if (excess <= 0 || deployment.version > session.durable.version) return true;
      this.#reported.add(session);
      excess--;
      return false;
    });
    this.events.dropped('decision-row', this.#rows.length - kept.length);
    this.#rows = kept;
    this.#givenOut = kept.length;
    this.events.decisionQueue(kept.length);
  }

  /** Everything that was given out is stored: a start need not go beyond what was reserved. */
  release(): void {
    try {
      this.store.releaseReservations();
    } catch (error) {
      this.events.storeFailed({ operation: 'release reserved versions', error }); // versions leave a gap, no more
    }
  }

  /** One step for each deployment that the rows or a report touch, with its state after the last of its rows. */
  #steps(rows: readonly Row[], reported: readonly DeploymentSession[]): DurableStep[] {
    const last = new Map<DeploymentSession, Row>();
    for (const row of rows) {
      const before = last.get(row.session);
      const earlier = before?.receivedAtMs ?? NaN;
      const receivedAtMs = Number.isNaN(earlier) ? row.receivedAtMs : earlier;
      last.set(row.session, { ...row, receivedAtMs });
    }
    return [...new Set([...last.keys(), ...reported])]
      .filter((session) => !session.disposed)
      .map((session) => {
        const row = last.get(session);
        return {
          session,
          // a report may be newer than the row that waits; a version is never newer than its row
          deployment: {
            ...(row?.deployment ?? session.durable),
            reported: session.current.reported,
            lastGood: session.current.lastGood,
          },
          decision: row?.decision ?? null,
          number: row?.number ?? 0,
          receivedAtMs: row?.receivedAtMs ?? NaN,
        };
      });
  }
}

function firstOf<T>(values: Iterable<T>, count: number): T[] {
  const first: T[] = [];
  for (const value of values) {
    if (first.length === count) break;
    first.push(value);
  }
  return first;
}
