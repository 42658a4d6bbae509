/**
 * A decision in parts: as little of it as it can be put into words from, written over by the next one. Each frame of
 * telemetry makes one, nearly none is looked at, and all of them stay until the next frame of their deployment: as records
 * they would be most of what the garbage collector moves.
 */
import type { Context } from '../core/context.js';
import type { Placement } from '../core/decision.js';
import type { Partitioner } from '../core/partitioner.js';
import { ContextNumbers } from './contextNumbers.js';
import type { Corrections, DecisionReason, DecisionRecord, StoredCut, SwitchingRecord } from './records.js';
import { placementOfCut } from './storedCut.js';
import { costInForce } from './switching.js';

/** What a decision stands on: the same context has the same answer there. */
export interface MadeOn {
  readonly partitioner: Pick<Partitioner, 'decide' | 'predict'>;
  readonly sources: DecisionRecord['secondsSources'];
}

/** Telemetry that left a best cut the best. */
export interface Confirmed {
  readonly deploymentId: string;
  readonly version: number;
  readonly cut: StoredCut;
  readonly placement: Placement;
  readonly context: Context;
  /** By the clock on the wall. */
  readonly atMs: number;
  readonly searchNanoseconds: number;
  readonly corrections: Corrections | null;
  readonly keptBefore: number;
  readonly isViolating: boolean;
}

type Kept = NonNullable<SwitchingRecord['kept']>;

export class DecisionParts {
  /** Null where there is none. */
  #on: MadeOn | null = null;
  readonly #context = new ContextNumbers();
  /** Of the best cut, which need not be the one in force. */
  #placement: Placement = [];
  #encoding: string | undefined = undefined;
  /** NaN where that was not noted. */
  #statesVisited = NaN;
  #isCertified = false;
  #reason: DecisionReason = 'telemetry';
  #switchingReason: SwitchingRecord['reason'] = 'stay';
  #switchSeconds: number | null = null;
  /** Null where the best cut is in force. */
  #keptWhy: Kept['why'] | null = null;
  #deploymentId = '';
  #versionBefore = 0;
  #versionAfter = 0;
  #cutBefore: StoredCut | null = null;
  #cutAfter: StoredCut | null = null;
  #atMs = 0;
  #searchNanoseconds = 0;
  #corrections: Corrections | null = null;
  #keptBefore = 0;
  #isViolating = false;
  #latencySeconds = NaN;

  get isThere(): boolean {
    return this.#on !== null;
  }

  /** Whether it left a cut in force that breaks what was asked. */
  get isViolating(): boolean {
    return this.#isViolating;
  }

  /** Predicted of the cut that it left in force; NaN where it has to be put into words to know. */
  get latencySeconds(): number {
    return this.#latencySeconds;
  }

  forget(): void {
    this.#on = null;
  }

  /** False where `record` cannot be made of parts again, at least not quickly: it has to be kept as it is. */
  take(on: MadeOn, record: DecisionRecord): boolean {
    const { decision, switching } = record;
    if (decision.algorithm !== 'gads' || switching === null || record.secondsSources !== on.sources)
      return false;
    const { prediction, violations } = costInForce(record);
    this.#on = on;
    this.#context.take(record.context);
    this.#placement = decision.placement;
    this.#encoding = decision.encoding;
    this.#statesVisited = decision.statesVisited;
    this.#isCertified = decision.certified;
    this.#reason = record.reason;
    this.#switchingReason = switching.reason;
    this.#switchSeconds = switching.switchSeconds;
    this.#keptWhy = switching.kept?.why ?? null;
    this.#deploymentId = record.deploymentId;
    this.#versionBefore = record.versionBefore;
    this.#versionAfter = record.versionAfter;
    this.#cutBefore = record.cutBefore;
    this.#cutAfter = record.cutAfter;
    this.#atMs = record.atMs;
    this.#searchNanoseconds = record.searchNanoseconds;
    this.#corrections = record.corrections;
    this.#keptBefore = record.keptBefore;
    this.#isViolating = violations.length > 0;
    this.#latencySeconds = prediction.latencySeconds;
    return true;
  }

  confirm(on: MadeOn, confirmed: Confirmed): void {
    this.#on = on;
    this.#context.take(confirmed.context);
    this.#placement = confirmed.placement;
    this.#encoding = undefined;
    this.#statesVisited = NaN;
    this.#reason = 'telemetry';
    this.#switchingReason = 'stay';
    this.#switchSeconds = null;
    this.#keptWhy = null;
    this.#deploymentId = confirmed.deploymentId;
    this.#versionBefore = confirmed.version;
    this.#versionAfter = confirmed.version;
    this.#cutBefore = confirmed.cut;
    this.#cutAfter = confirmed.cut;
    this.#atMs = confirmed.atMs;
    this.#searchNanoseconds = confirmed.searchNanoseconds;
    this.#corrections = confirmed.corrections;
    this.#keptBefore = confirmed.keptBefore;
    this.#isViolating = confirmed.isViolating;
    this.#latencySeconds = NaN;
  }

  /** The decision again. @throws Error where there is none */
  inWords(): DecisionRecord {
    const on = this.#on;
    const cutAfter = this.#cutAfter;
    if (on === null || cutAfter === null) throw new Error('no decision was taken');
    const context = this.#context.context();
    // of two that are equally good a search ends at the one where it starts
    const best = on.partitioner.decide(context, { placement: this.#placement, encoding: this.#encoding });
    return {
      deploymentId: this.#deploymentId,
      atMs: this.#atMs,
      reason: this.#reason,
      versionBefore: this.#versionBefore,
      versionAfter: this.#versionAfter,
      cutBefore: this.#cutBefore,
      cutAfter,
      context,
      decision: Number.isNaN(this.#statesVisited)
        ? best
        : { ...best, statesVisited: this.#statesVisited, certified: this.#isCertified },
      switching: {
        reason: this.#switchingReason,
        switchSeconds: this.#switchSeconds,
        kept: this.#keptWhy === null ? null : keptOf(on, context, cutAfter, this.#keptWhy),
      },
      secondsSources: on.sources,
      corrections: this.#corrections,
      searchNanoseconds: this.#searchNanoseconds,
      keptBefore: this.#keptBefore,
    };
  }
}

function keptOf({ partitioner }: MadeOn, context: Context, cut: StoredCut, why: Kept['why']): Kept {
  const { objectiveValue, prediction, violations } = partitioner.predict(context, placementOfCut(cut));
  return { why, objectiveValue, prediction, violations };
}
