/** What /readyz says. Anyone may ask, so asking costs next to nothing: the database is tried at most once a second. */
import type { Access } from './control/access/access.js';
import type { DecisionLog } from './control/decisionLog.js';
import type { Store } from './control/ports.js';
import type { ReadinessCheck } from './http/operationRoutes.js';

/** An attempt writes, and waits where another program has the database locked. */
const betweenProbesMs = 1_000;

/** It works, and whoever looks should know. */
const anonymousDevices: ReadinessCheck = {
  name: 'anonymous-devices',
  ok: true,
  message: 'devices are taken without a token (auth.anonymousDevices)',
};

/** Found by the check of the whole database: what is decided by was whole at the start, so it goes on. */
function damage(error: Error): ReadinessCheck {
  return { name: 'database-check', ok: true, degraded: true, message: error.message };
}

export interface ReadinessPorts {
  readonly store: Pick<Store, 'probe'>;
  readonly log: Pick<DecisionLog, 'isHealthy' | 'waitingRows'>;
  readonly access: Pick<Access, 'takesAnonymousDevices'>;
}

export class Readiness {
  #probedMs = -Infinity;
  #failure: string | null = null;
  /** What was found damaged in the database; null: nothing. */
  damage: Error | null = null;

  /**
   * @param continues cuts go on while the store fails
   * @param nowMs a clock that does not go back
   */
  constructor(
    private readonly ports: ReadinessPorts,
    private readonly continues: boolean,
    private readonly nowMs: () => number = () => performance.now(),
  ) {}

  checks(isStopping: boolean): ReadinessCheck[] {
    const { log, access } = this.ports;
    let message = this.#probe();
    if (message === null && !log.isHealthy) {
      message = `the last commit failed; ${log.waitingRows} decisions wait and are tried again`;
    }
    const degraded = message !== null && this.continues;
    if (degraded) message = `${message}; cuts go on meanwhile (decisions.whenStoreFails)`;
    return [
      { name: 'database', ok: message === null || degraded, message, degraded },
      { name: 'process', ok: !isStopping, message: isStopping ? 'stopping' : null },
      ...(this.damage === null ? [] : [damage(this.damage)]),
      ...(access.takesAnonymousDevices ? [anonymousDevices] : []),
    ];
  }

  /** @returns what is wrong with the database, found at most `betweenProbesMs` ago; null where it is well */
  #probe(): string | null {
    const nowMs = this.nowMs();
    if (nowMs - this.#probedMs < betweenProbesMs) return this.#failure;
    this.#probedMs = nowMs;
    try {
      this.ports.store.probe();
      this.#failure = null;
    } catch (error) {
      this.#failure = error instanceof Error ? error.message : String(error);
    }
    return this.#failure;
  }
}
