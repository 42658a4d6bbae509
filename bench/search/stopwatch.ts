/**
 * Times of single searches. Each search is timed alone, because its tail matters; reading the clock costs about as much
 * as a short search, so the median time of a search that does nothing is taken off each sample (race.ts).
 */
import { contenders, type Contender, type Timing, type Visited } from './results.js';

/** The value below which the share `q` of ascending `sorted` lies. */
export function quantile(sorted: Float64Array, q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))]!;
}

/** Samples of one contender over several repeats. */
export class Stopwatch {
  private readonly repeats: number[][] = [];

  constructor(private readonly costNs: number) {}

  nextRepeat(): void {
    this.repeats.push([]);
  }

  add(nanoseconds: number): void {
    this.repeats.at(-1)!.push(Math.max(0, nanoseconds - this.costNs));
  }

  /** Null where nothing was timed. */
  timing(): Timing | null {
    const all = Float64Array.from(this.repeats.flat()).sort();
    if (all.length === 0) return null;
    const medians = this.repeats
      .filter((repeat) => repeat.length > 0)
      .map((repeat) => quantile(Float64Array.from(repeat).sort(), 0.5) / 1e3);
    return {
      p50Us: quantile(all, 0.5) / 1e3,
      p99Us: quantile(all, 0.99) / 1e3,
      meanUs: all.reduce((sum, each) => sum + each, 0) / all.length / 1e3,
      samples: all.length,
      p50SpreadUs: [Math.min(...medians), Math.max(...medians)],
    };
  }
}

export function visitedOf(counts: readonly number[]): Visited {
  const sorted = Float64Array.from(counts).sort();
  return {
    p50: quantile(sorted, 0.5),
    p99: quantile(sorted, 0.99),
    mean: sorted.reduce((sum, each) => sum + each, 0) / sorted.length,
  };
}

export function noTimings(): Record<Contender, Timing | null> {
  return Object.fromEntries(contenders.map((name) => [name, null])) as Record<Contender, null>;
}

/** A step that visits 0 … count - 1 all once, modulo `count`, in an order that spreads early ones evenly. */
export function spreadStride(count: number): number {
  const greatestDivisor = (a: number, b: number): number => (b === 0 ? a : greatestDivisor(b, a % b));
  let stride = Math.max(1, Math.round(count * 0.6180339887));
  while (greatestDivisor(stride, count) !== 1) stride++;
  return stride;
}
