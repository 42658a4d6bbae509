/**
 * The accounts of a deployment: what every candidate cut would have cost in the contexts that were seen, what the cuts
 * in force did cost, and how long differences between cuts last.
 *
 * A context tells the cost of each cut, not only of the one in force, so all accounts are exact as soon as a cut is a
 * candidate. Each has a total since the beginning, and a mean in which the past fades. For a cut that becomes a candidate
 * later, contexts of the window are kept in a stated number of spans: at first one for each sample; when they are too
 * many, neighbours are joined, until the spans cover the window; from then on the oldest goes as a new one comes. A span
 * keeps one of its contexts, by which the later candidate is costed in it. Before the window it counts as slot 0 does.
 * O(candidates) per sample.
 */

export interface LedgerLimits {
  /** Time in which a cost fades to 1/e in the means, seconds; contexts are kept for as long. */
  readonly windowSeconds: number;
  readonly windowSpans: number;
}

interface Span<Note> {
  readonly note: Note;
  readonly fromSeconds: number;
  seconds: number;
}

export class CostLedger<Note> {
  private spans: Span<Note>[] = [];
  /** A span is full with so many seconds; 0 while each sample has its own. */
  private fullSeconds = 0;
  private lastSeconds = 0;
  private samples = 0;
  private seconds = 0;
  /** Faded: seconds, cost per request times seconds by slot, product and square of deviations from the mean. */
  private weight = 0;
  private readonly faded: number[] = [];
  private product = 0;
  private square = 0;
  /** Since the beginning: cost per request times seconds, by slot, and of what was in force with the switches paid. */
  private readonly totals: number[] = [];
  private own = 0;
  private latestCosts: readonly number[] = [];

  constructor(private readonly limits: LedgerLimits) {}

  get spanCount(): number {
    return this.spans.length;
  }

  /** Mean time between samples; 1 before the first. */
  get secondsPerSample(): number {
    return this.samples === 0 ? 1 : this.seconds / this.samples;
  }

  /** How long a past the means stand for, seconds: what was seen, at most the window. */
  get meanSeconds(): number {
    return this.weight;
  }

  /** Mean cost per request of the candidate in `slot`, the past fading. */
  mean(slot: number): number {
    return this.weight === 0 ? 0 : this.faded[slot]! / this.weight;
  }

  /** Cost of the candidate since the beginning: per request, times seconds. */
  total(slot: number): number {
    return this.totals[slot]!;
  }

  /** What was paid since the beginning: the cuts in force, and the switches. */
  get paid(): number {
    return this.own;
  }

  /** Cost per request in the sample last seen. */
  latest(slot: number): number {
    return this.latestCosts[slot]!;
  }

  /**
   * Share of a deviation from the mean that is left one sample later: the autocorrelation of the differences to slot 0,
   * drawn towards `prior` as if by `priorSamples` samples that deviate by a fifth of the cost of slot 0.
   */
  persistence(prior: number, priorSamples: number): number {
    const believed = priorSamples * (0.2 * this.mean(0)) ** 2;
    const squares = this.square + believed;
    if (squares === 0) return prior;
    return Math.min(0.97, Math.max(0.2, (this.product + believed * prior) / squares));
  }

  /**
   * Puts a candidate into `slot`.
   * @param costOf cost per request of the candidate and of slot 0 in a context of the window
   */
  place(slot: number, costOf: (note: Note, fromSeconds: number) => { cost: number; first: number }): void {
    let total = this.totals[0] ?? 0;
    let faded = this.faded[0] ?? 0;
    for (const { note, fromSeconds, seconds } of this.spans) {
      const { cost, first } = costOf(note, fromSeconds);
      const difference = (cost - first) * seconds;
      const age = Math.max(0, this.lastSeconds - fromSeconds - seconds / 2);
      total += difference;
      faded += difference * Math.exp(-age / this.limits.windowSeconds);
    }
    this.totals[slot] = total;
    this.faded[slot] = faded;
    if (slot < this.latestCosts.length) {
      this.latestCosts = this.latestCosts.map((latest, other) => (other === slot ? NaN : latest));
    }
  }

  /**
   * One more sample.
   * @param costs per request, of each slot; kept
   * @param inForce slot of the cut that was in force
   */
  record(atSeconds: number, seconds: number, costs: readonly number[], inForce: number, note: Note): void {
    const left = seconds === 0 ? 1 : Math.exp(-seconds / this.limits.windowSeconds);
    this.samples += 1;
    this.seconds += seconds;
    this.weight = this.weight * left + seconds;
    this.own += costs[inForce]! * seconds;
    for (let slot = 0; slot < costs.length; slot++) {
      const cost = costs[slot]! * seconds;
      this.totals[slot]! += cost;
      this.faded[slot] = this.faded[slot]! * left + cost;
    }
    this.product *= left;
    this.square *= left;
    this.addDeviations(costs);
    this.latestCosts = costs;
    this.remember(atSeconds, seconds, note);
  }

  /** A switch is made now and paid. */
  pay(cost: number): void {
    this.own += cost;
  }

  private addDeviations(costs: readonly number[]): void {
    const before = this.latestCosts;
    for (let slot = 1; slot < costs.length; slot++) {
      if (!(before[slot]! >= 0)) continue; // not seen before
      const mean = this.mean(slot) - this.mean(0);
      const then = before[slot]! - before[0]! - mean;
      this.product += then * (costs[slot]! - costs[0]! - mean);
      this.square += then * then;
    }
  }

  private remember(atSeconds: number, seconds: number, note: Note): void {
    this.lastSeconds = atSeconds;
    const last = this.spans.at(-1);
    if (last !== undefined && last.seconds + 1e-9 < this.fullSeconds) {
      last.seconds += seconds;
      return;
    }
    const { windowSeconds, windowSpans } = this.limits;
    const isOld = (span: Span<Note> | undefined): boolean =>
      span !== undefined && atSeconds - span.fromSeconds > windowSeconds;
    while (isOld(this.spans[0])) this.spans.shift();
    if (this.spans.length >= windowSpans) {
      if (this.fullSeconds * windowSpans >= windowSeconds) this.spans.shift();
      else {
        this.spans = joined(this.spans);
        this.fullSeconds = this.spans.reduce((sum, span) => sum + span.seconds, 0) / this.spans.length;
      }
    }
    this.spans.push({ note, fromSeconds: atSeconds - seconds, seconds });
  }
}

/** Neighbours together; each keeps the context of one of the two, of the older and the younger by turns. */
function joined<Note>(spans: readonly Span<Note>[]): Span<Note>[] {
  const pairs: Span<Note>[] = [];
  for (let i = 0; i < spans.length; i += 2) {
    const [older, younger] = [spans[i]!, spans[i + 1]];
    if (younger === undefined) pairs.push(older);
    else {
      pairs.push({
        note: (i / 2) % 2 === 0 ? older.note : younger.note,
        fromSeconds: older.fromSeconds,
        seconds: older.seconds + younger.seconds,
      });
    }
  }
  return pairs;
}
