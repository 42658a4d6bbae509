/** A recorded link as the contexts of a replay, one a second, and what stands in for what was not measured. */
import type { Context, Requirements } from '../core/context.js';
import { resampleLink, type LinkSecond } from '../core/replay/resample.js';
import type { Trace } from '../demo/trace.js';
import { formatSeconds } from '../format.js';

/** A day; a longer recording is a mistake. */
const maxSeconds = 86_400;

export interface ReplayTrace {
  readonly contexts: readonly Context[];
  readonly link: readonly LinkSecond[];
  /** Round trip of each second, with what stands in where it was not measured. */
  readonly rttSeconds: readonly number[];
  readonly assumed: readonly string[];
}

/**
 * @param assumedRttSeconds stands in where the round trip was not measured yet
 * @throws RangeError where the recording is too long
 */
export function traceContexts(
  trace: Trace,
  assumedRttSeconds: number,
  requirements: Requirements,
): ReplayTrace {
  const link = resampleLink(trace.rows, maxSeconds);
  const assumed: string[] = [];
  if (!trace.measured.uplink) {
    assumed.push(
      'no uplink was measured: the downlink is replayed as uplink (on real links it is often a tenth)',
    );
  }
  if (!trace.measured.downlink) assumed.push('no downlink was measured: the uplink is replayed as downlink');
  const unknownRtt = link.filter((second) => second.rttSeconds === null).length;
  if (unknownRtt > 0) {
    const where = unknownRtt === link.length ? '' : ` in ${unknownRtt} of ${link.length} s`;
    assumed.push(`no round trip was measured${where}: ${formatSeconds(assumedRttSeconds)} stand in`);
  }
  assumed.push('both tiers run at the speed of their profile, and no request waits for the edge');
  const rttSeconds = link.map((second) => second.rttSeconds ?? assumedRttSeconds);
  const contexts = link.map((second, i): Context => ({
    tiers: [{ slowdown: 1 }, { slowdown: 1 }],
    hops: [
      {
        uplinkBitsPerSecond: second.uplinkBitsPerSecond ?? undefined,
        downlinkBitsPerSecond: second.downlinkBitsPerSecond ?? undefined,
        rttSeconds: rttSeconds[i],
        queueSeconds: 0,
      },
    ],
    requirements,
  }));
  return { contexts, link, rttSeconds, assumed };
}
