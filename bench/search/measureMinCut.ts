/** A model whose states are too many to hold: each decision is a minimum cut, and one of another network judges it. */
import { createPartitioner } from '../../src/core/createPartitioner.js';
import type { Context } from '../../src/core/context.js';
import type { Decision } from '../../src/core/decision.js';
import type { StateGraph } from '../../src/core/stateGraph.js';
import type { Partitioner } from '../../src/core/partitioner.js';
import { askedOf, traceContexts, walkContexts, type Asked, type TraceSamples } from './contexts.js';
import { MinimumCut } from './minimumCut.js';
import { near } from './oracle.js';
import type { ModelJob } from './processMessages.js';
import { race, type Search } from './race.js';
import type { BuildResult, ModelResult, ModeResult } from './results.js';
import { latencyRivals, ratiosOf } from './rivalRuns.js';
import { noTimings, spreadStride, visitedOf } from './stopwatch.js';

export function measureMinCut(
  { name, source, tiers, effort }: ModelJob,
  states: StateGraph,
  build: BuildResult,
  traces: readonly TraceSamples[],
  maxStates: number,
): ModelResult {
  const partitioner = createPartitioner(states);
  const contexts = [
    ...walkContexts(states, effort.contexts, 12),
    ...traces.flatMap((trace) => traceContexts(states, trace)),
  ];
  const asked = askedOf('latency', states, null, contexts, 13);
  const problems = asked.map((a) => a.problem);
  const rivals = tiers === 2 ? latencyRivals(states) : null;
  const own = new WarmAndCold(partitioner, contexts);
  const { warmUpSeconds, raceSeconds: seconds, repeats } = effort;
  const search = {
    ...noTimings(),
    ...race({ ...own.searches, ...rivals?.searches(problems).searches }, contexts.length, {
      warmUpSeconds,
      seconds,
      repeats,
    }),
  };
  const optimum = (i: number): number => partitioner.decide(contexts[i]!).objectiveValue;
  const judged = judge(states, partitioner, asked, effort.cutOracleSeconds);
  const ratios = rivals === null ? null : ratiosOf(rivals, problems, optimum, near, effort.oracleSeconds);
  return {
    name,
    source,
    tiers,
    layers: states.graph.layers.length,
    rawCuts: maxStates,
    rawCutsAtLeast: true,
    states: 0,
    neighbours: 0,
    algorithm: 'min-cut',
    oracle: 'one minimum cut of another network, mode latency',
    contexts: contexts.length,
    mismatches: judged.mismatches,
    build,
    search,
    latencyRatio: ratios?.ratios ?? {},
    rivalMismatches: ratios?.mismatches ?? {},
    modes: [
      {
        mode: 'latency',
        contexts: contexts.length,
        ...judged,
        gadsWarm: search.gadsWarm!,
        gadsCold: search.gadsCold!,
        scan: null,
        visited: { warm: visitedOf(own.visitedWarm), cold: visitedOf(own.visitedCold) },
      },
    ],
    neighbourEffect: null,
    spared: null,
  };
}

/** Decisions against the oracle, spread evenly: exact ones have to be the optimum, others within their gap of it. */
function judge(
  states: StateGraph,
  partitioner: Partitioner,
  asked: readonly Asked[],
  seconds: number,
): Pick<ModeResult, 'mismatches' | 'checked' | 'constraintsActive' | 'infeasible'> {
  const oracle = new MinimumCut(states);
  const stride = spreadStride(asked.length);
  const limit = performance.now() + seconds * 1e3;
  let checked = 0;
  let mismatches = 0;
  for (let i = 0; checked < asked.length && (checked === 0 || performance.now() < limit); checked++) {
    const { context, problem } = asked[i]!;
    const { objectiveValue, optimality } = partitioner.decide(context);
    const least = oracle.least(problem);
    const most = optimality.kind === 'exact' ? least : least * (1 + (optimality.gap ?? Infinity));
    const isWithin = objectiveValue >= least && objectiveValue <= most;
    if (!isWithin && !near(objectiveValue, least)) mismatches++;
    i = (i + stride) % asked.length;
  }
  return { mismatches, checked, constraintsActive: 0, infeasible: 0 };
}

/** Both ways to ask, and what each search looked at. */
class WarmAndCold {
  readonly visitedWarm: number[] = [];
  readonly visitedCold: number[] = [];
  private present: Decision | null = null;

  constructor(
    private readonly partitioner: Partitioner,
    private readonly contexts: readonly Context[],
  ) {}

  get searches(): Record<'gadsWarm' | 'gadsCold', Search> {
    const { partitioner, contexts, visitedWarm, visitedCold } = this;
    return {
      gadsWarm: (i) => {
        this.present = partitioner.decide(contexts[i]!, this.present);
        visitedWarm.push(this.present.statesVisited);
        return this.present.objectiveValue;
      },
      gadsCold: (i) => {
        const { objectiveValue, statesVisited } = partitioner.decide(contexts[i]!);
        visitedCold.push(statesVisited);
        return objectiveValue;
      },
    };
  }
}
