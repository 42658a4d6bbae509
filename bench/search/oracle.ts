/**
 * The oracle of the benchmark: a scan over the features of all valid cuts, before any pruning, that shares no tree, no
 * dominance and no neighbours with GADS, only the order of preference. Where there are too many cuts to list, minimumCut.ts is the oracle of what is
 * unconstrained. Rows that cannot be better are skipped by zones. The scan
 * itself is held against reading every row, and against core/exhaustive.ts, which costs each cut from its definition, on a sample.
 */
import { blocksOf } from '../../src/core/blocks.js';
import { candidateOf, compareCandidates } from '../../src/core/candidate.js';
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

/** Rows of features, one per cut. */
export type CutRows = Pick<StateRows, 'features' | 'count' | 'width'>;

/** Rows of a zone, and zones of a zone above: small enough to be skipped often, large enough for it to pay. */
const zoneRows = 64;

export class ScanOracle {
  private readonly width: number;
  /**
   * Least of each feature in each run of rows, and in each run of runs: no cut of a zone is better than they are, so
   * a zone whose least is no better, or breaks a bound, is not read (a zone map). Rows stay in the order listed.
   */
  private readonly zones: Float64Array;
  private readonly zonesAbove: Float64Array;

  constructor(readonly rows: CutRows) {
    this.width = rows.width;
    this.zones = leastOf(rows.features, rows.count, rows.width);
    this.zonesAbove = leastOf(this.zones, this.zones.length / rows.width, rows.width);
  }

  /**
   * Row of the best cut: least violation of the bounds in their order, then least objective.
   * @param below a value that some cut within the bounds is said to have, or a little more: zones that are no better are not
   * read. Where no cut has it, all are.
   */
  best(problem: Problem, below = Infinity): number {
    const { zones, zonesAbove, width } = this;
    const { features, count } = this.rows;
    const found = { row: -1, value: below };
    forEachBetter(problem, zonesAbove, 0, zonesAbove.length / width, width, found, (above) => {
      const end = Math.min((above + 1) * zoneRows, zones.length / width);
      forEachBetter(problem, zones, above * zoneRows, end, width, found, (zone) => {
        const last = Math.min((zone + 1) * zoneRows, count);
        forEachBetter(problem, features, zone * zoneRows, last, width, found, (row, value) => {
          found.row = row;
          found.value = value;
        });
      });
    });
    if (found.row >= 0) return found.row;
    return below < Infinity ? this.best(problem) : this.leastViolation(problem);
  }

  /** As `best`, by reading every row: what the zones are held against. */
  bestByRow(problem: Problem): number {
    const found = { row: -1, value: Infinity };
    forEachBetter(problem, this.rows.features, 0, this.rows.count, this.width, found, (row, value) => {
      found.row = row;
      found.value = value;
    });
    return found.row >= 0 ? found.row : this.leastViolation(problem);
  }

  meetsAll(problem: Problem, row: number): boolean {
    return meetsAll(problem, this.rows.features, row * this.width);
  }

  private leastViolation(problem: Problem): number {
    const { features, count } = this.rows;
    let best = { row: 0, ...candidateOf(problem, features, 0) };
    for (let row = 1; row < count; row++) {
      const tried = { row, ...candidateOf(problem, features, row * this.width) };
      if (compareCandidates(tried, best) < 0) best = tried;
    }
    return best.row;
  }
}

/** The least of each column over each `zoneRows` rows. */
function leastOf(rows: Float64Array, count: number, width: number): Float64Array {
  const least = new Float64Array(Math.ceil(count / zoneRows) * width).fill(Infinity);
  for (let row = 0; row < count; row++) {
    const zone = Math.floor(row / zoneRows) * width;
    for (let f = 0; f < width; f++) least[zone + f] = Math.min(least[zone + f]!, rows[row * width + f]!);
  }
  return least;
}

/** Those of `rows` that meet all bounds and are better than what is found when their turn comes. */
function forEachBetter(
  { objective, constraints }: Problem,
  rows: Float64Array,
  first: number,
  end: number,
  width: number,
  found: { readonly value: number },
  take: (row: number, value: number) => void,
): void {
  for (let row = first, offset = first * width; row < end; row++, offset += width) {
    const value = objectiveValue(objective, rows, offset);
    if (value >= found.value) continue;
    if (constraints.some((c) => weightedSum(c.weights, rows, offset) > c.limit)) continue;
    take(row, value);
  }
}

/** Whether a cut, given by its row of features, is within all bounds. */
export function meetsAll({ constraints }: Problem, features: Float64Array, offset: number): boolean {
  return constraints.every((c) => weightedSum(c.weights, features, offset) <= c.limit);
}

/** A little more than the value of an answer: for `best`, which has to find a cut that has it. */
export function justAbove(value: number): number {
  return value + 2e-9 * Math.abs(value) + Number.MIN_VALUE;
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

/**
 * Holds the oracle against reading every row, and against core/exhaustive.ts where there are at most `maxCuts` cuts.
 * @throws Error where they differ in one of `contexts`
 */
export function checkOracle(
  states: StateGraph,
  oracle: ScanOracle,
  contexts: readonly Context[],
  problems: readonly Problem[],
  maxCuts: number,
): void {
  contexts.forEach((context, i) => {
    const problem = problems[i]!;
    const row = oracle.best(problem);
    const value = objectiveValue(problem.objective, oracle.rows.features, row * states.layout.length);
    const isOther = oracle.meetsAll(problem, row) && oracle.best(problem, justAbove(value)) !== row;
    if (isOther || row !== oracle.bestByRow(problem)) {
      throw new Error(`${states.graph.name}: zones and rows name different cuts in context ${i}`);
    }
    if (oracle.rows.count > maxCuts) return;
    const tried = exhaustive(states, context, oracle.rows.count).objectiveValue;
    const isBlocked = tried === Infinity && problem.hopUsable.includes(false);
    if (!isBlocked && !near(value, tried)) {
      throw new Error(
        `${states.graph.name}: the scan says ${value}, trying all cuts ${tried}, in context ${i}`,
      );
    }
  });
}
