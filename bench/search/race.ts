/**
 * Contenders in one run, interleaved: over each block of contexts each takes its turn, in an order that rotates. A burst and
 * not a single search, because a search that comes after that of the slowest rival is timed with the caches which that
 * left behind: a controller decides for many devices one after the other, and the papers time one method at a time.
 */
import { quantile, Stopwatch } from './stopwatch.js';
import type { Problem } from '../../src/core/problem.js';
import type { Timing } from './results.js';

/** Searches in the context of the given number; what it returns is kept from being optimised away. */
export type Search = (context: number) => number;

interface Runner {
  readonly search: Search;
  readonly stride: number;
  readonly watch: Stopwatch;
}

/** Contexts over which a contender searches before it is the next one's turn. */
export const burstContexts = 64;

/** Seconds for which a contender may warm up, and for which it is timed, over all repeats. */
export interface RaceBudget {
  readonly warmUpSeconds: number;
  readonly seconds: number;
  readonly repeats: number;
}

/**
 * Times all `searches` over contexts 0 … count - 1. A contender that would take longer than its budget searches in
 * every n-th context only, evenly over the run.
 * @param touch reads what the searches of a context read; done untimed for the whole block before each burst: contexts that
 *   were just measured lie in the caches, and none should pay for being the first to read them
 */
export function race<K extends string>(
  searches: Readonly<Partial<Record<K, Search>>>,
  count: number,
  budget: RaceBudget,
  touch: Search = () => 0,
): Record<K, Timing | null> {
  const names = Object.keys(searches) as K[];
  const timer = new Timer();
  const costNs = timer.idleCostNs(count);
  const runners = names.map((name): Runner => {
    const search = searches[name]!;
    const each = timer.warmUp(search, count, budget.warmUpSeconds);
    const often = Math.max(leastSamples, budget.seconds / each);
    const stride = Math.max(1, Math.ceil((count * budget.repeats) / often));
    return { search, stride, watch: new Stopwatch(costNs) };
  });
  // Each follows each other in turn, so that none always comes after the one that empties the caches.
  const steps = stepsThroughAll(runners.length);
  for (let repeat = 0; repeat < budget.repeats; repeat++) {
    for (const { watch } of runners) watch.nextRepeat();
    for (let first = 0, block = 0; first < count; first += burstContexts, block++) {
      const end = Math.min(first + burstContexts, count);
      const step = steps[block % steps.length]!;
      for (let turn = 0; turn < runners.length; turn++) {
        burst(timer, runners[(block + turn * step) % runners.length]!, first, end, touch);
      }
    }
  }
  return Object.fromEntries(names.map((name, n) => [name, runners[n]!.watch.timing()])) as Record<
    K,
    Timing | null
  >;
}

/** One contender's turn in the contexts `first` … `end` - 1. */
function burst(
  timer: Timer,
  { search, stride, watch }: Runner,
  first: number,
  end: number,
  touch: Search,
): void {
  const from = Math.ceil(first / stride) * stride;
  if (from >= end) return;
  for (let i = first; i < end; i++) timer.sum += touch(i);
  for (let i = from; i < end; i += stride) watch.add(timer.time(search, i));
}

/** Steps with which all of 0 … count - 1 are met, modulo `count`. */
function stepsThroughAll(count: number): number[] {
  const divides = (d: number, n: number): boolean => n % d === 0;
  const isCoprime = (step: number): boolean => {
    for (let d = 2; d <= step; d++) if (divides(d, step) && divides(d, count)) return false;
    return true;
  };
  return Array.from({ length: count }, (_, i) => i + 1).filter(
    (step) => step === 1 || (step < count && isCoprime(step)),
  );
}

/** A contender is timed at least so often, over all repeats, however slow. */
const leastSamples = 60;

/** The time of a search is judged by the median of so many: a pause of the machine must not pass for a slow search. */
const judgedSearches = 101;

/** Searches of less than 0.1 ms are made at least so often before they are timed, however busy the machine. */
const leastWarmUp = 3000;

class Timer {
  /** Of what searches return: used, so that no search can be left out. */
  sum = 0;

  time(search: Search, context: number): number {
    const start = process.hrtime.bigint();
    this.sum += search(context);
    return Number(process.hrtime.bigint() - start);
  }

  /** What a search that does nothing seems to take: the clock and the call. */
  idleCostNs(count: number): number {
    const doNothing: Search = (i) => i;
    for (let i = 0; i < 20_000; i++) this.time(doNothing, i % count);
    const samples = Float64Array.from({ length: 20_001 }, (_, i) => this.time(doNothing, i % count));
    return quantile(samples.sort(), 0.5);
  }

  /** Lets the compiler see the search at work. @returns seconds per search, median of the last ones */
  warmUp(search: Search, count: number, seconds: number): number {
    const start = performance.now();
    const limit = start + seconds * 1e3;
    const last: number[] = [];
    // A large prime step meets all kinds of contexts early.
    for (let i = 0, done = 0; ; i = (i + 7919) % count, done++) {
      const now = performance.now();
      const isShort = now - start < 0.1 * done;
      if (done >= 5 && (done >= leastWarmUp || !isShort) && now >= limit) break;
      last[done % judgedSearches] = this.time(search, i);
    }
    return quantile(Float64Array.from(last).sort(), 0.5) / 1e9;
  }
}

/** Reads all numbers of a problem. @returns their sum */
export function touchProblem({ objective, constraints }: Problem): number {
  let sum = 0;
  const read = (weights: Float64Array): void => {
    for (let f = 0; f < weights.length; f++) sum += weights[f]!;
  };
  read(objective.linear);
  if (objective.stageWeight > 0) read(objective.stages);
  for (const { weights, limit } of constraints) {
    read(weights);
    sum += limit;
  }
  return sum;
}
