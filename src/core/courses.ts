/**
 * What a cut costs while one value of the context moves and all others stay. With y the value, or its reciprocal for a
 * rate, every cost is a straight line in y, and the slowest stage the larger of a constant and a line through 0.
 *
 * Problem: the first y, going up and going down from the present one, at which some other cut is preferred, in the
 * order of candidate.ts. Algorithm: against each other cut, the points where a bound begins or ceases to be broken,
 * where two sums beyond a bound or two objectives begin or cease to be level, and where the slowest stage becomes another one, are all the points at
 * which the preference can change; between two neighbours of them one look tells. Most cuts need none of this:
 * where the own cut meets its bounds all the way, another is preferred nowhere unless its objective is lower at an end
 * or at a kink. Complexity: O(states) for one value. Rejected: walking in small steps, which passes over
 * narrow islands and has to stop somewhere; halving, since under energy bounds, or with a slowest stage in the
 * objective, the region of a cut need not be one interval.
 */
import { beyond, compareSums, levelShare } from './candidate.js';
import { weightedSum } from './features.js';
import type { Problem } from './problem.js';

/** `y`: where `problem` was assessed. Both with the same hops usable. */
export interface Sample {
  readonly y: number;
  readonly problem: Problem;
}

/** Weights over features, as `base + y * slope` at feature `moving`. */
interface MovingWeights {
  readonly base: Float64Array;
  readonly slope: number;
}

/** One cut's sums over the bounds, and its objective, as lines in y. */
interface Course {
  readonly bound: Float64Array;
  readonly boundSlope: Float64Array;
  value: number;
  valueSlope: number;
  /** The slowest stage is the larger of `stage` and `y * stageSlope`. */
  stage: number;
  stageSlope: number;
}

/** Value where y is 0, and slope. */
type Line = readonly [number, number];

/** The bounds whose sums a value of the context can move: they stand last. */
const movingBounds = new Set(['energyJoulesPerInference', 'latencySeconds']);

/**
 * How the row at `offset` of `rows` compares with `own` by the bounds that no value moves: below 0 where it is preferred,
 * above 0 where `own` is.
 */
export function compareFixedBounds(
  { constraints }: Problem,
  own: Float64Array,
  rows: Float64Array,
  offset: number,
): number {
  for (const { name, weights, limit } of constraints) {
    if (movingBounds.has(name)) break;
    const sum = beyond(weightedSum(weights, rows, offset), limit);
    const difference = compareSums(sum, beyond(weightedSum(weights, own, 0), limit));
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Whether two rows of features are equally good in `problem`, up to rounding. */
export function isLevel(problem: Problem, a: Float64Array, b: Float64Array): boolean {
  if (compareFixedBounds(problem, a, b, 0) !== 0) return false;
  const still = new Courses([
    { y: 0, problem },
    { y: 1, problem },
  ]);
  const [first, second] = [still.newCourse(), still.newCourse()];
  still.read(first, a, 0);
  still.read(second, b, 0);
  return !still.isPreferred(first, second, 0) && !still.isPreferred(second, first, 0);
}

/** Where two lines begin or cease to be level: where either is the other and its `levelShare`. */
function addLevelEnds([a, slopeA]: Line, [b, slopeB]: Line, add: (y: number) => void): void {
  add((a - b - levelShare * b) / (slopeB - slopeA + levelShare * slopeB));
  add((b - a - levelShare * a) / (slopeA - slopeB + levelShare * slopeA));
}

export class Courses {
  /** The feature whose price moves; -1 where the value has no effect. */
  readonly moving: number;
  private readonly bounds: readonly (MovingWeights & { readonly limit: number })[];
  private readonly linear: MovingWeights;
  private readonly stages: MovingWeights;
  private readonly stageWeight: number;

  constructor([low, high]: readonly [Sample, Sample]) {
    this.moving = low.problem.latency.findIndex((weight, f) => weight !== high.problem.latency[f]);
    const line = (at: Float64Array, then: Float64Array): MovingWeights => {
      const base = Float64Array.from(at);
      if (this.moving < 0) return { base, slope: 0 };
      const slope = (then[this.moving]! - at[this.moving]!) / (high.y - low.y);
      base[this.moving]! -= slope * low.y;
      return { base, slope };
    };
    this.bounds = low.problem.constraints.flatMap(({ name, weights, limit }, c) =>
      movingBounds.has(name) ? [{ ...line(weights, high.problem.constraints[c]!.weights), limit }] : [],
    );
    this.linear = line(low.problem.objective.linear, high.problem.objective.linear);
    this.stages = line(low.problem.objective.stages, high.problem.objective.stages);
    this.stageWeight = low.problem.objective.stageWeight;
  }

  newCourse(): Course {
    const count = this.bounds.length;
    return {
      bound: new Float64Array(count),
      boundSlope: new Float64Array(count),
      value: 0,
      valueSlope: 0,
      stage: 0,
      stageSlope: 0,
    };
  }

  /** Makes `course` that of the row of features at `offset`. */
  read(course: Course, rows: Float64Array, offset: number): void {
    const feature = this.moving < 0 ? 0 : rows[offset + this.moving]!;
    for (let c = 0; c < this.bounds.length; c++) {
      const { base, slope } = this.bounds[c]!;
      course.bound[c] = weightedSum(base, rows, offset);
      course.boundSlope[c] = slope * feature;
    }
    course.value = weightedSum(this.linear.base, rows, offset);
    course.valueSlope = this.linear.slope * feature;
    course.stage = 0;
    course.stageSlope = 0;
    if (this.stageWeight === 0) return;
    const { base, slope } = this.stages;
    for (let f = 0; f < base.length; f++) course.stage = Math.max(course.stage, base[f]! * rows[offset + f]!);
    course.stageSlope = slope * feature;
  }

  /** Whether `a` is preferred to `b` at `y`, by more than rounding. */
  isPreferred(a: Course, b: Course, y: number): boolean {
    for (let c = 0; c < this.bounds.length; c++) {
      const { limit } = this.bounds[c]!;
      // Lines reach a limit as exactly as sums are known: what breaks it by no more than rounding is level with what meets it.
      const ofA = Math.max(limit, a.bound[c]! + a.boundSlope[c]! * y);
      const ofB = Math.max(limit, b.bound[c]! + b.boundSlope[c]! * y);
      const difference = compareSums(ofA, ofB);
      if (difference !== 0) return difference < 0;
    }
    return this.isLower(a, b, y);
  }

  /**
   * The first point from `start` towards `end` beyond which `rival` is preferred to `own`; null where it is nowhere.
   * `start` itself where it is from there on.
   */
  firstPreferred(rival: Course, own: Course, start: number, end: number): number | null {
    if (this.neverPreferred(rival, own, start, end)) return null;
    const points: number[] = [end];
    const [low, high] = start < end ? [start, end] : [end, start];
    const add = (y: number): void => {
      if (y > low && y < high) points.push(y);
    };
    for (let c = 0; c < this.bounds.length; c++) {
      const a: Line = [rival.bound[c]!, rival.boundSlope[c]!];
      const b: Line = [own.bound[c]!, own.boundSlope[c]!];
      const { limit } = this.bounds[c]!;
      for (const [sum, slope] of [a, b]) add((limit - sum) / slope);
      addLevelEnds(a, b, add);
    }
    for (const a of this.pieces(rival)) for (const b of this.pieces(own)) addLevelEnds(a, b, add);
    add(rival.stage / rival.stageSlope);
    add(own.stage / own.stageSlope);
    points.sort((a, b) => Math.abs(a - start) - Math.abs(b - start));
    let from = start;
    for (const to of points) {
      if (this.isPreferred(rival, own, (from + to) / 2)) return from;
      from = to;
    }
    return null;
  }

  private neverPreferred(rival: Course, own: Course, start: number, end: number): boolean {
    for (let c = 0; c < this.bounds.length; c++) {
      const [bound, slope] = [own.bound[c]!, own.boundSlope[c]!];
      const { limit } = this.bounds[c]!;
      if (bound + slope * start > limit || bound + slope * end > limit) return false;
    }
    if (this.isLower(rival, own, start) || this.isLower(rival, own, end)) return false;
    if (this.stageWeight === 0) return true;
    const kinks = [rival.stage / rival.stageSlope, own.stage / own.stageSlope];
    return !kinks.some((y) => (y - start) * (y - end) < 0 && this.isLower(rival, own, y));
  }

  private isLower(a: Course, b: Course, y: number): boolean {
    return compareSums(this.valueAt(a, y), this.valueAt(b, y)) < 0;
  }

  private valueAt(course: Course, y: number): number {
    const linear = course.value + course.valueSlope * y;
    if (this.stageWeight === 0) return linear;
    return linear + this.stageWeight * Math.max(course.stage, course.stageSlope * y);
  }

  /** The lines of which the objective is made. */
  private pieces({ value, valueSlope, stage, stageSlope }: Course): Line[] {
    if (this.stageWeight === 0) return [[value, valueSlope]];
    return [
      [value + this.stageWeight * stage, valueSlope],
      [value, valueSlope + this.stageWeight * stageSlope],
    ];
  }
}
