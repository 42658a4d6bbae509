/**
 * What devices say over time, as the text of telemetry frames behind their sequence. Half of the links are recorded ones,
 * the others seeded random walks around the rate at which the cut of the model moves; where there are no recordings all
 * are walks. The world does not go faster where devices speak more often: a second of a walk is a second of the clock.
 */
import { createRandom, type Random } from '../../src/demo/random.js';
import { createTraceLink, parseTrace, type Trace } from '../../src/demo/trace.js';

/** The text of the fields of one frame after its sequence, step by step. */
export type Walk = readonly string[];

export interface WalkPool {
  /** For end devices, by model. */
  readonly ends: readonly (readonly Walk[])[];
  readonly edges: readonly Walk[];
}

/** Time from one step of a walk to the next: as often as devices speak under the highest load. */
export const stepSeconds = 0.25;
const walksPerModel = 48;
const steps = 600;

/**
 * @param baseRates bit/s around which the links of each model move
 * @param traces texts of recordings
 */
export function createWalks(baseRates: readonly number[], traces: readonly string[], seed: number): WalkPool {
  const random = createRandom(seed);
  const recordings = traces.map(parseTrace);
  return {
    ends: baseRates.map((base) =>
      Array.from({ length: walksPerModel }, (_, w) => {
        const recording = w % 2 === 0 ? recordings[(w / 2) % Math.max(1, recordings.length)] : undefined;
        return endWalk(
          recording === undefined ? wandering(base, random) : replayed(recording, random),
          random,
        );
      }),
    ),
    edges: Array.from({ length: walksPerModel }, () => edgeWalk(random)),
  };
}

interface LinkStep {
  readonly up: number | undefined;
  readonly down: number | undefined;
  readonly rtt: number | undefined;
}

/** A first-order autoregressive process around 0. @param keepPerSecond what is left of a value after a second */
function wander(random: Random, keepPerSecond: number, sigma: number): () => number {
  const keep = keepPerSecond ** stepSeconds;
  let x = sigma * random.normal();
  return () => (x = keep * x + sigma * Math.sqrt(1 - keep * keep) * random.normal());
}

function wandering(base: number, random: Random): () => LinkStep {
  const rate = wander(random, 0.97, 1.2);
  const rtt = wander(random, 0.97, 0.6);
  return () => {
    const up = base * Math.exp(rate());
    return { up, down: 4 * up, rtt: 0.02 * Math.exp(rtt()) };
  };
}

function replayed(trace: Trace, random: Random): () => LinkStep {
  const link = createTraceLink(trace, random.uniform() * 1e4);
  return () => {
    const { uplinkBitsPerSecond, downlinkBitsPerSecond, rttSeconds } = link.advance(stepSeconds);
    return { up: uplinkBitsPerSecond, down: downlinkBitsPerSecond, rtt: rttSeconds };
  };
}

function endWalk(link: () => LinkStep, random: Random): Walk {
  const load = wander(random, 0.95, 0.8);
  const temperature = wander(random, 0.99, 6);
  let level = random.between(0.3, 1);
  return Array.from({ length: steps }, () => {
    const { up, down, rtt } = link();
    level = Math.max(0.05, level - 0.0002 * stepSeconds);
    return fields({
      uplinkBitsPerSecond: up === undefined ? undefined : Math.round(up),
      downlinkBitsPerSecond: down === undefined ? undefined : Math.round(down),
      rttSeconds: rtt === undefined ? undefined : rounded(rtt, 5),
      cpuLoad: rounded(share(load()), 3),
      freeMemoryBytes: 1_500_000_000 + 4096 * Math.round(random.uniform() * 10_000),
      battery: { level: rounded(level, 4), charging: false },
      temperatureCelsius: rounded(45 + temperature(), 1),
    });
  });
}

function edgeWalk(random: Random): Walk {
  const load = wander(random, 0.95, 0.8);
  const queue = wander(random, 0.9, 2);
  const service = wander(random, 0.95, 0.0006);
  return Array.from({ length: steps }, () =>
    fields({
      cpuLoad: rounded(share(load()), 3),
      freeMemoryBytes: 16_000_000_000 + 4096 * Math.round(random.uniform() * 100_000),
      queueLength: Math.max(0, Math.round(queue())),
      meanServiceSeconds: rounded(Math.max(0.002, 0.005 + service()), 5),
    }),
  );
}

/** Between 0 and 0.9. */
const share = (x: number): number => 0.9 / (1 + Math.exp(1 - x));
const rounded = (value: number, digits: number): number => Number(value.toFixed(digits));
const fields = (values: object): string => JSON.stringify(values).slice(1);
