/**
 * The default policy: asymmetric, and never far from what would have been safe.
 *
 * It leaves at once where the cut in force breaks a requirement that another keeps, and where requests go
 * unanswered and leaving costs less than one more of them. Otherwise it goes where that pays, by the costs that all
 * candidates would have had over the recent past (costLedger.ts) and what a switch is then worth (switchPlan.ts):
 * for a lasting gain at the price of one switch, for a passing one at the price of several, and that only while the
 * total paid so far leaves room in a budget: no more than a share above device-only and above the best cut held
 * throughout, plus one switch. What staying has cost in vain is the last resort: once it is several switches' worth, the
 * cut is left even if the mean speaks for it, so that no model of the link can hold a bad cut for ever (the rent-or-buy
 * argument of Karlin et al., Algorithmica 3, 1988).
 *
 * Candidates are device-only, the cut in force, and every cut that was the best in a context of the window, at most
 * `maxCandidates`. Complexity: a prediction per candidate and observation; a new candidate is predicted once for each
 * sample of the window.
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
import { switchPlan, type Outlook } from './switchPlan.js';

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
    const gain = price > 0 ? this.parameters.firstGain : 0;
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
    const outlook = this.outlook(present, price);
    let bestValue = 0;
    let found: { slot: number; reason: VerdictReason } | null = null;
    for (let slot = 0; slot < this.candidates.length; slot++) {
      if (slot === present || !this.isCalm(slot, present, atSeconds)) continue;
      const offer = this.offer(slot, present, price, outlook);
      if (offer === null || offer.value <= bestValue) continue;
      bestValue = offer.value;
      found = { slot, reason: offer.reason };
    }
    return found;
  }

  private outlook(present: number, price: number): Outlook {
    const { ledger, parameters } = this;
    const horizonSeconds = Math.min(parameters.horizonSeconds, parameters.horizonGrowth * ledger.seenSeconds);
    return {
      persistence: ledger.persistence(parameters.persistence, parameters.persistenceSamples),
      horizonSamples: Math.max(1, horizonSeconds / ledger.secondsPerSample),
      switchCost: price,
      passingSwitches: this.hasBudget(present, price) ? parameters.passingSwitches : Infinity,
    };
  }

  /** What going to `slot` is worth, or null where it is not. */
  private offer(
    slot: number,
    present: number,
    price: number,
    outlook: Outlook,
  ): { value: number; reason: VerdictReason } | null {
    const { ledger, parameters } = this;
    const perSample = ledger.secondsPerSample;
    const evidence = ledger.seenSeconds / (ledger.seenSeconds + parameters.evidenceSeconds);
    const presentGain = (ledger.latest(present) - ledger.latest(slot)) * perSample;
    const meanGain = (ledger.mean(present) - ledger.mean(slot)) * evidence * perSample;
    const plan = switchPlan({ meanGain, presentGain }, outlook);
    const regret = ledger.regret(slot);
    const isAllowed =
      plan?.kind === 'passing' ||
      (regret >= parameters.lastingRegretSwitches * (price - ledger.mean(present) * perSample) &&
        (slot === 0 ||
          this.hasDeviceOnlyBudget(present, parameters.lastingBudgetSwitches, price) ||
          regret >= parameters.spentRegretSwitches * price));
    if (plan !== null && isAllowed) {
      return { value: plan.value, reason: plan.kind === 'lasting' ? 'lasting-gain' : 'passing-gain' };
    }
    const isOverdue = price > 0 && presentGain > 0 && regret > parameters.regretSwitches * price;
    return isOverdue ? { value: regret - parameters.regretSwitches * price, reason: 'regret' } : null;
  }

  /** Whether the budget leaves room for a gain that passes. */
  private hasBudget(present: number, price: number): boolean {
    const { ledger, parameters } = this;
    let cheapest = ledger.total(0);
    for (let slot = 1; slot < this.candidates.length; slot++) {
      cheapest = Math.min(cheapest, ledger.total(slot));
    }
    const room = (1 + parameters.bestStaticShare) * cheapest - ledger.paidTotal;
    const needed = (parameters.budgetSwitches - 1) * price - this.overdraft(present);
    return room >= needed && this.hasDeviceOnlyBudget(present, parameters.budgetSwitches, price);
  }

  /** Whether device-only, its share and one switch would have cost more than what was paid, by `switches` of them. */
  private hasDeviceOnlyBudget(present: number, switches: number, price: number): boolean {
    const above = this.ledger.aboveFirst(this.parameters.deviceOnlyShare);
    return -above >= (switches - 1) * price - this.overdraft(present);
  }

  /** A few requests' worth, or nothing could ever be tried where switches cost nothing. */
  private overdraft(present: number): number {
    const { ledger, parameters } = this;
    return parameters.budgetRequests * ledger.mean(present) * ledger.secondsPerSample;
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
    this.ledger.place(slot, (context, atSeconds) => {
      const alternative = this.predict(context, placement);
      if (breaksRequirement(alternative.violations)) candidate.brokeAtSeconds = atSeconds;
      const deviceOnly = this.predict(context, this.candidates[0]!.placement);
      return requestCost(alternative, deviceOnly, this.parameters.unansweredSeconds);
    });
  }
}
