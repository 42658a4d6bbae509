/**
 * What the cuts of one hop (nestedCuts.ts), and the nodes of the tree above them, cost in one problem. Each is costed when it is
 * first asked for. Flat arrays that are filled anew for each problem; nothing is allocated in a search.
 */
import { leafStart } from './boundTree.js';
import { cutFigures, type CutSide } from './nestedCuts.js';
import { maxSums } from './searchProblem.js';

const width = cutFigures.count;

export class CutCosts {
  /** Cuts and nodes costed for this problem. */
  visited = 0;
  /** Per figure, what one unit of it adds to the objective. */
  readonly weights = new Float64Array(width);
  /** Seconds per unit of what is a stage of a pipeline: own seconds, bytes up, bytes down. */
  readonly stageWeights = new Float64Array(width);
  /** Bounded sums, such as a latency, of which both cuts have a part: how many, and the weights of each one's figures. */
  partCount = 0;
  readonly partWeights: readonly Float64Array[];
  /** The node of the cut that `least` has found. */
  found = 0;
  /** By node that was costed: the sum, Infinity where no cut below meets the limits; else the slowest stage, and the parts. */
  readonly sums: Float64Array;
  readonly stages: Float64Array;
  readonly parts: readonly Float64Array[];
  /** Per figure, the most that is allowed. */
  private readonly limits = new Float64Array(width);
  private hasStages = false;
  /** By node the number of the problem that it was costed for. */
  private readonly costedFor: Int32Array;
  private problem = 0;
  private readonly stack: Int32Array;

  constructor(readonly side: CutSide) {
    const nodeCount = 2 * side.leafCount;
    this.sums = new Float64Array(nodeCount);
    this.stages = new Float64Array(nodeCount);
    this.partWeights = Array.from({ length: maxSums }, () => new Float64Array(width));
    this.parts = Array.from({ length: maxSums }, () => new Float64Array(nodeCount));
    this.costedFor = new Int32Array(nodeCount);
    this.stack = new Int32Array(Math.ceil(Math.log2(side.leafCount)) + 2);
  }

  /** Starts a problem without weights, limits and parts: these have to be set before the first cut is costed. */
  start(hasStages: boolean): void {
    if (this.problem === 0x7fffffff) {
      this.problem = 0;
      this.costedFor.fill(0);
    }
    this.problem++;
    this.visited = 0;
    this.partCount = 0;
    this.hasStages = hasStages;
    for (let f = 0; f < width; f++) {
      this.weights[f] = 0;
      this.limits[f] = Infinity;
    }
  }

  tighten(figure: number, limit: number): void {
    if (limit < this.limits[figure]!) this.limits[figure] = limit;
  }

  /** The cut of a leaf that holds one. */
  cutOf(node: number): number {
    return leafStart(node - this.side.leafCount, this.side.leafCount, this.side.count);
  }

  /** Makes sum, stage and parts of a node those of this problem. */
  cost(node: number): void {
    if (this.costedFor[node] === this.problem) return;
    this.costedFor[node] = this.problem;
    this.visited++;
    const offset = node * width;
    const sum = this.sum(offset);
    this.sums[node] = sum;
    if (sum === Infinity) return;
    if (this.hasStages) this.stages[node] = this.stage(offset);
    for (let k = 0; k < this.partCount; k++) this.parts[k]![node] = this.part(this.partWeights[k]!, offset);
  }

  /** The least of sum + stageWeight * stage of a cut that meets the limits, by branch and bound; Infinity where none does. */
  least(stageWeight: number): number {
    const { stack, side } = this;
    let least = Infinity;
    this.cost(1);
    stack[0] = 1;
    for (let top = 1; top > 0;) {
      const node = stack[--top]!;
      const value = this.value(node, stageWeight);
      if (!(value < least)) continue;
      if (node >= side.leafCount) {
        this.found = node;
        least = value;
        continue;
      }
      const left = 2 * node;
      this.cost(left);
      this.cost(left + 1);
      // The more promising child goes on top.
      const near = this.value(left, stageWeight) <= this.value(left + 1, stageWeight) ? left : left + 1;
      stack[top++] = near ^ 1;
      stack[top++] = near;
    }
    return least;
  }

  private value(node: number, stageWeight: number): number {
    const sum = this.sums[node]!;
    return stageWeight === 0 || sum === Infinity ? sum : sum + stageWeight * this.stages[node]!;
  }

  private sum(o: number): number {
    const { weights, limits } = this;
    const { nodes } = this.side;
    const used = nodes[o + cutFigures.hopUsed]!;
    const up = nodes[o + cutFigures.bytesUp]!;
    const held = nodes[o + cutFigures.weights]!;
    const memory = nodes[o + cutFigures.memory]!;
    const exposure = nodes[o + cutFigures.exposure]!;
    // A leaf without a cut: Infinity in all figures.
    if (used === Infinity) return Infinity;
    if (held > limits[cutFigures.weights]! || memory > limits[cutFigures.memory]!) return Infinity;
    if (exposure > limits[cutFigures.exposure]! || up > limits[cutFigures.bytesUp]!) return Infinity;
    if (used > limits[cutFigures.hopUsed]!) return Infinity;
    const alone = weights[cutFigures.weights]! * held + weights[cutFigures.memory]! * memory;
    return this.part(weights, o) + alone + weights[cutFigures.exposure]! * exposure;
  }

  private part(weights: Float64Array, o: number): number {
    const { nodes } = this.side;
    const seconds = weights[0]! * nodes[o]! + weights[1]! * nodes[o + 1]!;
    return seconds + weights[2]! * nodes[o + 2]! + weights[3]! * nodes[o + 3]! + weights[4]! * nodes[o + 4]!;
  }

  private stage(o: number): number {
    const { nodes } = this.side;
    const { stageWeights } = this;
    const own = stageWeights[cutFigures.ownSeconds]! * nodes[o + cutFigures.ownSeconds]!;
    const up = stageWeights[cutFigures.bytesUp]! * nodes[o + cutFigures.bytesUp]!;
    const down = stageWeights[cutFigures.bytesDown]! * nodes[o + cutFigures.bytesDown]!;
    return Math.max(own, up, down);
  }
}
