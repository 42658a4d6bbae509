/**
 * The prices (Lagrange multipliers) to try next: the optimum of the dual as far as the placements seen tell it.
 *
 * Problem. Mix the placements seen so that the mix meets the bounds and costs least; the duals of that linear program
 * are the prices at which no placement seen is cheaper than the mix. A bound that no mix meets is broken at a high
 * price. A bottleneck is a variable that is at least each stage of the mix. Algorithm: revised simplex with an explicit
 * inverse of the basis, one row per bound and stage and one for the mix; a placement more is a column more. Where
 * the prices come from is nothing that a bound rests on: a minimum cut at any prices >= 0 is a bound.
 * Source: Dantzig and Wolfe, Operations Research 8(1), 1960; Kelley, J. SIAM 8(4), 1960. Rejected: subgradient steps,
 * which need many more minimum cuts and leave no mix to choose a layer by.
 */
interface Column {
  readonly entries: Float64Array;
  readonly cost: number;
  /** Index of the placement, -1 where the column is none. */
  readonly placement: number;
}

/** What breaking a bound by all of its scale costs, in costs of the dearest placement. */
const penalty = 1e4;
const tolerance = 1e-10;

export class MultiplierProgram {
  private readonly columns: Column[] = [];
  private readonly basis: Column[];
  private readonly rowCount: number;
  /** Row-major. */
  private inverse: Float64Array;
  private readonly duals: Float64Array;
  private placements = 0;

  /**
   * Rows are scaled by the caller to about 1.
   * @param boundCount rows of bounds; `stageCount` rows of stages follow
   * @param stagePrice what one unit of the slowest stage costs
   * @param cost of the first placement
   * @param rows of the first placement: by how much it breaks each bound (below 0 where it meets it), then its stages
   */
  constructor(
    private readonly boundCount: number,
    private readonly stageCount: number,
    stagePrice: number,
    cost: number,
    rows: Float64Array,
  ) {
    this.rowCount = 1 + boundCount + stageCount;
    this.duals = new Float64Array(this.rowCount);
    this.inverse = new Float64Array(this.rowCount ** 2);
    this.basis = [this.add(cost, rows)];
    for (let r = 1; r <= boundCount; r++) {
      const slack = this.unit(r, 1, 0);
      const broken = this.unit(r, -1, penalty);
      this.basis.push(rows[r - 1]! > 0 ? broken : slack);
    }
    if (stageCount > 0) this.addStages(stagePrice, rows);
    this.invert();
  }

  get priceCount(): number {
    return this.rowCount - 1;
  }

  /** A placement more. */
  add(cost: number, rows: Float64Array): Column {
    const entries = new Float64Array(this.rowCount);
    entries[0] = 1;
    entries.set(rows, 1);
    const column = { entries, cost, placement: this.placements++ };
    this.columns.push(column);
    return column;
  }

  /**
   * Solves for the placements so far.
   * @param prices is given the price of each row, >= 0
   * @returns what the mix costs
   */
  solve(prices: Float64Array): number {
    const { rowCount, duals } = this;
    for (let pivots = 0; pivots < 40 * rowCount; pivots++) {
      this.readDuals();
      let least = -tolerance;
      let entering: Column | null = null;
      for (const column of this.columns) {
        let reduced = column.cost;
        for (let r = 0; r < rowCount; r++) reduced -= duals[r]! * column.entries[r]!;
        if (reduced < least) {
          least = reduced;
          entering = column;
        }
      }
      if (entering === null || !this.pivot(entering)) break;
    }
    this.readDuals();
    for (let r = 1; r < rowCount; r++) prices[r - 1] = Math.max(0, -duals[r]!);
    return duals[0]!;
  }

  /** Share of each placement in the mix, in the order in which they were added. */
  shares(): Float64Array {
    const shares = new Float64Array(this.placements);
    this.basis.forEach(({ placement }, r) => {
      if (placement >= 0) shares[placement] = Math.max(0, this.inverse[r * this.rowCount]!);
    });
    return shares;
  }

  private unit(row: number, value: number, cost: number): Column {
    const entries = new Float64Array(this.rowCount);
    entries[row] = value;
    const column = { entries, cost, placement: -1 };
    this.columns.push(column);
    return column;
  }

  private addStages(stagePrice: number, rows: Float64Array): void {
    const first = 1 + this.boundCount;
    const stages = rows.subarray(this.boundCount);
    const entries = new Float64Array(this.rowCount).fill(-1, first);
    const slowest = { entries, cost: stagePrice, placement: -1 };
    this.columns.push(slowest);
    const slowestStage = stages.indexOf(Math.max(...stages));
    for (let s = 0; s < this.stageCount; s++) {
      const slack = this.unit(first + s, 1, 0);
      this.basis.push(s === slowestStage ? slowest : slack);
    }
  }

  private readDuals(): void {
    const { rowCount, inverse, duals, basis } = this;
    duals.fill(0);
    for (let r = 0; r < rowCount; r++) {
      const { cost } = basis[r]!;
      if (cost !== 0) for (let c = 0; c < rowCount; c++) duals[c]! += cost * inverse[r * rowCount + c]!;
    }
  }

  /** @returns false where the column would not leave the basis a number */
  private pivot(entering: Column): boolean {
    const { rowCount, inverse, basis } = this;
    const direction = new Float64Array(rowCount);
    let leaving = -1;
    let leastRatio = Infinity;
    for (let r = 0; r < rowCount; r++) {
      for (let c = 0; c < rowCount; c++) direction[r]! += inverse[r * rowCount + c]! * entering.entries[c]!;
      if (direction[r]! <= tolerance) continue;
      const ratio = Math.max(0, inverse[r * rowCount]!) / direction[r]!;
      if (ratio < leastRatio) {
        leastRatio = ratio;
        leaving = r;
      }
    }
    if (leaving < 0) return false;
    basis[leaving] = entering;
    eliminate(inverse, rowCount, direction, leaving);
    return true;
  }

  private invert(): void {
    const { rowCount, basis } = this;
    // The columns enter an identity one by one, each in a row that no other holds yet.
    this.inverse = new Float64Array(rowCount ** 2);
    for (let r = 0; r < rowCount; r++) this.inverse[r * rowCount + r] = 1;
    const order = [...basis];
    const isTaken = order.map(() => false);
    for (const column of order) {
      const direction = new Float64Array(rowCount);
      let row = -1;
      for (let r = 0; r < rowCount; r++) {
        for (let c = 0; c < rowCount; c++)
          direction[r]! += this.inverse[r * rowCount + c]! * column.entries[c]!;
        if (!isTaken[r] && (row < 0 || Math.abs(direction[r]!) > Math.abs(direction[row]!))) row = r;
      }
      isTaken[row] = true;
      basis[row] = column;
      eliminate(this.inverse, rowCount, direction, row);
    }
  }
}

/** Gauss and Jordan: makes `direction` the unit vector of `row`. */
function eliminate(inverse: Float64Array, rowCount: number, direction: Float64Array, row: number): void {
  const divisor = direction[row]!;
  for (let c = 0; c < rowCount; c++) inverse[row * rowCount + c]! /= divisor;
  for (let r = 0; r < rowCount; r++) {
    const factor = direction[r]!;
    if (r === row || factor === 0) continue;
    for (let c = 0; c < rowCount; c++) inverse[r * rowCount + c]! -= factor * inverse[row * rowCount + c]!;
  }
}
