/**
 * The default policy: follow the leader, but lazily, and leave at once what does not work.
 *
 * It leaves at once where the cut in force breaks a requirement that another keeps, and where requests go
 * unanswered and leaving costs less than one more of them. Otherwise it goes where that pays, by the costs that all
 * candidates would have had in the contexts that were seen (costLedger.ts) and what a switch is then worth
 * (switchPlan.ts). Device-only is left for a lasting gain only while its account holds: what was paid so far is within
 * device-only's total, a share of it, and what the other cut would have saved. So each trip that went wrong has to be made
 * good, or another as long to be missed, before the next: on a link that fools the policy trips become ever rarer.
 *
 * Candidates are device-only, the cut in force, and every cut that was the best in a context, at most
 * `maxCandidates`. Complexity: a prediction per candidate and observation; a new candidate is predicted once for each
 * span of the window.
 */
import type { Context } from '../context.js';
import type { Placement } from '../decision.js';
import type { Alternative } from '../partitioner.js';
import { CostLedger } from './costLedger.js';
import { checkParameters, type PolicyParameters } from './parameters.js';
import {
  samePlacement,
  type Observation,
  type Policy,
  type Predict,
  type Verdict,
  type VerdictReason,
} from './policy.js';
import { requestCost, worthOfSecond } from './requestCost.js';
import { breaksLess, breaksRequirement, isLink } from './brokenRequirements.js';
import { nextGain, switchPlan, type Difference, type Outlook } from './switchPlan.js';

interface Candidate {
  placement: Placement;
  /** When it last broke a requirement in a context that was seen; -Infinity for never. */
  brokeAtSeconds: number;
}

/** After a longer silence, what is observed stands for no more than this, seconds. */
const longestSampleSeconds = 10;

export class DefaultPolicy implements Policy {
  private readonly ledger: CostLedger<Context>;
  /** Slot 0 is device-only. */
  private readonly candidates: Candidate[] = [];
  private lastSeconds: number | null = null;

  /**
   * @param deviceOnly every layer on tier 0
   * @throws RangeError for a parameter out of its range
   */
  constructor(
    private readonly predict: Predict,
    deviceOnly: Placement,
    private readonly parameters: PolicyParameters,
  ) {
    checkParameters(parameters);
    this.ledger = new CostLedger(parameters);
    this.place(0, deviceOnly);
  }

  /** @throws RangeError where time goes back or the switch cost is no finite number >= 0 */
  observe(observation: Observation): Verdict {
    const { atSeconds, context, best, inForce, switchSeconds } = observation;
    if (!(switchSeconds >= 0 && switchSeconds < Infinity)) {
      throw new RangeError(`switchSeconds: ${switchSeconds} is not a finite number >= 0`);
    }
    const present = inForce === null ? 0 : this.slotOf(inForce, 0);
    const bestSlot = this.slotOf(best.placement, present);
    const alternatives = this.record(atSeconds, context, present);
    const price = (switchSeconds * worthOfSecond(alternatives[0]!)) / this.parameters.requestsPerSecond;
    if (inForce === null) {
      const slot = this.first(alternatives, bestSlot, price);
      return { placement: this.candidates[slot]!.placement, switches: true, reason: 'first' };
    }
    const chosen =
      this.retreat(context, alternatives, present, bestSlot, price) ?? this.pursue(atSeconds, present, price);
    if (chosen === null) return { placement: inForce, switches: false, reason: 'stay' };
    this.ledger.pay(price);
    return { placement: this.candidates[chosen.slot]!.placement, switches: true, reason: chosen.reason };
  }

  private first(alternatives: readonly Alternative[], best: number, price: number): number {
    if (breaksLess(alternatives[best]!.violations, alternatives[0]!.violations)) return best;
    const gain = price > 0 ? this.parameters.firstGain : this.parameters.nearEqualShare;
    return this.ledger.latest(best) < (1 - gain) * this.ledger.latest(0) ? best : 0;
  }

  /** Where to go at once, whatever the past says. */
  private retreat(
    context: Context,
    alternatives: readonly Alternative[],
    present: number,
    best: number,
    price: number,
  ): { slot: number; reason: VerdictReason } | null {
    if (best === present) return null;
    if (breaksLess(alternatives[best]!.violations, alternatives[present]!.violations)) {
      return { slot: best, reason: 'requirement' };
    }
    // A tier that is known to be away is not waited for, as a stall of the link is.
    const isAway = context.hops.some(({ connected }) => connected === false);
    if (isAway && alternatives[present]!.violations.some(isLink)) return { slot: best, reason: 'link-gone' };
    const lost = this.ledger.latest(present) - this.ledger.latest(0);
    const isUnanswered = lost >= this.parameters.unansweredSeconds * worthOfSecond(alternatives[0]!);
    return isUnanswered && 2 * price <= lost ? { slot: best, reason: 'link-gone' } : null;
  }

  /** Where to go because it pays. */
  private pursue(
    atSeconds: number,
    present: number,
    price: number,
  ): { slot: number; reason: VerdictReason } | null {
    const outlook = this.outlook(price);
    let bestValue = 0;
    let found: { slot: number; reason: VerdictReason } | null = null;
    for (let slot = 0; slot < this.candidates.length; slot++) {
      if (slot === present || !this.isCalm(slot, present, atSeconds)) continue;
      const offer = this.offer(slot, present, outlook);
      if (offer === null || offer.value <= bestValue) continue;
      bestValue = offer.value;
      found = { slot, reason: offer.reason };
    }
    return found;
  }

  private outlook(price: number): Outlook {
    const { ledger, parameters } = this;
    return {
      persistence: ledger.persistence(parameters.persistence, parameters.persistenceSamples),
      horizonSamples: Math.max(1, ledger.meanSeconds / ledger.secondsPerSample),
      switchCost: price,
    };
  }

  /** What going to `slot` is worth, or null where it is not. */
  private offer(
    slot: number,
    present: number,
    outlook: Outlook,
  ): { value: number; reason: VerdictReason } | null {
    const { ledger } = this;
    const perSample = ledger.secondsPerSample;
    const difference: Difference = {
      meanGain: (ledger.mean(present) - ledger.mean(slot)) * perSample,
      presentGain: (ledger.latest(present) - ledger.latest(slot)) * perSample,
    };
    // What is hardly better than device-only is not worth the risk of a link.
    const near = this.parameters.nearEqualShare * ledger.mean(0) * perSample;
    if (present === 0 && nextGain(difference, outlook.persistence) <= near) return null;
    const plan = switchPlan(difference, outlook);
    if (plan === null) return null;
    if (plan.kind === 'lasting' && present === 0 && !this.holds(slot)) return null;
    return { value: plan.value, reason: plan.kind === 'lasting' ? 'lasting-gain' : 'passing-gain' };
  }

  /** Whether device-only's account allows to leave it for `slot`. */
  private holds(slot: number): boolean {
    const { ledger, parameters } = this;
    const deviceOnly = ledger.total(0);
    const saved = Math.max(0, deviceOnly - ledger.total(slot));
    return ledger.paid <= (1 + parameters.deviceOnlyShare) * deviceOnly + saved;
  }

  /** Not to be gone to: a cut that broke a requirement lately, unless the one in force did so no longer ago. */
  private isCalm(slot: number, present: number, atSeconds: number): boolean {
    const broke = this.candidates[slot]!.brokeAtSeconds;
    return (
      atSeconds - broke >= this.parameters.calmSeconds || broke <= this.candidates[present]!.brokeAtSeconds
    );
  }

  private record(atSeconds: number, context: Context, present: number): Alternative[] {
    const { lastSeconds } = this;
    if (lastSeconds !== null && !(atSeconds >= lastSeconds)) {
      throw new RangeError(`atSeconds: ${atSeconds} comes before ${lastSeconds}`);
    }
    const seconds = lastSeconds === null ? 1 : Math.min(longestSampleSeconds, atSeconds - lastSeconds);
    this.lastSeconds = atSeconds;
    const alternatives = this.candidates.map(({ placement }) => this.predict(context, placement));
    const costs = alternatives.map((alternative) =>
      requestCost(alternative, alternatives[0]!, this.parameters.unansweredSeconds),
    );
    alternatives.forEach(({ violations }, slot) => {
      if (breaksRequirement(violations)) this.candidates[slot]!.brokeAtSeconds = atSeconds;
    });
    this.ledger.record(atSeconds, seconds, costs, present, context);
    return alternatives;
  }

  /** The slot of a placement, which becomes a candidate where it was none. */
  private slotOf(placement: Placement, keep: number): number {
    const known = this.candidates.findIndex((candidate) => samePlacement(candidate.placement, placement));
    if (known >= 0) return known;
    let slot = this.candidates.length;
    if (slot === this.parameters.maxCandidates) {
      slot = keep === 1 ? 2 : 1;
      for (let other = slot + 1; other < this.candidates.length; other++) {
        if (other !== keep && this.ledger.mean(other) > this.ledger.mean(slot)) slot = other;
      }
    }
    this.place(slot, placement);
    return slot;
  }

  private place(slot: number, placement: Placement): void {
    const candidate: Candidate = { placement, brokeAtSeconds: -Infinity };
    this.candidates[slot] = candidate;
    this.ledger.place(slot, (context, fromSeconds) => {
      const alternative = this.predict(context, placement);
      if (breaksRequirement(alternative.violations)) candidate.brokeAtSeconds = fromSeconds;
      const deviceOnly = this.predict(context, this.candidates[0]!.placement);
      return {
        cost: requestCost(alternative, deviceOnly, this.parameters.unansweredSeconds),
        first: deviceOnly.objectiveValue,
      };
    });
  }
}
