/** How many searches certificates spare where a link is measured once a second and all else stays. */
import type { Context } from '../../src/core/context.js';
import { createPartitioner } from '../../src/core/createPartitioner.js';
import type { Decision } from '../../src/core/decision.js';
import { objectiveValue } from '../../src/core/objective.js';
import { assess } from '../../src/core/problem.js';
import type { StateGraph } from '../../src/core/stateGraph.js';
import { traceContexts, type TraceSamples } from './contexts.js';
import { justAbove, near, type ScanOracle } from './oracle.js';
import { spreadStride, Stopwatch } from './stopwatch.js';
import type { Spared } from './results.js';

interface Decided {
  readonly context: Context;
  readonly value: number;
  readonly certified: boolean;
}

/**
 * Each trace is a deployment of its own. Null without traces.
 * @param checkSeconds every decision is held against the oracle, for so long at most
 */
export function measureSpared(
  states: StateGraph,
  oracle: ScanOracle,
  traces: readonly TraceSamples[],
  checkSeconds: number,
): Spared | null {
  if (traces.length === 0) return null;
  const watch = new Stopwatch(0);
  watch.nextRepeat();
  const decided: Decided[] = [];
  for (const trace of traces) {
    const partitioner = createPartitioner(states);
    let present: Decision | null = null;
    for (const context of traceContexts(states, trace)) {
      const start = process.hrtime.bigint();
      present = partitioner.decide(context, present);
      watch.add(Number(process.hrtime.bigint() - start));
      decided.push({ context, value: present.objectiveValue, certified: present.certified });
    }
  }
  return {
    decisions: decided.length,
    withoutSearch: decided.filter(({ certified }) => certified).length,
    ...judge(states, oracle, decided, checkSeconds),
    decide: watch.timing()!,
  };
}

/** All decisions, in an order that spreads those that the time leaves out over all traces. */
function judge(
  { layout, facts }: StateGraph,
  oracle: ScanOracle,
  decided: readonly Decided[],
  seconds: number,
): Pick<Spared, 'checked' | 'mismatches'> {
  const limit = performance.now() + seconds * 1e3;
  const stride = spreadStride(decided.length);
  const found = { checked: 0, mismatches: 0 };
  for (let i = 0; found.checked < decided.length && performance.now() < limit; found.checked++) {
    const { context, value } = decided[i]!;
    const problem = assess(context, layout, facts.maxDepth);
    const best = oracle.best(problem, justAbove(value)) * layout.length;
    if (!near(objectiveValue(problem.objective, oracle.rows.features, best), value)) found.mismatches++;
    i = (i + stride) % decided.length;
  }
  return found;
}
