/** A model whose states are too many to hold: each decision is a minimum cut, and min-cut rivals are the oracle. */
import { createPartitioner } from '../../src/core/createPartitioner.js';
import type { Decision } from '../../src/core/decision.js';
import type { StateGraph } from '../../src/core/stateGraph.js';
import { askedOf, traceContexts, walkContexts, type TraceSamples } from './contexts.js';
import { near } from './oracle.js';
import type { ModelJob } from './processMessages.js';
import { race, type Search } from './race.js';
import type { BuildResult, Contender, ModelResult } from './results.js';
import { latencyRivals, ratiosOf } from './rivalRuns.js';
import { noTimings } from './stopwatch.js';

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
  const own: Partial<Record<Contender, Search>> = warmAndCold(partitioner, contexts);
  const { warmUpSeconds, raceSeconds: seconds, repeats } = effort;
  const search = {
    ...noTimings(),
    ...race({ ...own, ...rivals?.searches(problems).searches }, contexts.length, {
      warmUpSeconds,
      seconds,
      repeats,
    }),
  };
  const optimum = (i: number): number => partitioner.decide(contexts[i]!).objectiveValue;
  const judged = rivals === null ? null : ratiosOf(rivals, problems, optimum, near, effort.oracleSeconds);
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
    oracle: rivals === null ? 'none' : 'minimum cuts of DADS, unconstrained, on a sample',
    contexts: contexts.length,
    mismatches: judged?.mismatches['dads'] ?? null,
    build,
    search,
    latencyRatio: judged?.ratios ?? {},
    rivalMismatches: judged?.mismatches ?? {},
    modes: [],
    neighbourEffect: null,
    spared: null,
  };
}

function warmAndCold(
  partitioner: ReturnType<typeof createPartitioner>,
  contexts: Parameters<typeof partitioner.decide>[0][],
): Partial<Record<Contender, Search>> {
  let present: Decision | null = null;
  return {
    gadsWarm: (i) => (present = partitioner.decide(contexts[i]!, present)).objectiveValue,
    gadsCold: (i) => partitioner.decide(contexts[i]!).objectiveValue,
  };
}
