/**
 * How one deployment's desired cut gets to its devices: prepared on all tiers that it needs, then active on all. Pure:
 * an event at a time gives the next state and what is to be done. Time is an argument, nothing waits in here.
 *
 * preparing -> activating -> active, or rejected. The cut before serves until the switch. A newer version takes the
 * place of an older one in any phase; answers to older ones say what runs, and change no phase. What stands in here
 * of a version is durable already: nothing is sent of a decision that a crash could take back.
 */
import type { DeploymentRecord, Role, StoredCut, VersionedCut } from './records.js';
import { runsOnEndAlone, samePlacement } from './storedCut.js';
import {
  answered,
  isAcked,
  needsTier,
  refusedForNow,
  resting,
  sent,
  type Refusal,
  type RolloutSettings,
  type TierRollout,
} from './tierRollout.js';

export type RolloutPhase = 'preparing' | 'activating' | 'active' | 'rejected';

export interface Rollout {
  /** Null before the first decision. */
  readonly desired: VersionedCut | null;
  readonly phase: RolloutPhase;
  /** When the desired version was durable; since the start for one that was then. */
  readonly sinceMs: number;
  /** What all needed tiers last ran; null before that. */
  readonly lastGood: VersionedCut | null;
  /** The tiers that the deployment has. */
  readonly roles: readonly Role[];
  /** Resting for a tier that it does not have. */
  readonly tiers: Readonly<Record<Role, TierRollout>>;
}

export type RolloutEvent =
  /** A newer version is durable. */
  | { readonly kind: 'decided'; readonly desired: VersionedCut }
  | {
      readonly kind: 'connected';
      readonly role: Role;
      /** True where the device loads a cut before it switches. */
      readonly prepares: boolean;
      /** What it says it runs of this deployment; null: nothing. */
      readonly running: { readonly version: number; readonly fallback: boolean } | null;
    }
  | { readonly kind: 'disconnected'; readonly role: Role }
  | { readonly kind: 'prepared' | 'ack'; readonly role: Role; readonly version: number }
  | {
      readonly kind: 'nack';
      readonly role: Role;
      readonly version: number;
      readonly code: string;
      /** The version that still runs; null: none. */
      readonly running: number | null;
    }
  | {
      readonly kind: 'fallback';
      readonly role: Role;
      readonly version: number;
      readonly reason: string;
    }
  /** Time passed. */
  | { readonly kind: 'time' };

export type RolloutAction =
  | {
      readonly kind: 'send';
      readonly role: Role;
      readonly phase: 'prepare' | 'active';
      readonly again: boolean;
    }
  /** The device runs what is desired. */
  | { readonly kind: 'current'; readonly role: Role }
  /** The desired placement cannot be had now: it is to be set aside, and something else to be decided. */
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  /** All needed tiers run the desired version. */
  | { readonly kind: 'activated'; readonly tookMs: number };

export interface RolloutStep {
  readonly rollout: Rollout;
  readonly actions: readonly RolloutAction[];
}

/** As it stands after a start: devices have not said anything yet. */
export function restoredRollout(
  desired: VersionedCut | null,
  lastGood: VersionedCut | null,
  reported: DeploymentRecord['reported'],
  nowMs: number,
  roles: readonly Role[],
): Rollout {
  const tier = (role: Role): TierRollout =>
    roles.includes(role) ? { ...resting, reported: reported[role] ?? null } : resting;
  return {
    desired,
    phase: desired === null || lastGood?.version === desired.version ? 'active' : firstPhase(desired.cut),
    sinceMs: nowMs,
    lastGood,
    roles,
    tiers: { end: tier('end'), edge: tier('edge'), cloud: tier('cloud') },
  };
}

/** With other tiers: what was a cloud is none, or another one, and `isLost` says that the desired cut has layers there. */
export function withTiers(
  rollout: Rollout,
  roles: readonly Role[],
  lastGood: VersionedCut | null,
  isLost: boolean,
): Rollout {
  const { phase, tiers } = rollout;
  // a cut that cannot run any more is sent to nobody; what comes instead is on its way
  return {
    ...rollout,
    roles,
    lastGood,
    phase: isLost ? 'rejected' : phase,
    tiers: { ...tiers, cloud: resting },
  };
}

/** What follows from `event`. @param nowMs a clock that does not go back */
export function step(
  rollout: Rollout,
  event: RolloutEvent,
  nowMs: number,
  settings: RolloutSettings,
): RolloutStep {
  const change = new Change(rollout, nowMs, settings);
  change.take(event);
  return { rollout: change.rollout, actions: change.actions };
}

/** When `step` has to be told of the time; null: not before another event. */
export function dueAtMs(rollout: Rollout): number | null {
  let earliest = Infinity;
  for (const role of rollout.roles) {
    const dueAtMs = rollout.tiers[role].waiting?.dueAtMs ?? Infinity;
    if (dueAtMs < earliest) earliest = dueAtMs;
  }
  return earliest === Infinity ? null : earliest;
}

function firstPhase(cut: StoredCut): RolloutPhase {
  return runsOnEndAlone(cut) ? 'activating' : 'preparing';
}

type Draft = { -readonly [Name in keyof Omit<Rollout, 'tiers'>]: Rollout[Name] } & {
  readonly tiers: Record<Role, TierRollout>;
};

/** One step in the making: a copy of the state, which it changes, and the actions that it takes. */
class Change {
  readonly actions: RolloutAction[] = [];
  readonly rollout: Draft;

  constructor(
    before: Rollout,
    private readonly nowMs: number,
    private readonly settings: RolloutSettings,
  ) {
    this.rollout = { ...before, tiers: { ...before.tiers } };
  }

  get #roles(): readonly Role[] {
    return this.rollout.roles;
  }

  take(event: RolloutEvent): void {
    switch (event.kind) {
      case 'decided':
        this.#decided(event.desired);
        break;
      case 'connected':
        this.#connected(event);
        break;
      case 'disconnected':
        // it may have started anew when it is back: what was prepared is prepared again, what was sent is sent again
        this.#tier(event.role, { connected: false, prepared: false, waiting: null });
        break;
      case 'time':
        for (const role of this.#roles) this.#due(role);
        break;
      case 'prepared':
      case 'ack':
      case 'nack':
      case 'fallback':
        this.#answer(event);
    }
    this.#goOn();
    for (const role of this.#roles) this.#watch(role);
  }

  #decided(desired: VersionedCut): void {
    const before = this.rollout;
    if (before.desired !== null && desired.version <= before.desired.version) return;
    const known = [before.lastGood, before.desired].filter((cut) => cut !== null);
    const runs = (role: Role): boolean => {
      const { connected, reported, fallback } = before.tiers[role];
      const running = known.find((cut) => cut.version === reported);
      return (
        connected && fallback === null && running !== undefined && samePlacement(running.cut, desired.cut)
      );
    };
    const isRunning = this.#roles.every((role) => !needsTier(desired.cut, role) || runs(role));
    const phase = isRunning ? 'activating' : firstPhase(desired.cut);
    Object.assign(before, { desired, phase, sinceMs: this.nowMs });
    for (const role of this.#roles) this.#tier(role, { prepared: false, waiting: null });
    for (const role of this.#roles) this.#sendPhase(role);
  }

  #connected({ role, prepares, running }: Extract<RolloutEvent, { kind: 'connected' }>): void {
    const { desired } = this.rollout;
    // a version that was never decided is no version of this deployment
    const known = running !== null && desired !== null && running.version <= desired.version ? running : null;
    this.#tier(role, {
      ...resting,
      connected: true,
      prepares,
      reported: known?.version ?? null,
      fallback: known?.fallback === true ? { version: known.version, reason: null } : null,
    });
    if (desired === null) return;
    if (isAcked(this.rollout.tiers[role], desired.version)) {
      this.#tier(role, { prepared: true });
      this.actions.push({ kind: 'current', role });
    } else {
      this.#sendPhase(role);
    }
  }

  #answer(event: Extract<RolloutEvent, { role: Role; version: number }>): void {
    const { role, version } = event;
    const tier = this.rollout.tiers[role];
    const isDesired = version === this.rollout.desired?.version;
    switch (event.kind) {
      case 'prepared':
        if (isDesired && this.rollout.phase === 'preparing') this.#tier(role, answered({ prepared: true }));
        break;
      case 'ack':
        this.#tier(role, { reported: version, fallback: null });
        if (isDesired) this.#tier(role, answered({ prepared: true }));
        break;
      case 'fallback':
        this.#tier(role, { fallback: { version, reason: event.reason } });
        break;
      case 'nack':
        this.#tier(role, { reported: event.running });
        if (isDesired) this.#refused(role, tier, event.code, 'nack');
    }
  }

  /** Something that was sent to `role` is without an answer for too long, or its wait after a refusal is over. */
  #due(role: Role): void {
    const tier = this.rollout.tiers[role];
    const { waiting } = tier;
    if (waiting === null || waiting.dueAtMs > this.nowMs) return;
    if (waiting.phase === 'prepare') this.#refused(role, tier, 'prepare-timeout', 'prepare-timeout');
    else this.#send(role, 'active');
  }

  #refused(role: Role, before: TierRollout, code: string, cause: Refusal['cause']): void {
    const { cut } = this.rollout.desired!;
    if (needsTier(cut, role) && !runsOnEndAlone(cut)) {
      if (this.rollout.phase === 'rejected') return; // another tier has refused it before
      this.rollout.phase = 'rejected';
      for (const each of this.#roles) this.#tier(each, { waiting: null });
      this.actions.push({ kind: 'refused', refusal: { role, code, cause } });
      return;
    }
    const { phase } = this.rollout;
    // it was sent nothing: it is told what is active once the others are ready
    if (!runsOnEndAlone(cut) && (phase === 'preparing' || phase === 'rejected')) return;
    // there is nothing to go back to from the safe local cut, and nobody waits for a tier that is not needed
    if (needsTier(cut, role)) this.rollout.phase = 'rejected';
    this.#tier(role, { waiting: refusedForNow(before, this.nowMs, this.settings) });
  }

  /** Sends what stands in this phase; to a device that is not there nothing, it hears of it when it is back. */
  #sendPhase(role: Role): void {
    const { desired, phase, tiers } = this.rollout;
    const tier = tiers[role];
    if (desired === null || !tier.connected || isAcked(tier, desired.version)) return;
    if (phase === 'preparing') {
      if (tier.prepares && !tier.prepared && needsTier(desired.cut, role)) this.#send(role, 'prepare');
    } else if (phase !== 'rejected' || runsOnEndAlone(desired.cut)) {
      this.#send(role, 'active');
    }
  }

  #send(role: Role, phase: 'prepare' | 'active'): void {
    const tier = this.rollout.tiers[role];
    this.#tier(role, { waiting: sent(tier, phase, this.nowMs, this.settings) });
    this.actions.push({ kind: 'send', role, phase, again: tier.waiting?.phase === phase });
  }

  /** A device that said it is at another version again, unasked, gets the desired one again after a while. */
  #watch(role: Role): void {
    const { desired, phase, tiers } = this.rollout;
    const tier = tiers[role];
    if (desired === null || !tier.connected || tier.waiting !== null || isAcked(tier, desired.version))
      return;
    const fallsBack = tier.reported === desired.version; // it comes back by itself
    if (fallsBack || (phase !== 'activating' && phase !== 'active')) return;
    this.#tier(role, { waiting: refusedForNow(tier, this.nowMs, this.settings) });
  }

  /** Moves to the next phase where all needed tiers are ready for it. */
  #goOn(): void {
    const { desired } = this.rollout;
    if (desired === null) return;
    const needed = this.#roles.filter((role) => needsTier(desired.cut, role));
    const tier = (role: Role) => this.rollout.tiers[role];
    if (this.rollout.phase === 'preparing' && needed.every((role) => isPrepared(tier(role)))) {
      this.rollout.phase = 'activating';
      for (const role of this.#roles) this.#sendPhase(role);
    }
    const { phase } = this.rollout;
    const mayActivate = phase === 'activating' || (phase === 'rejected' && runsOnEndAlone(desired.cut));
    if (!mayActivate || !needed.every((role) => isAcked(tier(role), desired.version))) return;
    this.rollout.phase = 'active';
    this.rollout.lastGood = desired;
    this.actions.push({ kind: 'activated', tookMs: this.nowMs - this.rollout.sinceMs });
  }

  #tier(role: Role, change: Partial<TierRollout>): void {
    const { tiers } = this.rollout;
    tiers[role] = { ...tiers[role], ...change };
  }
}

/** A device that cannot prepare is as ready as it will ever be. One that is away may have lost what it prepared. */
function isPrepared({ connected, prepared, prepares }: TierRollout): boolean {
  return connected && (prepared || !prepares);
}
