/**
 * What every candidate cut would have cost over the recent past, what the cuts in force did cost, and how long
 * differences between them last.
 *
 * All candidates are costed in every context that was seen, not only the one in force: a context tells the
 * cost of each cut. Memory is a stated number of buckets: at first one for each sample; when they are too many,
 * neighbours are joined, until the buckets cover the window; from then on the oldest goes as a new one comes. A bucket
 * keeps sums and one of its contexts, by which a later candidate is costed in it. O(candidates) per sample, and O(buckets *
 * candidates) per new bucket, when sums are made anew (so that rounding cannot build up).
 */

export interface LedgerLimits {
  readonly windowSeconds: number;
  readonly windowBuckets: number;
}

interface Sums {
  /** What the samples stand for together, and how many they are. */
  seconds: number;
  samples: number;
  /** Cost per request of what was in force times seconds, and the switches paid. */
  own: number;
  /** Product and square of deviations from the mean, each sample and the one before, over all candidates. */
  product: number;
  square: number;
}

interface Bucket<Note> extends Sums {
  readonly note: Note;
  readonly fromSeconds: number;
  /** Cost per request of each candidate times seconds, by slot. */
  readonly sums: number[];
}

export class CostLedger<Note> {
  private buckets: readonly Bucket<Note>[] = [];
  /** A bucket is full with so many seconds; 0 while each sample has its own. */
  private bucketSeconds = 0;
  /** Over all buckets. */
  private totals: Sums = { ...nothing };
  private sums: number[] = [];
  private latestCosts: number[] = [];
  private regrets: number[] = [];
  private everOwn = 0;
  private everFirst = 0;

  constructor(private readonly limits: LedgerLimits) {}

  get seenSeconds(): number {
    return this.totals.seconds;
  }

  get bucketCount(): number {
    return this.buckets.length;
  }

  /** Mean time between samples; 1 before the first. */
  get secondsPerSample(): number {
    return this.totals.samples === 0 ? 1 : this.totals.seconds / this.totals.samples;
  }

  /** Mean cost per request of the candidate in `slot`. */
  mean(slot: number): number {
    return this.totals.seconds === 0 ? 0 : this.sums[slot]! / this.totals.seconds;
  }

  /** Cost of the candidate over the window, per request and second. */
  total(slot: number): number {
    return this.sums[slot]!;
  }

  /** What was paid over the window: the cuts in force, and the switches. */
  get paidTotal(): number {
    return this.totals.own;
  }

  /** What was paid since the beginning, less what slot 0 would have cost and a share of it. */
  aboveFirst(share: number): number {
    return this.everOwn - (1 + share) * this.everFirst;
  }

  /** Cost per request in the sample last seen. */
  latest(slot: number): number {
    return this.latestCosts[slot]!;
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
    const squares = this.totals.square + believed;
    if (squares === 0) return prior;
    return Math.min(0.97, Math.max(0.2, (this.totals.product + believed * prior) / squares));
  }

  /** Puts a candidate into `slot`, with what it would have cost in the contexts of the window, oldest first. */
  place(slot: number, costOf: (note: Note, atSeconds: number) => number): void {
    for (const bucket of this.buckets) {
      bucket.sums[slot] = costOf(bucket.note, bucket.fromSeconds) * bucket.seconds;
    }
    this.sums[slot] = this.buckets.reduce((total, bucket) => total + bucket.sums[slot]!, 0);
    this.regrets[slot] = 0;
    this.latestCosts[slot] = NaN; // not seen yet
  }

  /**
   * One more sample.
   * @param costs per request, of each slot
   * @param inForce slot of the cut that was in force
   */
  record(atSeconds: number, seconds: number, costs: number[], inForce: number, note: Note): void {
    const bucket = this.openBucket(atSeconds, costs.length, note);
    const own = costs[inForce]! * seconds;
    this.everOwn += own;
    this.everFirst += costs[0]! * seconds;
    for (const sums of [this.totals, bucket]) {
      sums.seconds += seconds;
      sums.samples += 1;
      sums.own += own;
    }
    costs.forEach((cost, slot) => {
      bucket.sums[slot]! += cost * seconds;
      this.sums[slot]! += cost * seconds;
      this.regrets[slot] = Math.max(0, this.regrets[slot]! + own - cost * seconds);
    });
    const { product, square } = this.deviations(costs);
    for (const sums of [this.totals, bucket]) {
      sums.product += product;
      sums.square += square;
    }
    this.latestCosts = costs;
  }

  /** A switch is made now and paid. */
  pay(cost: number): void {
    this.totals.own += cost;
    this.everOwn += cost;
    const last = this.buckets.at(-1);
    if (last !== undefined) last.own += cost;
    this.regrets.fill(0);
  }

  private deviations(costs: readonly number[]): { product: number; square: number } {
    let product = 0;
    let square = 0;
    const before = this.latestCosts;
    for (let slot = 1; slot < costs.length; slot++) {
      if (!(before[slot]! >= 0)) continue; // not seen before
      const mean = this.mean(slot) - this.mean(0);
      const then = before[slot]! - before[0]! - mean;
      product += then * (costs[slot]! - costs[0]! - mean);
      square += then * then;
    }
    return { product, square };
  }

  /** The bucket that takes the next sample. */
  private openBucket(atSeconds: number, slots: number, note: Note): Bucket<Note> {
    const last = this.buckets.at(-1);
    if (last !== undefined && last.seconds + 1e-9 < this.bucketSeconds) return last;
    const { windowSeconds, windowBuckets } = this.limits;
    let kept = this.buckets.filter(({ fromSeconds }) => atSeconds - fromSeconds <= windowSeconds);
    if (kept.length >= windowBuckets) {
      const isFull = this.bucketSeconds * windowBuckets >= windowSeconds;
      kept = isFull ? kept.slice(kept.length - windowBuckets + 1) : joined(kept);
      if (!isFull) this.bucketSeconds = kept.reduce((sum, { seconds }) => sum + seconds, 0) / kept.length;
    }
    const sums = Array.from({ length: slots }, (_, slot) =>
      kept.reduce((total, bucket) => total + bucket.sums[slot]!, 0),
    );
    this.sums = sums;
    this.totals = kept.reduce(added, { ...nothing });
    const opened = { ...nothing, note, fromSeconds: atSeconds, sums: sums.map(() => 0) };
    this.buckets = [...kept, opened];
    return opened;
  }
}

/** Neighbours together; each keeps the context of one of the two, of the older and the younger by turns. */
function joined<Note>(buckets: readonly Bucket<Note>[]): Bucket<Note>[] {
  const pairs: Bucket<Note>[] = [];
  for (let i = 0; i < buckets.length; i += 2) {
    const [older, younger] = [buckets[i]!, buckets[i + 1]];
    if (younger === undefined) pairs.push(older);
    else {
      pairs.push({
        ...added(older, younger),
        note: (i / 2) % 2 === 0 ? older.note : younger.note,
        fromSeconds: older.fromSeconds,
        sums: older.sums.map((sum, slot) => sum + younger.sums[slot]!),
      });
    }
  }
  return pairs;
}

const nothing: Sums = { seconds: 0, samples: 0, own: 0, product: 0, square: 0 };

function added(a: Readonly<Sums>, b: Readonly<Sums>): Sums {
  return {
    seconds: a.seconds + b.seconds,
    samples: a.samples + b.samples,
    own: a.own + b.own,
    product: a.product + b.product,
    square: a.square + b.square,
  };
}
