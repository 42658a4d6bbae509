/**
 * One deployment at work: its context, its partitioner, the cut that is desired and the one that is durable.
 *
 * A decision changes `current` at once; `durable` follows when the store has committed it. Operators and devices
 * are told of `durable` alone, so that nobody sees a cut that a crash could take back.
 */
import type { Context } from '../core/context.js';
import type { Decision, Placement } from '../core/decision.js';
import type { Alternative, Partitioner } from '../core/partitioner.js';
import { samePlacement } from '../core/policy/policy.js';
import type { TierSeconds } from '../core/profile.js';
import { Correction } from './correction.js';
import { Confirmation } from './confirmation.js';
import { ContextNumbers } from './contextNumbers.js';
import { deploymentContext, withCloud, type DeviceView } from './deploymentContext.js';
import { namesOf, type LatestRow } from './history.js';
import type { PartitionerLease } from './partitioners.js';
import { monotonicMs, type Clock } from './ports.js';
import type { DecisionReason, DecisionRecord, DeploymentRecord, ModelRecord, Role } from './records.js';
import { admitted, type Admission } from './admission.js';
import { roleOfDevice, rolesOf } from './roles.js';
import { restoredRollout, withTiers, type Rollout } from './rollout.js';
import { SetAsides } from './setAside.js';
import { placementOfCut, sameLayers, StoredCuts } from './storedCut.js';
import { costInForce, Switching, switchSecondsOf } from './switching.js';
import type { TierSecondsSource } from './tierSeconds.js';

export type DeploymentStatus =
  | { readonly kind: 'waiting'; readonly missing: readonly string[] }
  /** `fraction` of the work is done, 0 to 1. */
  | { readonly kind: 'building'; readonly fraction: number }
  | { readonly kind: 'failed'; readonly message: string }
  /** Restored after a start; the cut of before stays until the devices had the time to come back. */
  | { readonly kind: 'holding'; readonly missing: readonly string[] }
  | { readonly kind: 'active' };

/** A device could not do what a cut asks; the last one of each tier is kept for the operators. */
export interface Nack {
  readonly version: number;
  readonly code: string;
  readonly message: string | null;
  readonly atMs: number;
}

/** What the decisions of a deployment stand on. */
export interface Basis {
  /** Model, profiles and ratios: equal keys mean equal decisions. */
  readonly key: string;
  readonly lease: PartitionerLease;
  readonly partitioner: Partitioner;
  /** Where the seconds of each tier come from, tier 0 first. */
  readonly sources: readonly TierSeconds['source'][];
  /** Seconds of all layers on each tier, before slowdown. */
  readonly wholeModelSeconds: readonly number[];
}

/** The basis that is being built to replace another. */
export interface PendingBasis {
  readonly key: string;
  readonly lease: PartitionerLease;
  readonly tiers: readonly TierSecondsSource[];
}

type SeenView = DeviceView & { readonly seenSinceStart: boolean };

export interface Surroundings {
  readonly end: SeenView;
  readonly edge: SeenView;
  /** Null without a cloud. */
  readonly cloud: SeenView | null;
  /** True until the time that devices have to come back after a start is over. */
  readonly settling: boolean;
  readonly clock: Clock;
}

export class DeploymentSession {
  durable: DeploymentRecord;
  /** Decisions since the start. They are ordered by this number: the time of day may be set back. */
  decisionCount = 0;
  /** By the clock that does not go back, ms; of the latest decision. */
  decidedAtMs = 0;
  basis: Basis | null = null;
  pendingBasis: PendingBasis | null = null;
  status: DeploymentStatus = { kind: 'waiting', missing: [] };
  readonly nacks: Record<Role, Nack | null> = { end: null, edge: null, cloud: null };
  /** What measured times say of the predictions. */
  readonly correction = new Correction();
  /** How far the devices are with the durable cut. */
  rollout: Rollout;
  /** Placements that devices refused. */
  readonly setAsides = new SetAsides();
  /** What was chosen last, where another cut is in force because devices refused one of the two. */
  waitsFor: Alternative | null = null;
  disposed = false;
  /** Of the history since the start. */
  latestRow: LatestRow | null = null;
  /** Decisions since then that kept the cut and have no row. */
  keptSinceRow = 0;
  /** In which context was decided last; none: the next one is decided. That decision may not be durable yet. */
  readonly #decidedIn = new ContextNumbers();
  /** Whether that chose the best cut: telemetry may confirm it. */
  #isConfirmable = false;
  readonly #confirmation = new Confirmation();
  #lastDecision: DecisionRecord | null;
  #found: Decision | null = null;
  /** Placement of the cut in force: the very object that the partitioner gave, which it knows again. */
  #inForce: { readonly version: number; readonly placement: Placement } | null = null;
  readonly #switching = new Switching();
  #heldReason: DecisionReason | null = null;
  /** Which decision operators see; 0: one from before the start. */
  #shownNumber = 0;
  #restored: boolean;

  constructor(
    public current: DeploymentRecord,
    readonly model: ModelRecord,
    restored: DecisionRecord | null,
    nowMs: number,
    private readonly cuts = new StoredCuts(),
  ) {
    this.durable = current;
    this.#lastDecision = restored;
    this.#restored = current.cut !== null;
    const { version, cut, lastGood, reported } = current;
    const desired = cut === null ? null : { version, cut };
    this.rollout = restoredRollout(desired, lastGood, reported, nowMs, rolesOf(current));
  }

  get id(): string {
    return this.current.id;
  }

  /** Which tier of the deployment `deviceId` is; null when it is none. */
  roleOf(deviceId: string): Role | null {
    return roleOfDevice(this.current, deviceId);
  }

  /** An operator gave it a cloud, another one, or none: `record` is durable. */
  withTiers(record: DeploymentRecord, isLost: boolean): void {
    this.current = record;
    this.durable = record;
    this.nacks.cloud = null;
    this.waitsFor = null;
    this.rollout = withTiers(this.rollout, rolesOf(record), record.lastGood, isLost);
    this.forgetContext();
  }

  /** Goes to the safe local cut as `retreatOf` has it (cloudChange.ts); that becomes durable as any decision does. */
  retreats({ versionAfter: version, cutAfter: cut, atMs }: DecisionRecord): void {
    this.current = { ...this.current, version, cut, updatedAtMs: atMs };
    this.decisionCount++;
  }

  /** The next decision looks at everything anew, also in an unchanged context. */
  forgetContext(): void {
    this.#putInWords();
    this.#decidedIn.forget();
    this.#isConfirmable = false;
  }

  /** What operators see; null before the first decision. */
  get lastDecision(): DecisionRecord | null {
    this.#putInWords();
    return this.#lastDecision;
  }

  /** Whether the latest decision left a cut in force that breaks what was asked. */
  get isViolating(): boolean {
    // what is confirmed breaks what the latest row did
    if (this.#confirmation.isThere) return this.latestRow!.broken !== '';
    if (this.#lastDecision === null) return false;
    return costInForce(this.#lastDecision).violations.length > 0;
  }

  /** The context now; null without a basis, since the queue of an edge is judged by its profile. */
  context({ end, edge, cloud }: Pick<Surroundings, 'end' | 'edge' | 'cloud'>): Context | null {
    if (this.basis === null) return null;
    const { wholeModelSeconds } = this.basis;
    const { ratios } = this.correction;
    const two = deploymentContext(this.current.requirements, end, edge, wholeModelSeconds[1]!, ratios);
    // a cloud that came while it runs is looked at when its basis is built
    if (cloud === null || wholeModelSeconds.length === 2) return two;
    return withCloud(two, edge, cloud, wholeModelSeconds[2]!, ratios);
  }

  /**
   * Takes telemetry that confirms the cut in force, and has no row in the history: what nearly all of it does, for a part of
   * what `decide` costs.
   * @param keptRowMs least time between two rows of decisions that keep the cut, ms
   * @returns what the search took, ns; `unchanged` where nothing has changed since the last decision; null where `decide`
   * has to tell
   * @throws RangeError as `decide`
   */
  confirm(around: Surroundings, keptRowMs: number): number | 'unchanged' | null {
    const { basis, latestRow, current } = this;
    if (!this.#isConfirmable || basis === null || latestRow === null) return null;
    if (!this.setAsides.isEmpty || current.version !== this.durable.version) return null;
    if (this.status.kind !== 'active') return null;
    if (!this.#switching.keepsBest(basis.partitioner, current.requirements)) return null;
    if (switchSecondsOf(current.requirements, around.end, around.edge, around.cloud) !== null) return null;
    const startedAt = around.clock.monotonicNanoseconds();
    const atMs = Number(startedAt) / 1e6;
    if (atMs - latestRow.decidedAtMs >= keptRowMs) return null;
    const context = this.context(around)!;
    if (this.#decidedIn.holds(context)) return 'unchanged';
    const broken = basis.partitioner.confirmed(context, this.#present()!);
    if (broken === null || namesOf(broken) !== latestRow.broken) return null;
    const tookNanoseconds = Number(around.clock.monotonicNanoseconds() - startedAt);
    this.#decidedIn.take(context);
    this.#found = null;
    this.#shownNumber = ++this.decisionCount;
    this.decidedAtMs = atMs;
    const { ratios } = this.correction;
    this.#confirmation.note(basis, around.clock.nowMs(), tookNanoseconds, this.keptSinceRow++, ratios);
    return tookNanoseconds;
  }

  /** Decides; null when there is nothing to decide with, or nothing has changed since the last decision. */
  decide(reason: DecisionReason, around: Surroundings): DecisionRecord | null {
    const context = this.context(around);
    if (this.basis === null || context === null) return null;
    const atMs = monotonicMs(around.clock);
    const mustLeave = this.current.cut !== null && this.setAsides.holds(this.current.cut, atMs);
    const missing = mustLeave ? [] : this.#holdsFor(around);
    if (missing.length > 0) {
      this.status = { kind: 'holding', missing };
      if (reason !== 'telemetry') this.#heldReason = reason;
      return null;
    }
    const isSame = this.#decidedIn.holds(context);
    const isWaitOver = this.waitsFor !== null && !this.setAsides.holds(this.waitsFor, atMs);
    if (isSame && !mustLeave && !isWaitOver && !this.#switching.watchesTime) return null;
    const startedAt = around.clock.monotonicNanoseconds();
    const { decision, foundAt } =
      isSame && this.#found !== null
        ? { decision: this.#found, foundAt: startedAt }
        : this.#search(this.basis.partitioner, context, around.clock);
    const cause = mustLeave ? 'nack' : reason === 'telemetry' ? (this.#heldReason ?? reason) : reason;
    const { chosen, changesCut, switching, waitsFor } = this.#choose(context, decision, cause, around, atMs);
    this.waitsFor = waitsFor;
    this.#isConfirmable = waitsFor === null && switching.kept === null;
    // Time alone changed nothing.
    if (isSame && !changesCut) return null;
    this.#putInWords();
    this.#decidedIn.take(context);
    const record = this.#record(
      {
        // a copy made elsewhere: were some of the contexts that each frame makes kept, the engine would take all for lasting
        context: this.#decidedIn.context(),
        decision,
        switching,
        searchNanoseconds: Number(foundAt - startedAt),
        reason: cause,
      },
      chosen,
      around.clock.nowMs(),
    );
    this.decisionCount++;
    this.decidedAtMs = atMs;
    this.#found = decision;
    this.#heldReason = null;
    if (!mustLeave) this.#restored = false;
    this.status = { kind: 'active' };
    return record;
  }

  /** `decision`, the one with this number, is what operators see, unless they see a later one already. */
  show(decision: DecisionRecord, number: number): void {
    if (number < this.#shownNumber) return;
    this.#shownNumber = number;
    this.#confirmation.forget();
    this.#lastDecision = decision;
  }

  #putInWords(): void {
    if (!this.#confirmation.isThere) return;
    const context = this.#decidedIn.context();
    this.#lastDecision = this.#confirmation.inWords(context, this.current, this.#present()!);
    this.#confirmation.forget();
  }

  /** What the policy makes of the best cut, and what devices take of that. */
  #choose(
    context: Context,
    decision: Decision,
    reason: DecisionReason,
    around: Surroundings,
    atMs: number,
  ): Admission {
    const { partitioner } = this.basis!;
    const { requirements } = this.current;
    const choice = this.#switching.choose({
      reason,
      partitioner,
      requirements,
      context,
      decision,
      inForce: this.#present(),
      switchSeconds: switchSecondsOf(requirements, around.end, around.edge, around.cloud),
      atSeconds: atMs / 1e3,
    });
    return admitted(choice, decision, this.current, this.setAsides, atMs, (placement) =>
      partitioner.predict(context, placement),
    );
  }

  #search(
    partitioner: Partitioner,
    context: Context,
    clock: Clock,
  ): { readonly decision: Decision; readonly foundAt: bigint } {
    const placement = this.#present();
    let foundAt = 0n;
    // The best cut of the last context is nearer than one that was kept although it was not.
    const start = this.#found ?? (placement === null ? null : { placement });
    const decision = partitioner.decide(context, start, () => {
      foundAt = clock.monotonicNanoseconds();
    });
    return { decision, foundAt };
  }

  /** The cut in force; null before the first. */
  #present(): Placement | null {
    const { cut, version } = this.current;
    if (cut === null) return null;
    if (this.#inForce?.version !== version) {
      this.#inForce = { version, placement: placementOfCut(cut) };
    }
    return this.#inForce.placement;
  }

  /** Whether `chosen` is the cut in force, which there is. */
  #isPresent({ endLayers, placement }: Alternative): boolean {
    const { cut, cloud } = this.current;
    return cloud === undefined && cut!.edgeLayers === undefined
      ? sameLayers(cut!.endLayers, endLayers)
      : samePlacement(this.#present()!, placement);
  }

  #holdsFor({ end, edge, cloud, settling }: Surroundings): string[] {
    if (!this.#restored) return [];
    const { current } = this;
    const missing = [];
    if (end.telemetry === null) missing.push(`telemetry of end device ${current.end.deviceId}`);
    if (settling && !edge.seenSinceStart) missing.push(`edge ${current.edge.deviceId} to connect again`);
    if (cloud === null || !settling) return missing;
    // the link to the cloud is what the edge measures
    if (edge.connected && edge.telemetry === null) missing.push(`telemetry of edge ${current.edge.deviceId}`);
    if (!cloud.seenSinceStart) missing.push(`cloud ${current.cloud?.deviceId} to connect again`);
    return missing;
  }

  /** The one place where what was chosen becomes the desired cut, under a new version where it is another one. */
  #record(
    made: Pick<DecisionRecord, 'context' | 'decision' | 'switching' | 'searchNanoseconds' | 'reason'>,
    chosen: Alternative,
    atMs: number,
  ): DecisionRecord {
    const before = this.current;
    const changed = before.cut === null || !this.#isPresent(chosen);
    // a session exists for ready models alone
    const cutAfter = changed
      ? this.cuts.of(chosen, this.model.graph!, chosen.prediction.tierSeconds.length)
      : before.cut;
    const version = changed ? before.version + 1 : before.version;
    if (changed) this.current = { ...before, version, cut: cutAfter, updatedAtMs: atMs };
    this.#inForce = { version, placement: chosen.placement };
    // field by field: a spread is slow, and this runs for each telemetry frame
    return {
      context: made.context,
      decision: made.decision,
      switching: made.switching,
      searchNanoseconds: made.searchNanoseconds,
      reason: before.cut === null ? 'deployed' : made.reason,
      deploymentId: before.id,
      atMs,
      versionBefore: before.version,
      versionAfter: version,
      cutBefore: before.cut,
      cutAfter,
      secondsSources: this.basis!.sources,
      corrections: this.correction.ratios,
      keptBefore: this.keptSinceRow,
    };
  }
}
