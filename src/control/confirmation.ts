/**
 * The latest decision of a deployment where telemetry confirmed the cut in force: as little of it as has to be kept, written
 * over by the next one. Nearly all decisions are such, and nearly none is looked at; one that is, is put into words then.
 */
import type { Context } from '../core/context.js';
import type { Placement } from '../core/decision.js';
import type { Partitioner } from '../core/partitioner.js';
import type { Corrections, DecisionRecord, DeploymentRecord } from './records.js';

/** What a confirmation stands on. */
interface ConfirmedOn {
  readonly partitioner: Pick<Partitioner, 'decide'>;
  readonly sources: DecisionRecord['secondsSources'];
}

export class Confirmation {
  /** By the clock on the wall, ms. */
  #atMs = 0;
  #searchNanoseconds = 0;
  #keptBefore = 0;
  #corrections: Corrections | null = null;
  /** Null where there is none. */
  #basis: ConfirmedOn | null = null;

  get isThere(): boolean {
    return this.#basis !== null;
  }

  get searchNanoseconds(): number {
    return this.#searchNanoseconds;
  }

  note(
    basis: ConfirmedOn,
    atMs: number,
    searchNanoseconds: number,
    keptBefore: number,
    corrections: Corrections | null,
  ): void {
    this.#basis = basis;
    this.#atMs = atMs;
    this.#searchNanoseconds = searchNanoseconds;
    this.#keptBefore = keptBefore;
    this.#corrections = corrections;
  }

  forget(): void {
    this.#basis = null;
  }

  /**
   * The record of that decision, as if it had been made then. @throws Error where there is none
   * @param context that it was made in @param deployment with the cut that it confirmed
   */
  inWords(context: Context, deployment: DeploymentRecord, placement: Placement): DecisionRecord {
    const basis = this.#basis;
    const { id, version, cut } = deployment;
    if (basis === null || cut === null) throw new Error('nothing was confirmed');
    return {
      context,
      decision: basis.partitioner.decide(context, { placement }),
      switching: { reason: 'stay', switchSeconds: null, kept: null },
      searchNanoseconds: this.#searchNanoseconds,
      reason: 'telemetry',
      deploymentId: id,
      atMs: this.#atMs,
      versionBefore: version,
      versionAfter: version,
      cutBefore: cut,
      cutAfter: cut,
      secondsSources: basis.sources,
      corrections: this.#corrections,
      keptBefore: this.#keptBefore,
    };
  }
}
