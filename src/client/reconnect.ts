/** When to come back after a connection has ended: pauses that double, with jitter, and what the close code says. */
import { comeBackAfter, type ComeBack } from '../protocol/closeCodes.js';

export interface ReconnectSettings {
  /** Pause after the first loss, ms. */
  readonly firstPauseMs: number;
  /** Pauses double up to this, ms. */
  readonly longestPauseMs: number;
  /** Pause after a close that says to come back later, ms; up to twice as long. */
  readonly laterPauseMs: number;
  /** A connection that was welcomed and held so long starts the pauses anew, ms. */
  readonly stableMs: number;
  /** `Retry-After` is heeded up to this, ms: a wrong one must not keep a device away for good. */
  readonly longestRetryAfterMs: number;
}

export const defaultReconnect: ReconnectSettings = {
  firstPauseMs: 1_000,
  longestPauseMs: 60_000,
  laterPauseMs: 60_000,
  stableMs: 10_000,
  longestRetryAfterMs: 3_600_000,
};

/** How a connection, or the attempt at one, ended. */
export type Ending =
  | { readonly type: 'closed'; readonly code: number; readonly reason: string }
  /** The upgrade was answered with an HTTP status. */
  | {
      readonly type: 'refused';
      readonly status: number;
      /** What `Retry-After` asks for, ms; null where it asks for nothing. */
      readonly retryAfterMs: number | null;
    }
  /** No connection came about, or no welcome. */
  | { readonly type: 'failed'; readonly message: string };

/** Whether the same device with the same hello may try again. */
export function comeBack(ending: Ending): ComeBack {
  if (ending.type === 'closed') return comeBackAfter(ending.code);
  if (ending.type === 'failed') return 'yes';
  // without the subprotocol, which does not change by waiting
  if (ending.status === 400) return 'no';
  // the token, or too many wrong ones: a controller that lost or mixed up its data must not silence a fleet for good
  return [401, 403, 429].includes(ending.status) ? 'later' : 'yes';
}

export class Reconnect {
  #attempt = 0;

  constructor(
    private readonly settings: ReconnectSettings,
    /** In [0, 1). */
    private readonly random: () => number,
  ) {}

  /**
   * @param heldMs how long the welcomed connection held; 0 where none was welcomed
   * @returns ms until the next attempt; null: do not come back
   */
  pauseMs(ending: Ending, heldMs: number): number | null {
    const rule = comeBack(ending);
    if (rule === 'no') return null;
    return Math.max(this.#ownPauseMs(rule, heldMs), this.#askedPauseMs(ending));
  }

  /** With jitter of its own: all of a fleet may have been told the same. */
  #askedPauseMs(ending: Ending): number {
    if (ending.type !== 'refused' || ending.retryAfterMs === null) return 0;
    return Math.min(this.settings.longestRetryAfterMs, ending.retryAfterMs) * (1 + 0.5 * this.random());
  }

  #ownPauseMs(rule: 'yes' | 'later', heldMs: number): number {
    if (rule === 'later') return this.settings.laterPauseMs * (1 + this.random());
    if (heldMs >= this.settings.stableMs) this.#attempt = 0;
    const { firstPauseMs, longestPauseMs } = this.settings;
    const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** this.#attempt);
    if (pauseMs < longestPauseMs) this.#attempt++;
    return pauseMs * (0.5 + 0.5 * this.random());
  }
}
