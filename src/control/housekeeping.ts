/**
 * What has to be done from time to time: old history goes, devices that are connected were seen now. After a start also
 * what that left for later: the latest decisions of before it are read where nobody has asked for them yet.
 */
import type { DecisionLog } from './decisionLog.js';
import type { DeploymentSession } from './deploymentSession.js';
import type { Devices } from './devices.js';
import type { Events, Store } from './ports.js';

/** Rows deleted at most in one go, so that a large history does not hold up telemetry. */
const rowsPerStep = 64;
/** While steps find that many, each comes sooner than the one before, so that no load outgrows them. */
const longestBetweenStepsMs = 100;
const shortestBetweenStepsMs = 5;
const betweenRoundsMs = 1_000;
/** Each connected device is noted as seen once in a round of so many parts, one after the other. */
const touchParts = 30;
const betweenTouchesMs = 1_000;
/** Latest decisions read in one go: about a millisecond of each twenty, so that devices can come back meanwhile. */
const readsPerStep = 10;
const betweenReadsMs = 20;

export class Housekeeping {
  #timer: NodeJS.Timeout | null = null;
  #touchTimer: NodeJS.Timeout | null = null;
  #betweenStepsMs = longestBetweenStepsMs;
  #touched = 0;
  #readTimer: NodeJS.Timeout | null = null;

  constructor(
    private readonly ports: { readonly store: Store; readonly events: Events },
    private readonly devices: Devices,
    private readonly log: DecisionLog,
    private readonly keepRows: number,
  ) {}

  /** @param restored deployments of before the start */
  start(restored: readonly DeploymentSession[] = []): void {
    this.#next(betweenRoundsMs);
    this.#readOn([...restored]);
    this.#touchTimer = setInterval(() => {
      this.devices.touchConnected(this.#touched++ % touchParts, touchParts);
      if (this.devices.hasUnsaved) this.log.schedule();
    }, betweenTouchesMs);
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#touchTimer !== null) clearInterval(this.#touchTimer);
    if (this.#readTimer !== null) clearTimeout(this.#readTimer);
  }

  #readOn(unread: DeploymentSession[]): void {
    this.#readTimer = setTimeout(() => {
      for (let reads = 0; reads < readsPerStep;) {
        const session = unread.pop();
        if (session === undefined) return;
        if (!session.disposed && session.readLatest()) reads++;
      }
      this.#readOn(unread);
    }, betweenReadsMs);
  }

  #next(afterMs: number): void {
    this.#timer = setTimeout(() => this.#round(), afterMs);
  }

  #round(): void {
    const isMore = this.#prune() === rowsPerStep;
    this.#next(isMore ? this.#betweenStepsMs : betweenRoundsMs);
    this.#betweenStepsMs = isMore
      ? Math.max(shortestBetweenStepsMs, this.#betweenStepsMs / 2)
      : longestBetweenStepsMs;
  }

  #prune(): number {
    if (this.ports.store.asksToWait()) return 0;
    try {
      const rows = this.ports.store.pruneDecisions(this.keepRows, rowsPerStep);
      if (rows > 0) this.ports.events.decisionsPruned(rows);
      return rows;
    } catch (error) {
      this.ports.events.storeFailed({ operation: 'prune decisions', error }); // the next round tries again
      return 0;
    }
  }
}
