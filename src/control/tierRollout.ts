/** One device of a deployment in a rollout: what it runs, what it was sent, until when an answer is waited for. Pure. */
import type { Role, StoredCut } from './records.js';
import { cloudLayerCount, runsOnEndAlone } from './storedCut.js';

export interface RolloutSettings {
  /** A device has this long to answer. */
  readonly prepareTimeoutMs: number;
  /** Wait after the first refusal, ms; doubles each time up to `maxRetryMs`. */
  readonly retryMs: number;
  readonly maxRetryMs: number;
}

/** Why a placement cannot be had. */
export interface Refusal {
  readonly role: Role;
  /** Of the device, or `prepare-timeout`. */
  readonly code: string;
  readonly cause: 'nack' | 'prepare-timeout';
}

export interface TierRollout {
  readonly connected: boolean;
  /** Whether the device loads a cut before it switches. */
  readonly prepares: boolean;
  /** The version that it says it runs. */
  readonly reported: number | null;
  /** Its safe local cut runs in place of `version`; `reason` is null where it only said so in its hello. */
  readonly fallback: { readonly version: number; readonly reason: string | null } | null;
  /** It said that the desired version is loaded. */
  readonly prepared: boolean;
  /**
   * The desired version was sent in this phase and an answer is waited for (`answer`), or it was refused and is sent
   * again at `dueAtMs` (`retry`). `failures` counts refusals and answers that did not come.
   */
  readonly waiting: {
    readonly for: 'answer' | 'retry';
    readonly phase: 'prepare' | 'active';
    readonly dueAtMs: number;
    readonly failures: number;
  } | null;
}

export const resting: TierRollout = {
  connected: false,
  prepares: false,
  reported: null,
  fallback: null,
  prepared: false,
  waiting: null,
};

/** Whether `cut` cannot run without this tier. An edge that has no layer itself passes on what the cloud gets. */
export function needsTier(cut: StoredCut, role: Role): boolean {
  if (role === 'end') return true;
  return role === 'edge' ? !runsOnEndAlone(cut) : cloudLayerCount(cut) > 0;
}

/** Whether the device runs `version` itself, not its safe local cut in place of it. */
export function isAcked({ reported, fallback }: TierRollout, version: number): boolean {
  return reported === version && fallback === null;
}

/** The change of a tier that answered what it was sent. */
export function answered(change: Partial<TierRollout>): Partial<TierRollout> {
  return { ...change, waiting: null };
}

/** The wait after so many failures, ms; 0 before the first. */
export function backOffMs(
  failures: number,
  { retryMs, maxRetryMs }: Omit<RolloutSettings, 'prepareTimeoutMs'>,
): number {
  return failures === 0 ? 0 : Math.min(maxRetryMs, retryMs * 2 ** Math.min(failures - 1, 40));
}

/** The wait of a tier that is sent the desired version now. It has its time for an answer, whatever the back-off. */
export function sent(
  { waiting: before }: TierRollout,
  phase: 'prepare' | 'active',
  nowMs: number,
  settings: RolloutSettings,
): TierRollout['waiting'] {
  const known = before?.phase === phase ? before : null;
  const failures = (known?.failures ?? 0) + (known?.for === 'answer' ? 1 : 0);
  const waitMs = Math.max(settings.prepareTimeoutMs, backOffMs(failures, settings));
  return { for: 'answer', phase, dueAtMs: nowMs + waitMs, failures };
}

/** The wait of a tier that refused the desired version and gets it again, since there is nothing else for it. */
export function refusedForNow(
  { waiting: before }: TierRollout,
  nowMs: number,
  settings: RolloutSettings,
): TierRollout['waiting'] {
  const failures = (before?.failures ?? 0) + 1;
  return { for: 'retry', phase: 'active', dueAtMs: nowMs + backOffMs(failures, settings), failures };
}
