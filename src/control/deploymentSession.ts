/**
 * One deployment at work: its context, its partitioner, the cut that is desired and the one that is durable.
 *
 * A decision changes `current` at once; `durable` follows when the store has committed it. Operators and devices
 * are told of `durable` alone, so that nobody sees a cut that a crash could take back.
 */
import type { Context } from '../core/context.js';
import { placementOf } from '../core/cut.js';
import type { Decision, Placement } from '../core/decision.js';
import type { Partitioner } from '../core/partitioner.js';
import type { TierSeconds } from '../core/profile.js';
import { deploymentContext, sameContext, type DeviceView } from './deploymentContext.js';
import type { LatestRow } from './history.js';
import type { PartitionerLease } from './partitioners.js';
import type { Clock } from './ports.js';
import type {
  DecisionReason,
  DecisionRecord,
  DeploymentRecord,
  ModelRecord,
  Role,
  StoredCut,
} from './records.js';
import type { TierSecondsSource } from './tierSeconds.js';

export type DeploymentStatus =
  | { readonly kind: 'waiting'; readonly missing: readonly string[] }
  /** `fraction` of the work is done, 0 to 1. */
  | { readonly kind: 'building'; readonly fraction: number }
  | { readonly kind: 'failed'; readonly message: string }
  /** Restored after a start; the cut of before stays until both devices had the time to come back. */
  | { readonly kind: 'holding'; readonly missing: readonly string[] }
  | { readonly kind: 'active' };

/** A device could not do what a cut asks; the last one of each side is kept for the operators. */
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
  /** True until the time that devices have to come back after a start is over. */
  readonly settling: boolean;
  readonly clock: Clock;
}

export class DeploymentSession {
  durable: DeploymentRecord;
  lastDecision: DecisionRecord | null;
  basis: Basis | null = null;
  pendingBasis: PendingBasis | null = null;
  status: DeploymentStatus = { kind: 'waiting', missing: [] };
  readonly nacks: Record<Role, Nack | null> = { end: null, edge: null };
  disposed = false;
  /** Of the history since the start. */
  latestRow: LatestRow | null = null;
  /** Decisions since then that kept the cut and have no row. */
  keptSinceRow = 0;
  /** What was decided last, and in which context; it may not be durable yet. Null: the next context is decided. */
  #decidedIn: Context | null = null;
  #decided: { readonly version: number; readonly decision: Decision } | null = null;
  #heldReason: DecisionReason | null = null;
  #restored: boolean;

  constructor(
    public current: DeploymentRecord,
    readonly model: ModelRecord,
    restored: DecisionRecord | null,
  ) {
    this.durable = current;
    this.lastDecision = restored;
    this.#restored = current.cut !== null;
  }

  get id(): string {
    return this.current.id;
  }

  /** Which side of the deployment `deviceId` is; null when it is none. */
  roleOf(deviceId: string): Role | null {
    if (this.current.end.deviceId === deviceId) return 'end';
    return this.current.edge.deviceId === deviceId ? 'edge' : null;
  }

  /** The next decision looks at everything anew, also in an unchanged context. */
  forgetContext(): void {
    this.#decidedIn = null;
  }

  /** The context now; null without a basis, since the queue of an edge is judged by its profile. */
  context(around: Pick<Surroundings, 'end' | 'edge'>): DecisionRecord['context'] | null {
    if (this.basis === null) return null;
    const [, edgeSeconds] = this.basis.wholeModelSeconds;
    return deploymentContext(this.current.requirements, around.end, around.edge, edgeSeconds!);
  }

  /** Decides; null when there is nothing to decide with, or nothing has changed since the last decision. */
  decide(reason: DecisionReason, around: Surroundings): DecisionRecord | null {
    const context = this.context(around);
    if (this.basis === null || context === null) return null;
    const missing = this.#holdsFor(around);
    if (missing.length > 0) {
      this.status = { kind: 'holding', missing };
      if (reason !== 'telemetry') this.#heldReason = reason;
      return null;
    }
    if (this.#decidedIn !== null && sameContext(this.#decidedIn, context)) return null;
    const startedAt = around.clock.monotonicNanoseconds();
    let foundAt = startedAt;
    const decision = this.basis.partitioner.decide(context, this.#present(), () => {
      foundAt = around.clock.monotonicNanoseconds();
    });
    const searchNanoseconds = Number(foundAt - startedAt);
    const record = this.#record(
      {
        context,
        decision,
        searchNanoseconds,
        reason: reason === 'telemetry' ? (this.#heldReason ?? reason) : reason,
      },
      around.clock.nowMs(),
    );
    this.#decidedIn = context;
    this.#decided = { version: record.versionAfter, decision };
    this.#heldReason = null;
    this.#restored = false;
    this.status = { kind: 'active' };
    return record;
  }

  /** Where a search starts: the decision in force itself, which the partitioner knows again, or the cut restored. */
  #present(): { readonly placement: Placement } | null {
    const { cut, version } = this.current;
    if (cut === null) return null;
    if (this.#decided?.version === version) return this.#decided.decision;
    const last = this.lastDecision;
    if (last?.versionAfter === version) return last.decision;
    return { placement: placementOf(cut.endLayers, cut.layerCount) };
  }

  #holdsFor({ end, edge, settling }: Surroundings): string[] {
    if (!this.#restored) return [];
    const missing = [];
    if (end.telemetry === null) missing.push(`telemetry of end device ${this.current.end.deviceId}`);
    if (settling && !edge.seenSinceStart) missing.push(`edge ${this.current.edge.deviceId} to connect again`);
    return missing;
  }

  #record(
    made: Pick<DecisionRecord, 'context' | 'searchNanoseconds' | 'reason'> & { readonly decision: Decision },
    atMs: number,
  ): DecisionRecord {
    const before = this.current;
    const { endLayers } = made.decision;
    const changed = before.cut === null || !sameLayers(before.cut.endLayers, endLayers);
    const cutAfter = changed ? storedCut(made.decision, this.model) : before.cut;
    const version = changed ? before.version + 1 : before.version;
    if (changed) this.current = { ...before, version, cut: cutAfter, updatedAtMs: atMs };
    return {
      ...made,
      reason: before.cut === null ? 'deployed' : made.reason,
      deploymentId: before.id,
      atMs,
      versionBefore: before.version,
      versionAfter: version,
      cutBefore: before.cut,
      cutAfter,
      secondsSources: this.basis!.sources,
      keptBefore: this.keptSinceRow,
    };
  }
}

function storedCut(decision: Decision, model: ModelRecord): StoredCut {
  const graph = model.graph!; // a session exists for ready models alone
  return {
    endLayers: decision.endLayers,
    layerCount: graph.layers.length,
    tensors: decision.cutTensors.map((index) => graph.tensors[index]!.name),
  };
}

function sameLayers(a: readonly number[], b: readonly number[]): boolean {
  // the core gives the same array for the same cut of one partitioner
  return a === b || (a.length === b.length && a.every((layer, index) => layer === b[index]));
}
