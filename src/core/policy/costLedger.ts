/**
 * What every candidate cut would have cost over the recent past, what the cuts in force did cost, and how long
 * differences between them last.
 *
 * All candidates are costed in every context that was seen, not only the one in force: a context tells the
 * cost of each cut. A sliding window (a time and a number of samples) bounds the memory; sums are kept up to
 * date as samples come and go, O(candidates) per sample, and made anew now and then so that rounding cannot build up.
 */

export interface LedgerLimits {
  readonly windowSeconds: number;
  readonly windowSamples: number;
}

interface Sample<Note> {
  readonly note: Note;
  readonly atSeconds: number;
  /** Seconds that the sample stands for. */
  readonly seconds: number;
  /** Cost per request of each candidate, by slot. */
  readonly costs: number[];
  /** Cost of the cut that was in force, times seconds. */
  readonly own: number;
  /** Switches paid right after the sample. */
  paid: number;
  /** Product and square of deviations from the mean, this sample and the one before, over all candidates. */
  readonly product: number;
  readonly square: number;
}

/** Sums are made anew after this many samples. */
const renewalSamples = 4096;

export class CostLedger<Note> {
  private samples: Sample<Note>[] = [];
  private seconds = 0;
  private own = 0;
  private products = 0;
  private squares = 0;
  private sums: number[] = [];
  private regrets: number[] = [];
  private sinceRenewal = 0;

  constructor(private readonly limits: LedgerLimits) {}

  get seenSeconds(): number {
    return this.seconds;
  }

  get sampleCount(): number {
    return this.samples.length;
  }

  /** Mean time between samples; 1 before the first. */
  get secondsPerSample(): number {
    return this.samples.length === 0 ? 1 : this.seconds / this.samples.length;
  }

  /** Mean cost per request of the candidate in `slot`. */
  mean(slot: number): number {
    return this.seconds === 0 ? 0 : this.sums[slot]! / this.seconds;
  }

  /** Cost of the candidate over the window, per request and second. */
  total(slot: number): number {
    return this.sums[slot]!;
  }

  /** What was paid over the window: the cuts in force, and the switches. */
  get paidTotal(): number {
    return this.own;
  }

  /** Cost per request in the sample last seen. */
  latest(slot: number): number {
    return this.samples.at(-1)!.costs[slot]!;
  }

  /** By how much the candidate was cheaper than what was in force, since the last switch or since it last was not. */
  regret(slot: number): number {
    return this.regrets[slot]!;
  }

  /**
   * Share of a deviation from the mean that is left one sample later: the autocorrelation over the window, drawn
   * towards `prior` as if by `priorSamples` samples that deviate by a fifth of the cost of slot 0.
   */
  persistence(prior: number, priorSamples: number): number {
    const believed = priorSamples * (0.2 * this.mean(0)) ** 2;
    const squares = this.squares + believed;
    if (squares === 0) return prior;
    return Math.min(0.97, Math.max(0.2, (this.products + believed * prior) / squares));
  }

  /** Puts a candidate into `slot`, with what it would have cost in each sample of the window, oldest first. */
  place(slot: number, costOf: (note: Note, atSeconds: number) => number): void {
    let sum = 0;
    for (const sample of this.samples) {
      const cost = costOf(sample.note, sample.atSeconds);
      sample.costs[slot] = cost;
      sum += cost * sample.seconds;
    }
    this.sums[slot] = sum;
    this.regrets[slot] = 0;
  }

  /**
   * One more sample.
   * @param costs per request, of each slot
   * @param inForce slot of the cut that was in force
   */
  record(atSeconds: number, seconds: number, costs: number[], inForce: number, note: Note): void {
    const before = this.samples.at(-1);
    const own = costs[inForce]! * seconds;
    this.seconds += seconds;
    this.own += own;
    costs.forEach((cost, slot) => {
      this.sums[slot]! += cost * seconds;
      this.regrets[slot] = Math.max(0, this.regrets[slot]! + own - cost * seconds);
    });
    const { product, square } = this.deviations(costs, before);
    this.products += product;
    this.squares += square;
    this.samples.push({ note, atSeconds, seconds, costs, own, paid: 0, product, square });
    this.forget(atSeconds);
    if (++this.sinceRenewal >= renewalSamples) this.renew();
  }

  /** A switch is made now and paid. */
  pay(cost: number): void {
    this.own += cost;
    const last = this.samples.at(-1);
    if (last) last.paid += cost;
    this.regrets.fill(0);
  }

  private deviations(
    costs: readonly number[],
    before: Sample<Note> | undefined,
  ): { product: number; square: number } {
    let product = 0;
    let square = 0;
    if (before === undefined) return { product, square };
    for (let slot = 1; slot < costs.length; slot++) {
      const mean = this.mean(slot) - this.mean(0);
      const then = before.costs[slot]! - before.costs[0]! - mean;
      product += then * (costs[slot]! - costs[0]! - mean);
      square += then * then;
    }
    return { product, square };
  }

  private forget(nowSeconds: number): void {
    let gone = 0;
    const { windowSeconds, windowSamples } = this.limits;
    while (
      this.samples.length - gone > windowSamples ||
      (this.samples.length - gone > 1 && nowSeconds - this.samples[gone]!.atSeconds > windowSeconds)
    ) {
      const sample = this.samples[gone++]!;
      this.seconds -= sample.seconds;
      this.own -= sample.own + sample.paid;
      this.products -= sample.product;
      this.squares -= sample.square;
      sample.costs.forEach((cost, slot) => (this.sums[slot]! -= cost * sample.seconds));
    }
    if (gone > 0) this.samples.splice(0, gone);
  }

  private renew(): void {
    this.sinceRenewal = 0;
    const sum = (value: (sample: Sample<Note>) => number): number =>
      this.samples.reduce((total, sample) => total + value(sample), 0);
    this.seconds = sum((s) => s.seconds);
    this.own = sum((s) => s.own + s.paid);
    this.products = sum((s) => s.product);
    this.squares = sum((s) => s.square);
    this.sums = this.sums.map((_, slot) => sum((s) => s.costs[slot]! * s.seconds));
  }
}
