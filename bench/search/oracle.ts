/**
 * The oracle of the benchmark: a scan over the features of all valid cuts, before any pruning, that shares no tree, no
 * dominance and no neighbours with GADS. Where there are too many cuts to list, minimum cuts are the oracle of what is
 * unconstrained. The scan itself is held against core/exhaustive.ts, which costs each cut from its definition, on a sample.
 */
import { blocksOf } from '../../src/core/blocks.js';
import type { Context } from '../../src/core/context.js';
import { exhaustive } from '../../src/core/exhaustive.js';
import { weightedSum } from '../../src/core/features.js';
import { objectiveValue } from '../../src/core/objective.js';
import type { Problem } from '../../src/core/problem.js';
import { rawEncoding } from '../../src/core/encoding.js';
import type { StateGraph } from '../../src/core/stateGraph.js';
import { StateRows } from '../../src/core/stateRows.js';
import { enumerateBlock } from '../../src/core/states.js';

/** All valid cuts as rows of features; null where there are more than `maxCuts`. */
export function allCuts(
  { graph, tiers, topology, facts, layout }: StateGraph,
  maxCuts: number,
): StateRows | null {
  const rows = new StateRows(layout.length, graph.layers.length, layout.hopCount);
  const seconds = tiers.map((tier) => tier.seconds);
  const input = { graph, topology, facts, layout, seconds, encoding: rawEncoding(graph) };
  const blocks = tiers.length === 2 ? blocksOf(topology) : [{ prefix: 0, end: graph.layers.length }];
  for (const block of blocks) if (!enumerateBlock(input, block, rows, maxCuts)) return null;
  return rows;
}

export class ScanOracle {
  private readonly width: number;

  constructor(readonly rows: StateRows) {
    this.width = rows.width;
  }

  /** Row of the best cut: least violation of the bounds in their order, then least objective. */
  best(problem: Problem): number {
    const { objective, constraints } = problem;
    let best = -1;
    let least = Infinity;
    const { features, count } = this.rows;
    for (let row = 0, offset = 0; row < count; row++, offset += this.width) {
      const value = objectiveValue(objective, features, offset);
      if (value >= least) continue;
      if (constraints.some((c) => weightedSum(c.weights, features, offset) > c.limit)) continue;
      best = row;
      least = value;
    }
    return best >= 0 ? best : this.leastViolation(problem);
  }

  meetsAll({ constraints }: Problem, row: number): boolean {
    const { features } = this.rows;
    return constraints.every((c) => weightedSum(c.weights, features, row * this.width) <= c.limit);
  }

  private leastViolation({ objective, constraints }: Problem): number {
    const { features, count } = this.rows;
    let best = 0;
    for (let row = 1; row < count; row++) {
      let difference = 0;
      for (let c = 0; c < constraints.length && difference === 0; c++) {
        const { weights, limit } = constraints[c]!;
        const own = Math.max(0, weightedSum(weights, features, row * this.width) - limit);
        difference = own - Math.max(0, weightedSum(weights, features, best * this.width) - limit);
      }
      if (difference === 0) {
        difference =
          objectiveValue(objective, features, row * this.width) -
          objectiveValue(objective, features, best * this.width);
      }
      if (difference < 0) best = row;
    }
    return best;
  }
}

/** Equal at 1e-9 relative. */
export function near(a: number, b: number): boolean {
  return a === b || Math.abs(a - b) <= 1e-9 * Math.max(Math.abs(a), Math.abs(b));
}

/** Whether two cuts, given by rows of features, are equally good answers. */
export function equallyGood(
  { objective, constraints }: Problem,
  a: Float64Array,
  offsetA: number,
  b: Float64Array,
  offsetB: number,
): boolean {
  for (const { weights, limit } of constraints) {
    const valueA = weightedSum(weights, a, offsetA);
    const valueB = weightedSum(weights, b, offsetB);
    // A bound that both meet, by whatever, or break by the same.
    if (valueA <= limit && valueB <= limit) continue;
    if (!near(Math.max(valueA, limit), Math.max(valueB, limit))) return false;
  }
  return near(objectiveValue(objective, a, offsetA), objectiveValue(objective, b, offsetB));
}

/** @throws Error where the scan and core/exhaustive.ts differ in one of `contexts` */
export function checkOracle(
  states: StateGraph,
  oracle: ScanOracle,
  contexts: readonly Context[],
  problems: readonly Problem[],
): void {
  contexts.forEach((context, i) => {
    const problem = problems[i]!;
    const row = oracle.best(problem);
    const scanned = objectiveValue(problem.objective, oracle.rows.features, row * states.layout.length);
    const tried = exhaustive(states, context, oracle.rows.count).objectiveValue;
    const isBlocked = tried === Infinity && problem.hopUsable.includes(false);
    if (!isBlocked && !near(scanned, tried)) {
      throw new Error(
        `${states.graph.name}: the scan says ${scanned}, trying all cuts ${tried}, in context ${i}`,
      );
    }
  });
}
