/** Why a search takes the time that it takes: the same searches over and over, sampled by the engine's profiler. */
import { Session } from 'node:inspector/promises';
import { Gads } from '../../src/core/gads.js';
import { buildStateGraph } from '../../src/core/stateGraph.js';
import { summarise } from '../profileSummary.js';
import { askedOf, sampleTrace, traceContexts, walkContexts, type Asked } from './contexts.js';
import { allCuts, ScanOracle } from './oracle.js';
import { partitionInput } from './partitionInput.js';
import type { ProfileJob } from './processMessages.js';
import type { Search } from './race.js';
import type { ProfileResult } from './results.js';

const seeds = { tiers: 11, walk: 12, bounds: 13 } as const;
/** Of the searches under bounds those that looked at most nodes: what p99 is made of. */
const slowestShare = 0.01;
const intervalMicroseconds = 100;
const shownFunctions = 8;

/** One search again, from where it began. */
interface Again extends Asked {
  readonly present: number;
  readonly visited: number;
}

/** @throws Error where the states are too many to hold */
export async function measureProfile(job: ProfileJob): Promise<ProfileResult> {
  const { effort, name, tiers } = job;
  const maxStates = tiers === 2 ? effort.maxStates.two : effort.maxStates.three;
  const states = buildStateGraph(partitionInput(job.graph, job.seconds, tiers, seeds.tiers), maxStates);
  const { held } = states;
  if (held === null) throw new Error(`${name}: too many states to hold`);
  const contexts = [
    ...walkContexts(states, effort.contexts, seeds.walk),
    ...job.traces.flatMap((trace) => traceContexts(states, sampleTrace(trace, effort.traceSamples))),
  ];
  const cuts = allCuts(states, held.rawCount)!;
  const oracle = new ScanOracle(cuts);
  const source = {
    rowCount: cuts.count,
    features: cuts.features,
    best: (problem: Asked['problem']) => oracle.best(problem),
  };
  const gads = new Gads(held);
  const made = (['constrained', 'objectives'] as const).flatMap((mode) =>
    searchesOf(gads, askedOf(mode, states, source, contexts, seeds.bounds)),
  );
  const slowest = made.sort((a, b) => b.visited - a.visited).slice(0, Math.ceil(slowestShare * made.length));
  const search: Search = (i) => gads.decide(slowest[i]!.problem, slowest[i]!.present);
  return {
    name,
    tiers,
    contexts: slowest.length,
    visited: slowest.reduce((sum, { visited }) => sum + visited, 0) / slowest.length,
    ...(await sample(search, slowest.length, job.profileSeconds)),
  };
}

function searchesOf(gads: Gads, asked: readonly Asked[]): Again[] {
  let present = -1;
  return asked.map((one) => {
    const from = present;
    gads.visited = 0;
    present = gads.decide(one.problem, from);
    return { ...one, present: from, visited: gads.visited };
  });
}

/** Searches in the contexts 0 … count - 1 in turn for so many seconds, after half as long unwatched. */
async function sample(
  search: Search,
  count: number,
  seconds: number,
): Promise<Pick<ProfileResult, 'meanUs' | 'functions'>> {
  const { meanUs } = repeat(search, count, seconds / 2);
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.setSamplingInterval', { interval: intervalMicroseconds });
  await session.post('Profiler.start');
  repeat(search, count, seconds);
  const { profile } = await session.post('Profiler.stop');
  session.disconnect();
  const { functions } = summarise(profile);
  return { meanUs, functions: functions.slice(0, shownFunctions) };
}

function repeat(search: Search, count: number, seconds: number): { readonly meanUs: number; sum: number } {
  const start = performance.now();
  let sum = 0;
  let made = 0;
  do {
    for (let i = 0; i < count; i++) sum += search(i);
    made += count;
  } while (performance.now() - start < seconds * 1e3);
  return { meanUs: (1e3 * (performance.now() - start)) / made, sum };
}
