/**
 * One deployment at work: its context, its partitioner, the cut that is desired and the one that is durable.
 *
 * A decision changes `current` at once; `durable` follows when the store has committed it. Operators and devices
 * are told of `durable` alone, so that nobody sees a cut that a crash could take back.
 */
import type { Context } from '../core/context.js';
import type { Decision, Placement } from '../core/decision.js';
import type { Alternative } from '../core/partitioner.js';
import type { Steps } from '../core/steps.js';
import { Correction } from './correction.js';
import { CutInForce } from './cutInForce.js';
import { Mark } from './decisionLoop.js';
import { deploymentContext, withCloud } from './deploymentContext.js';
import type { Basis, DeploymentStatus, Nack, PendingBasis } from './deploymentState.js';
import { namesOf, type LatestRow } from './history.js';
import { LatestDecision, type LatestReader } from './latestDecision.js';
import { LatestSearch } from './latestSearch.js';
import { monotonicMs } from './ports.js';
import type { DecisionReason, DecisionRecord, DeploymentRecord, ModelRecord, Role } from './records.js';
import { admitted, type Admission } from './admission.js';
import { roleOfDevice, rolesOf } from './roles.js';
import { restoredRollout, withTiers, type Rollout } from './rollout.js';
import { SetAsides } from './setAside.js';
import { StoredCuts } from './storedCut.js';
import { missingAfterStart, type Surroundings } from './surroundings.js';
import { Switching, switchSecondsOf } from './switching.js';

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
  /** That it waits to be decided again, and why. */
  readonly mark = new Mark();
  /** Of the history since the start. */
  latestRow: LatestRow | null = null;
  /** Decisions since then that kept the cut and have no row. */
  keptSinceRow = 0;
  readonly search = new LatestSearch();
  readonly #latest: LatestDecision;
  /** Whether that chose the best cut: telemetry may confirm it. */
  #isConfirmable = false;
  readonly #inForce: CutInForce;
  readonly #switching = new Switching();
  #heldReason: DecisionReason | null = null;
  #restored: boolean;

  constructor(
    public current: DeploymentRecord,
    readonly model: ModelRecord,
    restored: LatestReader | null,
    nowMs: number,
    cuts = new StoredCuts(),
  ) {
    this.durable = current;
    this.#inForce = new CutInForce(cuts);
    this.#latest = new LatestDecision(restored);
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
    this.#latest.forgetContext();
    this.#isConfirmable = false;
  }

  /** What operators see; null before the first decision. */
  get lastDecision(): DecisionRecord | null {
    this.#latest.read();
    return this.#latest.inWords();
  }

  /** What the cut in force takes as the latest decision since the start predicts it; null before that. */
  get predictedLatencySeconds(): number | null {
    return this.#latest.latencySeconds;
  }

  /** Reads the latest decision of before the start, where there is no newer one; false where nothing had to be read. */
  readLatest(): boolean {
    return this.#latest.read();
  }

  /** Whether the latest decision left a cut in force that breaks what was asked; false while that is unread. */
  get isViolating(): boolean {
    return this.#latest.isViolating;
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
    const latest = this.#latest;
    if (latest.context.holds(context)) return 'unchanged';
    const placement = this.#present()!;
    const broken = basis.partitioner.confirmed(context, placement);
    if (broken === null || namesOf(broken) !== latestRow.broken) return null;
    const tookNanoseconds = Number(around.clock.monotonicNanoseconds() - startedAt);
    this.search.forget();
    this.decidedAtMs = atMs;
    const confirmed = {
      deploymentId: current.id,
      version: current.version,
      cut: current.cut!, // it is confirmed
      placement,
      context,
      atMs: around.clock.nowMs(),
      searchNanoseconds: tookNanoseconds,
      corrections: this.correction.ratios,
      keptBefore: this.keptSinceRow++,
      isViolating: broken.length > 0,
    };
    latest.confirm(confirmed, basis, ++this.decisionCount);
    return tookNanoseconds;
  }

  /** The search that may better the latest decision; null where it is proven to be the best, or was searched on already. */
  refining(): Steps<Decision> | null {
    const found = this.search.improvable;
    if (this.basis === null || found === null || !this.#latest.context.isThere) return null;
    return this.basis.partitioner.thorough(this.#latest.context.context(), found);
  }

  /** Decides; null when there is nothing to decide with, or nothing has changed since the last decision. */
  decide(reason: DecisionReason, around: Surroundings): DecisionRecord | null {
    const context = this.context(around);
    if (this.basis === null || context === null) return null;
    const { clock } = around;
    const atMs = monotonicMs(clock);
    const mustLeave = this.current.cut !== null && this.setAsides.holds(this.current.cut, atMs);
    const missing = mustLeave || !this.#restored ? [] : missingAfterStart(this.current, around);
    if (missing.length > 0) {
      this.status = { kind: 'holding', missing };
      if (reason !== 'telemetry' && reason !== 'refinement') this.#heldReason = reason;
      return null;
    }
    const isSame = this.#latest.context.holds(context);
    const isWaitOver = this.waitsFor !== null && !this.setAsides.holds(this.waitsFor, atMs);
    const isRefined = isSame && this.search.isRefined;
    if (isSame && !isRefined && !mustLeave && !isWaitOver && !this.#switching.watchesTime) return null;
    const { partitioner } = this.basis;
    const present = this.#present();
    const { decision, searchNanoseconds } = this.search.decide(partitioner, context, isSame, present, clock);
    // what came of searching on is of no use in another context
    const told = reason === 'refinement' && !isRefined ? 'telemetry' : reason;
    const cause = mustLeave ? 'nack' : told === 'telemetry' ? (this.#heldReason ?? told) : told;
    const { chosen, changesCut, switching, waitsFor } = this.#choose(context, decision, cause, around, atMs);
    this.waitsFor = waitsFor;
    this.#isConfirmable = waitsFor === null && switching.kept === null;
    // Time alone changed nothing.
    if (isSame && !changesCut && !isRefined) return null;
    this.#latest.context.take(context);
    const made = { context, decision, switching, searchNanoseconds, reason: cause };
    const record = this.#record(made, chosen, clock.nowMs());
    this.decisionCount++;
    this.decidedAtMs = atMs;
    this.search.keep(decision, this.#switching.watchesTime);
    this.#heldReason = null;
    if (!mustLeave) this.#restored = false;
    this.status = { kind: 'active' };
    return record;
  }

  /** `decision`, the one with this number, is what operators see, unless they see a later one already. */
  show(decision: DecisionRecord, number: number): void {
    this.#latest.show(decision, number, this.basis);
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

  /** Placement of the cut in force; null before the first. */
  #present(): Placement | null {
    return this.#inForce.placement(this.current);
  }

  /** The one place where what was chosen becomes the desired cut, under a new version where it is another one. */
  #record(
    made: Pick<DecisionRecord, 'context' | 'decision' | 'switching' | 'searchNanoseconds' | 'reason'>,
    chosen: Alternative,
    atMs: number,
  ): DecisionRecord {
    const before = this.current;
    // a session exists for ready models alone
    const after = this.#inForce.become(chosen, before, this.model.graph!, atMs);
    this.current = after;
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
      versionAfter: after.version,
      cutBefore: before.cut,
      cutAfter: after.cut!,
      secondsSources: this.basis!.sources,
      corrections: this.correction.ratios,
      keptBefore: this.keptSinceRow,
    };
  }
}
