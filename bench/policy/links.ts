/** The links to replay: recorded ones where the folder is there, and seeded ones from the bandwidth model of the demo. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Context } from '../../src/core/context.js';
import { createModelLink, linkKinds } from '../../src/demo/bandwidthModel.js';
import { parseTrace, type Trace } from '../../src/demo/trace.js';
import { traceContexts } from '../../src/replay/traceContexts.js';

export interface BenchLink {
  readonly name: string;
  readonly kind: 'recorded' | 'seeded';
  /** Parameters are chosen on `choose` and reported on `report`. */
  readonly half: 'choose' | 'report';
  readonly contexts: readonly Context[];
  readonly assumed: readonly string[];
}

const assumedRttSeconds = 0.05;
/** By turns, as recordings are of all lengths. */
const seededSeconds = [150, 300, 600];

/** Recorded links alternate between the halves in alphabetical order, seeded ones by their seed. */
export function benchLinks(folder: string, seeds: number): BenchLink[] {
  const files = existsSync(folder) ? readdirSync(folder).filter((file) => file.endsWith('.csv')) : [];
  const recorded = files.sort().map((file, i): BenchLink => {
    const trace = parseTrace(readFileSync(join(folder, file), 'utf8'));
    const { contexts, assumed } = traceContexts(trace, assumedRttSeconds, {});
    const half = i % 2 === 0 ? 'choose' : 'report';
    return { name: file.replace(/\.csv$/, ''), kind: 'recorded', half, contexts, assumed };
  });
  const seeded = linkKinds.flatMap((kind) =>
    Array.from({ length: seeds }, (_, index): BenchLink => {
      const seed = index + 1;
      // Both halves get all lengths.
      const length = seededSeconds[(index >> 1) % seededSeconds.length]!;
      const link = createModelLink(kind, seed);
      const rows = Array.from({ length }, (_, second) => {
        const { uplinkBitsPerSecond, downlinkBitsPerSecond, rttSeconds } = link.advance(1);
        return {
          atSeconds: second,
          uplinkBitsPerSecond: uplinkBitsPerSecond ?? null,
          downlinkBitsPerSecond: downlinkBitsPerSecond ?? null,
          rttSeconds: rttSeconds ?? null,
        };
      });
      const trace: Trace = {
        rows,
        assumed: [],
        measured: { uplink: true, downlink: true, roundTrip: true },
      };
      const { contexts, assumed } = traceContexts(trace, assumedRttSeconds, {});
      const half = seed % 2 === 1 ? 'choose' : 'report';
      return { name: `${kind} seed ${seed}`, kind: 'seeded', half, contexts, assumed };
    }),
  );
  return [...recorded, ...seeded];
}
