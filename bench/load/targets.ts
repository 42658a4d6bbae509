/** What the load has to reach, each with what was measured. */
import type { LoadReport } from './results.js';

export interface Verdict {
  readonly target: string;
  readonly measured: string;
  readonly isReached: boolean;
}

const whole = (value: number): string => Math.round(value).toLocaleString('en-US');

export function verdictsOf(report: LoadReport): Verdict[] {
  const { maximum, half, overload, reconnect } = report;
  const halfP99Ms = half.telemetryToCutMs?.p99 ?? Infinity;
  const overloadP99Ms = overload.p99Ms ?? Infinity;
  const { after } = overload;
  return [
    {
      target: 'frames/s: at least half of the ceiling',
      measured: `${(100 * maximum.share).toFixed(0)} % of ${whole(report.ceiling.framesPerSecond)}`,
      isReached: maximum.share >= 0.5,
    },
    {
      target: 'frames/s: at least 20,000',
      measured: whole(maximum.framesPerSecond),
      isReached: maximum.framesPerSecond >= 20_000,
    },
    {
      target: 'telemetry to cut at half load: p99 ≤ 10 ms',
      measured: `${halfP99Ms.toFixed(1)} ms`,
      isReached: halfP99Ms <= 10,
    },
    {
      target: 'resident memory per connected device: ≤ 60 KB',
      measured: `${(report.rssPerDeviceBytes / 1e3).toFixed(1)} KB`,
      isReached: report.rssPerDeviceBytes <= 60e3,
    },
    {
      target: 'twice the maximum: p99 of what is served < 250 ms',
      measured: `${overloadP99Ms.toFixed(0)} ms`,
      isReached: overloadP99Ms < 250,
    },
    {
      target: 'twice the maximum: memory flat (within 5 % of what it was)',
      measured: `${(overload.rssGrowthBytes / 2 ** 20).toFixed(1)} MiB`,
      isReached: overload.rssGrowthBytes <= 0.05 * overload.rssBytes[0]!,
    },
    {
      target: 'right after: all is served again',
      measured: `${((100 * after.servedPerSecond) / after.offeredPerSecond).toFixed(1)} %`,
      isReached: after.isSustained,
    },
    {
      target: 'after a restart: all back within 10 s',
      measured: `${whole(reconnect.devicesBack)} in ${reconnect.seconds.toFixed(1)} s`,
      isReached: reconnect.devicesBack === report.devices && reconnect.seconds <= 10,
    },
    {
      target: 'after a restart: each at the right cut, none replayed',
      measured: `${reconnect.wrongCuts} wrong, ${reconnect.replayedCuts} replayed`,
      isReached: reconnect.wrongCuts === 0 && reconnect.replayedCuts === 0,
    },
  ];
}
