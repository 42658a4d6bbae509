/**
 * The contexts that a model is searched in: seeded random walks, and recorded links at one sample a second.
 *
 * A walk moves the logarithms of the rates, of the slowdowns and of the round trip as first-order autoregressive
 * processes, in units that fit the model (the uplink that carries a mean tensor in a share of the model's time), so that
 * the optimum really moves; one step in 200 jumps. Recorded rates are taken as they are. Three modes:
 *   latency      nothing but the least latency: what the rivals can solve too
 *   constrained  the least latency under one to four bounds
 *   objectives   energy, throughput and weighted sums in turn, under bounds too
 * A bound is drawn where it bites: the requirement lies between the figure of the unbounded optimum and that of
 * another state (drawn at random), so that the optimum mostly breaks it and some cut mostly meets it.
 */
import type { Context, Objective, Requirements } from '../../src/core/context.js';
import { weightedSum } from '../../src/core/features.js';
import { assess, type Problem } from '../../src/core/problem.js';
import type { StateGraph } from '../../src/core/stateGraph.js';
import { createRandom, type Random } from '../../src/demo/random.js';
import { createTraceLink, parseTrace } from '../../src/demo/trace.js';
import type { LinkSample } from '../../src/demo/link.js';
import type { ModeName } from './results.js';

export interface TraceFile {
  readonly name: string;
  readonly text: string;
}

export interface TraceSamples {
  readonly name: string;
  readonly assumed: readonly string[];
  readonly samples: readonly LinkSample[];
}

/** A trace as one sample a second, at most `most` of them. */
export function sampleTrace({ name, text }: TraceFile, most: number): TraceSamples {
  const trace = parseTrace(text);
  const link = createTraceLink(trace, 0);
  const seconds = Math.min(
    most,
    Math.max(1, Math.floor(trace.rows.at(-1)!.atSeconds - trace.rows[0]!.atSeconds)),
  );
  return { name, assumed: trace.assumed, samples: Array.from({ length: seconds }, () => link.advance(1)) };
}

/** Contexts without requirements, in time order. */
export function walkContexts({ graph, tiers }: StateGraph, count: number, seed: number): Context[] {
  const random = createRandom(seed);
  const seconds = tiers.map((tier) => tier.seconds.reduce((sum, s) => sum + s, 0));
  const saved = Math.max(seconds[0]! - seconds.at(-1)!, seconds[0]! * 0.1, 1e-6);
  const meanBytes = graph.tensors.reduce((sum, t) => sum + t.bytes, 0) / graph.tensors.length;
  const baseRate = (8 * Math.max(meanBytes, 1)) / saved;
  const walks = {
    up: walk(random, 0.98, 1.8),
    middle: walk(random, 0.98, 1.2),
    end: walk(random, 0.99, 0.7),
    above: walk(random, 0.99, 0.7),
    rtt: walk(random, 0.98, 1),
  };
  return Array.from({ length: count }, () => {
    const jump = random.uniform() < 1 / 200;
    const now = {
      up: walks.up(jump),
      middle: walks.middle(jump),
      end: walks.end(jump),
      above: walks.above(jump),
      rtt: walks.rtt(jump),
    };
    const hops = tiers.slice(1).map((_, h) => {
      const rate = baseRate * Math.exp(h === 0 ? now.up : 1 + now.middle);
      const rttSeconds = 0.02 * saved * Math.exp(now.rtt);
      return {
        uplinkBitsPerSecond: rate,
        downlinkBitsPerSecond: 4 * rate,
        rttSeconds,
        queueSeconds: rttSeconds / 4,
      };
    });
    const slowdowns = tiers.map((_, t) => ({ slowdown: Math.exp(t === 0 ? now.end : now.above) }));
    return { tiers: slowdowns, hops, power, requirements: {} };
  });
}

const power = { computeWatts: 4, transmitWatts: 1.8, receiveWatts: 1.1, idleWatts: 0.6 };

function walk(random: Random, keep: number, sigma: number): (jump: boolean) => number {
  let x = sigma * random.normal();
  return (jump) => {
    x = jump ? sigma * random.normal() : keep * x + sigma * Math.sqrt(1 - keep * keep) * random.normal();
    return x;
  };
}

/** Contexts of a recorded link; the second hop, where there is one, is a wired gigabit. */
export function traceContexts({ tiers }: StateGraph, { samples }: TraceSamples): Context[] {
  const wired = { uplinkBitsPerSecond: 1e9, downlinkBitsPerSecond: 1e9, rttSeconds: 0.01, queueSeconds: 0 };
  return samples.map((sample) => ({
    tiers: tiers.map(() => ({ slowdown: 1 })),
    hops: tiers.slice(1).map((_, h) => (h === 0 ? { queueSeconds: 0, rttSeconds: 0, ...sample } : wired)),
    power,
    requirements: {},
  }));
}

const objectives: readonly Objective[] = [
  'energy',
  'throughput',
  { perLatencySecond: 1, perEnergyJoule: 0.2 },
  { perLatencySecond: 0.5, perBottleneckSecond: 1 },
];

/** Where bounds are drawn from: a row of features of any cut, and the best cut without bounds. */
export interface BoundSource {
  readonly rowCount: number;
  readonly features: Float64Array;
  readonly best: (problem: Problem) => number;
}

/** Contexts for which requirements stay. */
const keptFor = 25;

export interface Asked {
  readonly context: Context;
  readonly problem: Problem;
}

/** What is asked in a mode, one per context. A deployment keeps its requirements for some contexts. */
export function askedOf(
  mode: ModeName,
  states: StateGraph,
  source: BoundSource | null,
  contexts: readonly Context[],
  seed: number,
): Asked[] {
  const random = createRandom(seed);
  let requirements: Requirements = {};
  return contexts.map((bare, i) => {
    if (mode !== 'latency' && i % keptFor === 0) {
      const objective = mode === 'constrained' ? 'latency' : objectives[(i / keptFor) % objectives.length]!;
      const free = { ...bare, requirements: { objective } };
      requirements = { objective, ...(source === null ? {} : bitingBounds(states, source, free, random)) };
    }
    const context = { ...bare, requirements };
    return { context, problem: assess(context, states.layout, states.facts.maxDepth) };
  });
}

/** Draws until two bounds keep the optimum out, some times at most: next to some optima no cut is better in anything. */
function bitingBounds(
  states: StateGraph,
  source: BoundSource,
  context: Context,
  random: Random,
): Requirements {
  let drawn: Requirements = {};
  for (let attempt = 0; attempt < 8; attempt++) {
    drawn = drawBounds(states, source, context, random);
    const { weightBytes = [], memoryBytes = [], ...single } = drawn;
    const bounds = [...weightBytes, ...memoryBytes, ...Object.values(single)];
    if (bounds.filter((bound) => bound !== undefined).length >= 2) break;
  }
  return drawn;
}

function drawBounds(states: StateGraph, source: BoundSource, context: Context, random: Random): Requirements {
  const { layout, facts } = states;
  const problem = assess(context, layout, facts.maxDepth);
  const optimum = source.best(problem) * layout.length;
  const other = Math.floor(random.uniform() * source.rowCount) * layout.length;
  const row = source.features;
  // Nearer to the other state: mostly met by it alone; the margin lets it be met in the contexts that follow.
  const between = (best: number, alternative: number, margin: number): number | undefined =>
    alternative < best ? alternative + (best - alternative) * random.between(margin, 0.95) : undefined;
  const figure = (offset: number, feature: number): number => row[offset + feature]!;
  const memory = (offset: number, t: number): number =>
    figure(offset, layout.weights + t) + figure(offset, layout.working + t);
  const perTier = (value: (offset: number, t: number) => number): (number | undefined)[] =>
    Array.from({ length: layout.tierCount }, (_, t) => between(value(optimum, t), value(other, t), 0.05));
  const latency = between(
    weightedSum(problem.latency, row, optimum),
    weightedSum(problem.latency, row, other),
    0.3,
  );
  const energy = between(
    weightedSum(problem.energy!, row, optimum),
    weightedSum(problem.energy!, row, other),
    0.3,
  );
  const exposure = between(figure(optimum, layout.exposure), figure(other, layout.exposure), 0.05);
  const depth = exposure === undefined ? undefined : Math.max(0, facts.maxDepth + 1 - Math.floor(exposure));
  return {
    weightBytes: perTier((offset, t) => figure(offset, layout.weights + t)),
    memoryBytes: perTier(memory),
    bytesSent: between(figure(optimum, layout.bytesUp), figure(other, layout.bytesUp), 0.05),
    ...(random.uniform() < 0.5 ? { privacyDepth: depth } : {}),
    ...(random.uniform() < 0.3 ? { energyJoulesPerInference: energy } : {}),
    ...(random.uniform() < 0.3 ? { latencySeconds: latency } : {}),
  };
}
