/** The figures of a replay: what its requests saw, how often its cut changed. */
import type { Step } from './replay.js';

export interface Figures {
  readonly meanSeconds: number;
  readonly p50Seconds: number;
  readonly p95Seconds: number;
  readonly p99Seconds: number;
  /** All requests together, switches included. */
  readonly totalSeconds: number;
  /** Share of the steps that break a requirement. */
  readonly violatingShare: number;
  /** Share of the requests that the edge did not answer in time. */
  readonly unansweredShare: number;
  /** Changes of the cut, the deployment not counted, and those per minute. */
  readonly switches: number;
  readonly switchesPerMinute: number;
  /** By how much the mean is above that of the clairvoyant, as a share of it; null where it cannot be held against it. */
  readonly regret: number | null;
}

/**
 * @param steps at least one, each a second long
 * @param clairvoyantSeconds total of the clairvoyant; null where that one had to keep more than these steps did
 */
export function figuresOf(steps: readonly Step[], clairvoyantSeconds: number | null): Figures {
  const latencies = Float64Array.from(steps, (step) => step.latencySeconds).sort();
  const totalSeconds = steps.reduce((sum, step) => sum + step.latencySeconds, 0);
  const share = (is: (step: Step) => boolean): number => steps.filter(is).length / steps.length;
  const switches = steps.filter((step) => step.paid).length;
  return {
    meanSeconds: totalSeconds / steps.length,
    p50Seconds: percentile(latencies, 0.5),
    p95Seconds: percentile(latencies, 0.95),
    p99Seconds: percentile(latencies, 0.99),
    totalSeconds,
    violatingShare: share((step) => step.violates),
    unansweredShare: share((step) => step.unanswered),
    switches,
    switchesPerMinute: (switches * 60) / steps.length,
    regret:
      clairvoyantSeconds === null ? null : clairvoyantSeconds > 0 ? totalSeconds / clairvoyantSeconds - 1 : 0,
  };
}

/** Nearest rank: the least value that at least `share` of all do not exceed. */
function percentile(sorted: Float64Array, share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]!;
}
