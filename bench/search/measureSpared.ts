/** How many searches certificates spare where a link is measured once a second and all else stays. */
import { createPartitioner } from '../../src/core/createPartitioner.js';
import type { Decision } from '../../src/core/decision.js';
import { featureLayout } from '../../src/core/features.js';
import { objectiveValue } from '../../src/core/objective.js';
import { assess } from '../../src/core/problem.js';
import type { StateGraph } from '../../src/core/stateGraph.js';
import { traceContexts, type TraceSamples } from './contexts.js';
import { near, type ScanOracle } from './oracle.js';
import { Stopwatch } from './stopwatch.js';
import type { Spared } from './results.js';

/**
 * Each trace is a deployment of its own. Null without traces.
 * @param checkSeconds decisions are held against the oracle for so long
 */
export function measureSpared(
  states: StateGraph,
  oracle: ScanOracle,
  traces: readonly TraceSamples[],
  checkSeconds: number,
): Spared | null {
  if (traces.length === 0) return null;
  const layout = featureLayout(states.tiers.length);
  const watch = new Stopwatch(0);
  watch.nextRepeat();
  let decisions = 0;
  let withoutSearch = 0;
  let checked = 0;
  let mismatches = 0;
  const limit = performance.now() + checkSeconds * 1e3;
  for (const trace of traces) {
    const partitioner = createPartitioner(states);
    let present: Decision | null = null;
    for (const context of traceContexts(states, trace)) {
      const start = process.hrtime.bigint();
      present = partitioner.decide(context, present);
      watch.add(Number(process.hrtime.bigint() - start));
      decisions++;
      if (present.certified) withoutSearch++;
      if (performance.now() > limit) continue;
      checked++;
      const problem = assess(context, layout, states.facts.maxDepth);
      const best = objectiveValue(
        problem.objective,
        oracle.rows.features,
        oracle.best(problem) * layout.length,
      );
      if (!near(best, present.objectiveValue)) mismatches++;
    }
  }
  return { decisions, withoutSearch, checked, mismatches, decide: watch.timing()! };
}
