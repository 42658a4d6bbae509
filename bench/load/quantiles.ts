/** Of a set of samples what a report shows. */
export interface Quantiles {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** Null where there are no samples. Nearest rank. */
export function quantilesOf(samples: readonly number[]): Quantiles | null {
  if (samples.length === 0) return null;
  const sorted = Float64Array.from(samples).sort();
  const at = (share: number): number => sorted[Math.ceil(share * sorted.length) - 1]!;
  return { count: sorted.length, p50: at(0.5), p99: at(0.99), max: at(1) };
}
