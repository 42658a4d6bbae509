/**
 * A problem laid out for the inner loop of a search, in flat arrays that are filled anew for each search and never
 * allocated there. Values are those of `objectiveValue` and `weightedSum` to the last bit: the same terms in the same
 * order, but for terms that are 0.
 */
import { noColumn } from './boundedColumns.js';
import type { FeatureLayout } from './features.js';
import type { Constraint, ObjectiveFunction } from './problem.js';
import type { SearchRows } from './searchRows.js';

/** Bounds of one problem: one per column at most, and sums. */
const maxColumns = 32;
export const maxSums = 4;

export class SearchProblem {
  readonly pricedWidth: number;
  private readonly hasTwoTiers: boolean;
  private readonly weights: Float64Array;
  private column = noColumn;
  private stageWeight = 0;
  private stageCount = 0;
  /** What `findSlowestStage` has found, seconds; not returned, since that would be allocated. */
  private slowestStage = 0;
  private readonly stageFeatures: Int32Array;
  private readonly stageSeconds: Float64Array;
  private columnCount = 0;
  private readonly columns = new Int32Array(maxColumns);
  private readonly columnLimits = new Float64Array(maxColumns);
  private sumCount = 0;
  private readonly sums: readonly Float64Array[];
  private readonly sumLimits = new Float64Array(maxSums);

  /** Values from here on are of no interest. A field, since a number handed to a call that is not inlined is allocated. */
  limit = Infinity;

  /** @param boundedWidth columns of the bounded rows */
  constructor(
    layout: FeatureLayout,
    private readonly boundedWidth: number,
  ) {
    this.pricedWidth = layout.weights;
    this.hasTwoTiers = layout.tierCount === 2;
    this.weights = new Float64Array(this.pricedWidth);
    this.stageFeatures = new Int32Array(this.pricedWidth);
    this.stageSeconds = new Float64Array(this.pricedWidth);
    this.sums = Array.from({ length: maxSums }, () => new Float64Array(this.pricedWidth));
  }

  /** @throws RangeError where there are more bounds than there is room for */
  pack(objective: ObjectiveFunction, constraints: readonly Constraint[]): void {
    this.limit = Infinity;
    this.column = objective.column;
    this.stageWeight = objective.stageWeight;
    this.stageCount = 0;
    for (let f = 0; f < this.pricedWidth; f++) {
      this.weights[f] = objective.linear[f]!;
      const seconds = objective.stages[f]!;
      if (this.stageWeight === 0 || seconds === 0) continue;
      this.stageFeatures[this.stageCount] = f;
      this.stageSeconds[this.stageCount++] = seconds;
    }
    this.columnCount = 0;
    this.sumCount = 0;
    for (let c = 0; c < constraints.length; c++) this.bound(constraints[c]!);
  }

  private bound({ column, weights, limit }: Constraint): void {
    if (column !== noColumn) {
      if (this.columnCount === maxColumns) throw new RangeError(`more than ${maxColumns} bounds`);
      this.columns[this.columnCount] = column;
      this.columnLimits[this.columnCount++] = limit;
      return;
    }
    if (this.sumCount === maxSums) throw new RangeError(`more than ${maxSums} bounds on sums`);
    const sum = this.sums[this.sumCount]!;
    for (let f = 0; f < this.pricedWidth; f++) sum[f] = weights[f]!;
    this.sumLimits[this.sumCount++] = limit;
  }

  /**
   * The objective in rows `first` … `end` - 1, written to `values` from 0 on; Infinity where it is not below `limit` or a
   * bound is broken.
   */
  evaluate(rows: SearchRows, first: number, end: number, values: Float64Array): void {
    if (this.column !== noColumn) this.evaluateColumn(rows, first, end, values);
    else if (this.hasTwoTiers) this.evaluateTwoTiers(rows, first, end, values);
    else this.evaluateThreeTiers(rows, first, end, values);
  }

  private evaluateTwoTiers(rows: SearchRows, first: number, end: number, values: Float64Array): void {
    const { weights, stageCount, limit } = this;
    const { priced } = rows;
    const a = weights[0]!;
    const b = weights[1]!;
    const c = weights[2]!;
    const d = weights[3]!;
    const e = weights[4]!;
    for (let row = first, o = first * 5, to = 0; row < end; row++, o += 5, to++) {
      let value =
        a * priced[o]! + b * priced[o + 1]! + c * priced[o + 2]! + d * priced[o + 3]! + e * priced[o + 4]!;
      if (stageCount > 0 && value < limit) {
        this.findSlowestStage(priced, o);
        value += this.stageWeight * this.slowestStage;
      }
      values[to] = value < limit && this.meets(rows, row) ? value : Infinity;
    }
  }

  private evaluateThreeTiers(rows: SearchRows, first: number, end: number, values: Float64Array): void {
    const { weights, stageCount, limit } = this;
    const { priced } = rows;
    const a = weights[0]!;
    const b = weights[1]!;
    const c = weights[2]!;
    const d = weights[3]!;
    const e = weights[4]!;
    const f = weights[5]!;
    const g = weights[6]!;
    const h = weights[7]!;
    const j = weights[8]!;
    for (let row = first, o = first * 9, to = 0; row < end; row++, o += 9, to++) {
      const seconds = a * priced[o]! + b * priced[o + 1]! + c * priced[o + 2]!;
      const used = seconds + d * priced[o + 3]! + e * priced[o + 4]!;
      let value = used + f * priced[o + 5]! + g * priced[o + 6]! + h * priced[o + 7]! + j * priced[o + 8]!;
      if (stageCount > 0 && value < limit) {
        this.findSlowestStage(priced, o);
        value += this.stageWeight * this.slowestStage;
      }
      values[to] = value < limit && this.meets(rows, row) ? value : Infinity;
    }
  }

  private evaluateColumn(rows: SearchRows, first: number, end: number, values: Float64Array): void {
    const { limit } = this;
    for (let row = first, to = 0; row < end; row++, to++) {
      const value = rows.bounded[row * this.boundedWidth + this.column]!;
      values[to] = value < limit && this.meets(rows, row) ? value : Infinity;
    }
  }

  private findSlowestStage(priced: Float64Array, offset: number): void {
    const { stageFeatures, stageSeconds, stageCount } = this;
    let slowest = 0;
    for (let s = 0; s < stageCount; s++) {
      const seconds = stageSeconds[s]! * priced[offset + stageFeatures[s]!]!;
      if (seconds > slowest) slowest = seconds;
    }
    this.slowestStage = slowest;
  }

  private meets({ bounded, priced }: SearchRows, row: number): boolean {
    const { columns, columnLimits, columnCount, sumCount } = this;
    const offset = row * this.boundedWidth;
    for (let c = 0; c < columnCount; c++) {
      if (bounded[offset + columns[c]!]! > columnLimits[c]!) return false;
    }
    for (let s = 0; s < sumCount; s++) {
      const weights = this.sums[s]!;
      let sum = 0;
      for (let f = 0, o = row * this.pricedWidth; f < this.pricedWidth; f++)
        sum += weights[f]! * priced[o + f]!;
      if (sum > this.sumLimits[s]!) return false;
    }
    return true;
  }
}
