/**
 * Whether any policy could have kept both promises on a link without breaking one on another link.
 *
 * A policy that sees the past alone does the same on two links until the second in which they part. The twins of a link
 * part from it in some second and then hold as they were in an earlier one, until they end. If there is no sequence of cuts
 * that keeps the promises on the link and, wherever a twin parts, leaves a way to keep them on the twin, too (even for
 * someone who then knows that it is the twin), then whoever keeps them here breaks one there: no policy keeps all.
 * The least that can have been paid so far is best for every limit, so one number per second and cut decides: dynamic
 * programming, O(seconds * cuts * twins). Policies that throw dice are not ruled out: they break a promise sometimes.
 */
import type { CostTable } from '../../src/core/replay/hindsight.js';

export interface Limits {
  readonly switchSeconds: number;
  readonly deviceOnlyShare: number;
  readonly bestStaticShare: number;
  /** How long twins are; as recorded links are where it is not said. */
  readonly twinSeconds?: readonly number[];
}

/** Where no cut is left; its twins hold as they were in `asInSecond`. The end of the link: no twin is needed. */
export interface DeadEnd {
  readonly second: number;
  readonly asInSecond: number | null;
}

/** Twins are as long as links that are recorded. */
const recordedSeconds = [27, 60, 150, 300, 600, 1800];

/**
 * @param firstCut taken as the first cut, an index into the table; null: any
 * @returns null where some sequence of cuts keeps all
 */
export function deadEnd(table: CostTable, limits: Limits, firstCut: number | null): DeadEnd | null {
  const { cuts, steps, seconds } = table;
  const deviceOnly = deviceOnlyCut(table);
  const turningPoints = new TurningPoints(table, deviceOnly);
  const totals = Float64Array.from(seconds.subarray(0, cuts));
  // In the first second the end device does everything; the first cut after it is free.
  let paid = totals.map((_, cut) => (firstCut === null || cut === firstCut ? totals[deviceOnly]! : Infinity));
  for (let second = 1; second < steps; second++) {
    if (second > 1) {
      const viaSwitch = leastOf(paid) + limits.switchSeconds;
      paid = paid.map((own) => Math.min(own, viaSwitch));
    }
    let last: number | null = null;
    for (const asInSecond of turningPoints.upTo(second)) {
      const held = seconds.subarray(asInSecond * cuts, (asInSecond + 1) * cuts);
      if (rulesOutCuts(paid, totals, held, second, deviceOnly, limits)) last = asInSecond;
    }
    if (leastOf(paid) === Infinity) return { second, asInSecond: last };
    for (let cut = 0; cut < cuts; cut++) {
      totals[cut]! += seconds[second * cuts + cut]!;
      paid[cut]! += seconds[second * cuts + cut]!;
    }
  }
  return leastOf(paid) > limitOf(totals, totals, 0, deviceOnly, limits)
    ? { second: steps, asInSecond: null }
    : null;
}

/**
 * Sets what was paid to Infinity for the cuts with which a limit cannot be kept on some twin.
 * @param paid before the second in which the twins part, for each cut in force in it; changed
 * @param held costs of the cuts in every second of the twins from then on
 * @returns whether there was such a cut
 */
function rulesOutCuts(
  paid: Float64Array,
  totals: Float64Array,
  held: Float64Array,
  second: number,
  deviceOnly: number,
  limits: Limits,
): boolean {
  const leastHeld = leastOf(held);
  let rulesOut = false;
  for (const length of limits.twinSeconds ?? recordedSeconds) {
    if (length <= second) continue;
    const most = limitOf(totals, held, length - second, deviceOnly, limits);
    const more = length - second - 1;
    for (let cut = 0; cut < paid.length; cut++) {
      // Who knows that all stays as it is goes to the best cut now or never.
      const rest = Math.min(more * held[cut]!, limits.switchSeconds + more * leastHeld);
      if (paid[cut] === Infinity || paid[cut]! + held[cut]! + rest <= most) continue;
      paid[cut] = Infinity;
      rulesOut = true;
    }
  }
  return rulesOut;
}

function leastOf(values: Float64Array): number {
  let least = Infinity;
  for (const value of values) least = Math.min(least, value);
  return least;
}

/** The seconds so far in which leaving device-only was worth the most and the least, and the last one. */
class TurningPoints {
  private readonly gains: number[] = [];
  private best = 0;
  private worst = 0;

  constructor(
    private readonly table: CostTable,
    private readonly deviceOnly: number,
  ) {}

  upTo(end: number): Set<number> {
    for (let second = this.gains.length; second < end; second++) {
      this.gains.push(this.gain(second));
      if (this.gains[second]! > this.gains[this.best]!) this.best = second;
      if (this.gains[second]! < this.gains[this.worst]!) this.worst = second;
    }
    return new Set([this.best, this.worst, end - 1]);
  }

  private gain(second: number): number {
    const { cuts, seconds } = this.table;
    let others = Infinity;
    for (let cut = 0; cut < cuts; cut++) {
      if (cut !== this.deviceOnly) others = Math.min(others, seconds[second * cuts + cut]!);
    }
    return seconds[second * cuts + this.deviceOnly]! - others;
  }
}

/** The lower of the two limits, with `more` seconds that cost `held` after what was seen. */
function limitOf(
  totals: Float64Array,
  held: Float64Array,
  more: number,
  deviceOnly: number,
  { switchSeconds, deviceOnlyShare, bestStaticShare }: Limits,
): number {
  let best = Infinity;
  totals.forEach((total, cut) => {
    best = Math.min(best, total + more * held[cut]!);
  });
  const device = totals[deviceOnly]! + more * held[deviceOnly]!;
  const least = Math.min((1 + deviceOnlyShare) * device, (1 + bestStaticShare) * best);
  return (least + switchSeconds) * (1 + 1e-9);
}

function deviceOnlyCut(table: CostTable): number {
  for (let cut = 0; cut < table.cuts; cut++) {
    if (table.placementOf(cut).every((tier) => tier === 0)) return cut;
  }
  throw new Error('device-only is not in the table');
}
