/**
 * What the cuts of one hop (nestedCuts.ts), and the nodes of the tree above them, cost in one problem. Each is costed when it is
 * first asked for. Flat arrays that are filled anew for each problem; nothing is allocated in a search.
 *
 * The binary tree is walked two levels at a time: four siblings lie side by side and are costed in one go, which takes less
 * time than looking at fewer of them one after the other (measured).
 */
import { leafStart } from './boundTree.js';
import { cutFigures, type CutSide } from './nestedCuts.js';
import { maxSums } from './searchProblem.js';

const width = cutFigures.count;
/** Levels of the binary tree in one step; the step from the root takes the one that may be left over. */
const stepLevels = 2;
export const mostChildren = 2 ** stepLevels;

export class CutCosts {
  /** How often a cut or a node was costed for this problem. */
  visited = 0;
  /** Per figure, what one unit of it adds to the objective. */
  readonly weights = new Float64Array(width);
  /** Per figure, the most that is allowed. */
  readonly limits = new Float64Array(width);
  /** Seconds per unit of what is a stage of a pipeline: own seconds, bytes up, bytes down. */
  readonly stageWeights = new Float64Array(width);
  /** Bounded sums, such as a latency, of which both cuts have a part: how many, and the weights of each one's figures. */
  partCount = 0;
  readonly partWeights: readonly Float64Array[];
  /** What `findLeast` has found: the least sum, and the least with its stage, of a cut that meets the limits. */
  leastSum = Infinity;
  leastStaged = Infinity;
  /** The cut that has the latter. */
  best = -1;
  /**
   * By node that was costed, what no cut below it that meets the limits is less than: the sum, in units of the objective,
   * Infinity where there is none, and only where it is finite the others: the sum without the edge's seconds; the slowest
   * stage, seconds; the parts, in units of their bounds. The first three rise as children are costed.
   */
  readonly sums: Float64Array;
  readonly sumsOffEdge: Float64Array;
  readonly stages: Float64Array;
  readonly parts: readonly Float64Array[];
  /** What a second of the slowest stage costs. A field, since a number handed to a call that is not inlined is allocated. */
  stageWeight = 0;
  /** By node the number of the problem that its children were costed for. */
  private readonly costedFor: Int32Array;
  private problem = 0;
  /** The nodes whose children were costed, each after the one above it. */
  private readonly expanded: Int32Array;
  private expandedCount = 0;
  private readonly rootLevels: number;
  private readonly stack: Int32Array;

  constructor(readonly side: CutSide) {
    const nodeCount = 2 * side.leafCount;
    this.sums = new Float64Array(nodeCount);
    this.sumsOffEdge = new Float64Array(nodeCount);
    this.stages = new Float64Array(nodeCount);
    this.partWeights = Array.from({ length: maxSums }, () => new Float64Array(width));
    this.parts = Array.from({ length: maxSums }, () => new Float64Array(nodeCount));
    this.costedFor = new Int32Array(side.leafCount);
    this.expanded = new Int32Array(side.leafCount);
    const levels = Math.log2(side.leafCount);
    this.rootLevels = levels % stepLevels === 0 ? stepLevels : levels % stepLevels;
    // each step down takes one node and puts aside at most its children
    this.stack = new Int32Array(mostChildren * this.steps + 1);
  }

  /** Steps from the root to a leaf, of `stepLevels` levels or, the first, fewer. */
  get steps(): number {
    return Math.ceil(Math.log2(this.side.leafCount) / stepLevels);
  }

  /** Starts a problem without weights, limits and parts: these have to be set before the first cut is costed. */
  start(): void {
    if (this.problem === 0x7fffffff) {
      this.problem = 0;
      this.costedFor.fill(0);
    }
    this.problem++;
    this.visited = 0;
    this.expandedCount = 0;
    this.partCount = 0;
    this.stageWeight = 0;
    const { weights, limits } = this;
    for (let f = 0; f < width; f++) {
      weights[f] = 0;
      limits[f] = Infinity;
    }
  }

  /** The cut of a leaf that holds one. */
  cutOf(node: number): number {
    return leafStart(node - this.side.leafCount, this.side.leafCount, this.side.count);
  }

  /** Costs the root: before any other. */
  costRoot(): void {
    this.cost(1, 2);
  }

  /** Of a node that is no leaf: the first of its children, and the one after the last. */
  firstChild(node: number): number {
    return node << (node === 1 ? this.rootLevels : stepLevels);
  }

  endOfChildren(node: number): number {
    return (node + 1) << (node === 1 ? this.rootLevels : stepLevels);
  }

  /**
   * Costs the children of a node; where they are new, what is known of the nodes from it up rises with them: the children
   * are bounded more closely than the minima of all figures at once.
   */
  expand(node: number): void {
    if (this.costedFor[node] === this.problem) return;
    this.costChildren(node);
    for (let above = node; this.raise(above) && above > 1;) above = Math.max(1, above >> stepLevels);
  }

  /** As `expand` does, for all nodes whose children `findLeast` has costed. */
  raiseExpanded(): void {
    for (let k = this.expandedCount - 1; k >= 0; k--) this.raise(this.expanded[k]!);
  }

  /**
   * The least sum, or, with its stage, the least of sum + stageWeight * stage, of a cut that meets the limits, by branch and bound;
   * Infinity where none does. Nothing is returned: a double would have to be allocated.
   * @param start the leaf of a cut to begin with, 0 for none
   */
  findLeast(withStage: boolean, start: number): void {
    const { stack, side, sums, stages, stageWeight } = this;
    const { leafCount } = side;
    let least = Infinity;
    let found = -1;
    if (start > 0) {
      this.cost(start, start + 1);
      if (sums[start]! < Infinity) {
        found = start;
        least = sums[start]! + (withStage ? stageWeight * stages[start]! : 0);
      }
    }
    stack[0] = 1;
    for (let top = 1; top > 0;) {
      const node = stack[--top]!;
      let value = sums[node]!;
      if (withStage && value < least) value += stageWeight * stages[node]!;
      if (value >= least) continue;
      if (node >= leafCount) {
        found = node;
        least = value;
        continue;
      }
      this.costChildren(node);
      const end = this.endOfChildren(node);
      // The most promising child goes on top.
      let near = -1;
      let nearest = least;
      for (let child = this.firstChild(node); child < end; child++) {
        let childValue = sums[child]!;
        if (withStage && childValue < least) childValue += stageWeight * stages[child]!;
        if (childValue >= least) continue;
        if (childValue >= nearest) {
          stack[top++] = child;
          continue;
        }
        if (near >= 0) stack[top++] = near;
        near = child;
        nearest = childValue;
      }
      if (near >= 0) stack[top++] = near;
    }
    if (!withStage) this.leastSum = least;
    this.leastStaged = least;
    this.best = found < 0 ? -1 : this.cutOf(found);
  }

  private costChildren(node: number): void {
    if (this.costedFor[node] === this.problem) return;
    this.costedFor[node] = this.problem;
    this.expanded[this.expandedCount++] = node;
    this.cost(this.firstChild(node), this.endOfChildren(node));
  }

  /** Raises what is known below a node to the least of its children. @returns whether anything rose */
  private raise(node: number): boolean {
    const { sums, sumsOffEdge, stages } = this;
    const end = this.endOfChildren(node);
    let sum = Infinity;
    let sumOffEdge = Infinity;
    let stage = Infinity;
    for (let child = this.firstChild(node); child < end; child++) {
      if (sums[child] === Infinity) continue;
      sum = Math.min(sum, sums[child]!);
      sumOffEdge = Math.min(sumOffEdge, sumsOffEdge[child]!);
      stage = Math.min(stage, stages[child]!);
    }
    let hasRisen = false;
    if (sum > sums[node]!) {
      sums[node] = sum;
      hasRisen = true;
    }
    if (sumOffEdge > sumsOffEdge[node]!) {
      sumsOffEdge[node] = sumOffEdge;
      hasRisen = true;
    }
    if (this.stageWeight > 0 && stage > stages[node]!) {
      stages[node] = stage;
      hasRisen = true;
    }
    return hasRisen;
  }

  private cost(first: number, end: number): void {
    const { weights, limits, sums, sumsOffEdge } = this;
    const { nodes } = this.side;
    this.visited += end - first;
    const own = weights[cutFigures.ownSeconds]!;
    const edge = weights[cutFigures.edgeSeconds]!;
    const used = weights[cutFigures.hopUsed]!;
    const up = weights[cutFigures.bytesUp]!;
    const down = weights[cutFigures.bytesDown]!;
    const held = weights[cutFigures.weights]!;
    const memory = weights[cutFigures.memory]!;
    const exposure = weights[cutFigures.exposure]!;
    for (let node = first, o = first * width; node < end; node++, o += width) {
      // Of a leaf without a cut all figures are Infinity.
      if (
        nodes[o + 5]! > limits[5]! ||
        nodes[o + 6]! > limits[6]! ||
        nodes[o + 7]! > limits[7]! ||
        nodes[o + 3]! > limits[3]! ||
        nodes[o + 2]! > limits[2]! ||
        nodes[o + 2] === Infinity
      ) {
        sums[node] = Infinity;
        continue;
      }
      const hop = used * nodes[o + 2]! + up * nodes[o + 3]! + down * nodes[o + 4]!;
      const alone = held * nodes[o + 5]! + memory * nodes[o + 6]! + exposure * nodes[o + 7]!;
      const sumOffEdge = own * nodes[o]! + hop + alone;
      sums[node] = sumOffEdge + edge * nodes[o + 1]!;
      sumsOffEdge[node] = sumOffEdge;
      if (this.stageWeight > 0) this.costStage(node);
      if (this.partCount > 0) this.costParts(node);
    }
  }

  private costStage(node: number): void {
    const { nodes } = this.side;
    const { stageWeights } = this;
    const o = node * width;
    const own = stageWeights[cutFigures.ownSeconds]! * nodes[o + cutFigures.ownSeconds]!;
    const up = stageWeights[cutFigures.bytesUp]! * nodes[o + cutFigures.bytesUp]!;
    const down = stageWeights[cutFigures.bytesDown]! * nodes[o + cutFigures.bytesDown]!;
    this.stages[node] = Math.max(own, up, down);
  }

  private costParts(node: number): void {
    const { nodes } = this.side;
    const o = node * width;
    for (let k = 0; k < this.partCount; k++) {
      const weights = this.partWeights[k]!;
      const seconds = weights[0]! * nodes[o]! + weights[1]! * nodes[o + 1]!;
      const hop = weights[2]! * nodes[o + 2]! + weights[3]! * nodes[o + 3]! + weights[4]! * nodes[o + 4]!;
      this.parts[k]![node] = seconds + hop;
    }
  }
}
