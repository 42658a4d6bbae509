/** All that is measured of one model: build, answers against the oracle, searches against the rivals, neighbours, certificates. */
import { Gads } from '../../src/core/gads.js';
import { neighboursOf, type Neighbours } from '../../src/core/neighbours.js';
import { objectiveValue } from '../../src/core/objective.js';
import { StateScan } from '../../src/core/rivals/stateScan.js';
import type { HeldStates, StateGraph } from '../../src/core/stateGraph.js';
import {
  askedOf,
  sampleTrace,
  traceContexts,
  walkContexts,
  type Asked,
  type BoundSource,
  type TraceSamples,
} from './contexts.js';
import { measureBuild } from './measureBuild.js';
import { measureMinCut } from './measureMinCut.js';
import { measureSpared } from './measureSpared.js';
import { neighbourEffect } from './neighbourEffect.js';
import { allCuts, checkOracle, equallyGood, justAbove, meetsAll, near, ScanOracle } from './oracle.js';
import { partitionInput } from './partitionInput.js';
import type { ModelJob } from './processMessages.js';
import { race, touchProblem, type Search } from './race.js';
import type { Contender, ModelResult, ModeName, ModeResult } from './results.js';
import { latencyRivals, ratiosOf, type LatencyRivals } from './rivalRuns.js';
import { noTimings, spreadStride, visitedOf } from './stopwatch.js';

const seeds = { tiers: 11, walk: 12, bounds: 13 } as const;
/** Contexts in which the oracle itself is held against trying all cuts, where these are few. */
const oracleSample = { contexts: 3, maxCuts: 1000 } as const;

interface Answers {
  readonly optima: Int32Array;
  readonly visited: { readonly warm: number[]; readonly cold: number[] };
}

export function measureModel(job: ModelJob): ModelResult {
  const { effort, tiers } = job;
  const maxStates = tiers === 2 ? effort.maxStates.two : effort.maxStates.three;
  const input = partitionInput(job.graph, job.seconds, tiers, seeds.tiers);
  const { states, build } = measureBuild(input, maxStates);
  const traces = job.traces.map((trace) => sampleTrace(trace, effort.traceSamples));
  if (states.held === null) return measureMinCut(job, states, build, traces, maxStates);
  return new HeldModel(job, states, states.held, traces).result(build);
}

class HeldModel {
  private readonly oracle: ScanOracle;
  private readonly bounds: BoundSource;
  private readonly edges: Neighbours;
  private readonly rivals: LatencyRivals | null;
  private readonly modes: ModeResult[] = [];
  private search: ModelResult['search'] | null = null;
  private latency: ModelResult['latencyRatio'] = {};
  private rivalMismatches: Record<string, number> = {};
  private effect: ModelResult['neighbourEffect'] = null;

  constructor(
    private readonly job: ModelJob,
    private readonly states: StateGraph,
    private readonly held: HeldStates,
    private readonly traces: readonly TraceSamples[],
  ) {
    const rows = allCuts(states, held.rawCount);
    if (rows === null || rows.count !== held.rawCount)
      throw new Error('the cuts of the oracle are not those of the build');
    this.oracle = new ScanOracle(rows);
    this.bounds = {
      rowCount: rows.count,
      features: rows.features,
      best: (problem) => this.oracle.best(problem),
    };
    this.edges = neighboursOf(states);
    this.rivals = job.tiers === 2 ? latencyRivals(states) : null;
  }

  result(build: ModelResult['build']): ModelResult {
    const { job, states, held } = this;
    const walks = walkContexts(states, job.effort.contexts, seeds.walk);
    const recorded = this.traces.flatMap((trace) => traceContexts(states, trace));
    for (const mode of ['latency', 'constrained', 'objectives'] as const) {
      const asked = askedOf(mode, states, this.bounds, [...walks, ...recorded], seeds.bounds);
      this.measureMode(mode, asked, walks.length);
    }
    return {
      name: job.name,
      source: job.source,
      tiers: job.tiers,
      layers: states.graph.layers.length,
      rawCuts: held.rawCount,
      rawCutsAtLeast: false,
      states: held.count,
      neighbours: this.edges.neighbours.length,
      algorithm: 'gads',
      oracle: `scan of all ${held.rawCount} cuts`,
      contexts: this.modes.reduce((sum, mode) => sum + mode.contexts, 0),
      mismatches: this.modes.reduce((sum, mode) => sum + mode.mismatches, 0),
      build,
      search: this.search!,
      latencyRatio: this.latency,
      rivalMismatches: this.rivalMismatches,
      modes: this.modes,
      neighbourEffect: this.effect,
      spared: measureSpared(states, this.oracle, this.traces, job.effort.oracleSeconds),
    };
  }

  private measureMode(mode: ModeName, asked: readonly Asked[], walked: number): void {
    const { states, held, oracle, job } = this;
    const { effort } = job;
    const step = Math.floor(asked.length / oracleSample.contexts);
    const sample = asked.filter((_, i) => i % step === 0);
    checkOracle(
      states,
      oracle,
      sample.map((a) => a.context),
      sample.map((a) => a.problem),
      oracleSample.maxCuts,
    );
    const answers = this.answer(asked);
    const judged = this.judge(asked, answers.optima);
    const timings = this.raceMode(mode, asked, answers.optima);
    if (mode === 'latency') {
      const problems = asked.map((a) => a.problem);
      const half = effort.neighbourSeconds / 2;
      this.effect = {
        walks: neighbourEffect(
          held,
          this.edges,
          problems.slice(0, walked),
          answers.optima.subarray(0, walked),
          half,
        ),
        traces:
          asked.length > walked
            ? neighbourEffect(held, this.edges, problems.slice(walked), answers.optima.subarray(walked), half)
            : null,
      };
    }
    const { warm, cold } = answers.visited;
    this.modes.push({
      mode,
      contexts: asked.length,
      ...judged,
      gadsWarm: timings.gadsWarm!,
      gadsCold: timings.gadsCold!,
      scan: timings.scan,
      visited: { warm: visitedOf(warm), cold: visitedOf(cold) },
    });
  }

  /** Untimed: the answers from the state before, checked to be as good as those from nowhere. */
  private answer(asked: readonly Asked[]): Answers {
    const { held } = this;
    const gads = new Gads(held);
    const optima = new Int32Array(asked.length);
    const visited = { warm: [] as number[], cold: [] as number[] };
    const width = this.states.layout.length;
    let present = -1;
    asked.forEach(({ problem }, i) => {
      gads.visited = 0;
      present = gads.decide(problem, present);
      visited.warm.push(gads.visited);
      gads.visited = 0;
      const cold = gads.decide(problem, -1);
      visited.cold.push(gads.visited);
      if (!equallyGood(problem, held.features, present * width, held.features, cold * width)) {
        throw new Error(
          `context ${i}: warm and cold searches end at states ${present} and ${cold} of unequal value`,
        );
      }
      optima[i] = present;
    });
    return { optima, visited };
  }

  private judge(
    asked: readonly Asked[],
    optima: Int32Array,
  ): Pick<ModeResult, 'mismatches' | 'checked' | 'constraintsActive' | 'infeasible'> {
    const { oracle, held, job } = this;
    const width = this.states.layout.length;
    const limit = performance.now() + job.effort.oracleSeconds * 1e3;
    // Spread evenly, so that what the time leaves out is of every kind.
    const stride = spreadStride(asked.length);
    const found = { mismatches: 0, checked: 0, constraintsActive: 0, infeasible: 0 };
    for (
      let n = 0, i = 0;
      n < asked.length && performance.now() < limit;
      n++, i = (i + stride) % asked.length
    ) {
      const { problem } = asked[i]!;
      const answer = optima[i]! * width;
      const value = objectiveValue(problem.objective, held.features, answer);
      const below = meetsAll(problem, held.features, answer) ? justAbove(value) : Infinity;
      const best = oracle.best(problem, below);
      found.checked++;
      if (!equallyGood(problem, oracle.rows.features, best * width, held.features, answer))
        found.mismatches++;
      if (problem.constraints.length === 0) continue;
      const { features } = oracle.rows;
      const free = oracle.best({ ...problem, constraints: [] }, below);
      if (!equallyGood(problem, features, best * width, features, free * width)) found.constraintsActive++;
      if (!oracle.meetsAll(problem, best)) found.infeasible++;
    }
    return found;
  }

  private raceMode(
    mode: ModeName,
    asked: readonly Asked[],
    optima: Int32Array,
  ): Record<Contender, ReturnType<typeof race>[string]> {
    const { held, rivals, job } = this;
    const gads = new Gads(held);
    const scan = new StateScan(held);
    let present = -1;
    const own: Partial<Record<Contender, Search>> = {
      gadsWarm: (i) => (present = gads.decide(asked[i]!.problem, present)),
      gadsCold: (i) => gads.decide(asked[i]!.problem, -1),
      scan: (i) => scan.decide(asked[i]!.problem),
    };
    const { warmUpSeconds, raceSeconds: seconds, repeats } = job.effort;
    const problems = asked.map((a) => a.problem);
    const against = mode === 'latency' && rivals !== null ? rivals.searches(problems) : null;
    const touch: Search = (i) => touchProblem(problems[i]!) + (against?.touch(i) ?? 0);
    const timings = {
      ...noTimings(),
      ...race({ ...own, ...against?.searches }, asked.length, { warmUpSeconds, seconds, repeats }, touch),
    };
    if (mode === 'latency') {
      this.search = timings;
      if (rivals !== null) {
        const optimum = (i: number): number =>
          objectiveValue(problems[i]!.objective, held.features, optima[i]! * this.states.layout.length);
        const { ratios, mismatches } = ratiosOf(rivals, problems, optimum, near, job.effort.oracleSeconds);
        this.latency = ratios;
        this.rivalMismatches = mismatches;
      }
    }
    return timings;
  }
}
