/**
 * For people: while one value of a context moves and all others stay, from where to where a cut stays the best.
 *
 * A value that moves a limit only: raising it lets more cuts in and none out, so the cuts that a given one
 * has to beat come one after the other, and it stays the best over one interval (where it breaks the bound,
 * it is among those that break it least, and stays so however low the limit gets). So looking at the ends of the
 * value's range and halving in between is sound. Any other value prices features: courses.ts finds where another
 * cut is preferred first, among all held ones.
 *
 * A rate below 1 bit per second makes its hop unusable, so all rates from 0 to 1 are one context.
 */
import { compareFixedBounds, Courses, type Sample } from './courses.js';
import type { Context } from './context.js';
import { largestAmount } from './contextRanges.js';
import { movables, type Movable } from './movables.js';
import type { Problem } from './problem.js';
import type { Steps } from './steps.js';

export interface Range {
  /** Name of the value in the context, e.g. `hops[0].uplinkBitsPerSecond`. */
  readonly value: string;
  readonly present: number;
  /** 0 where the cut stays the best however small the value gets. */
  readonly from: number;
  /** Null where the cut stays the best however large the value gets. */
  readonly to: number | null;
}

/** The cut of which ranges are asked, and those that it stands against. */
export interface RangedCut {
  /** Features of the cut. */
  readonly own: Float64Array;
  /** Features of all held states, row by row. */
  readonly features: Float64Array;
  readonly assess: (context: Context) => Problem;
  /** Whether the cut is the best in another context, or as good as the best. */
  readonly isBest: (context: Context) => boolean;
}

/** States looked at in one step. */
const statesPerStep = 128;

/** How near halving comes to an end, as a factor. */
const precision = 1 + 1e-6;

/** The range of every value that `context` states. Where the cut is not the best there, ranges have no width. */
export function* rangesOf(context: Context, cut: RangedCut): Steps<Range[]> {
  const values = movables(context);
  if (!cut.isBest(context)) {
    return values.map(({ name, present }) => ({ value: name, present, from: present, to: present }));
  }
  const rivals = yield* rivalsOf(context, cut);
  const ranges: Range[] = [];
  for (const movable of values) {
    yield;
    const { name: value, present, enters } = movable;
    const ends = yield* enters === 'limit' ? ofLimit(movable, cut) : ofPrice(movable, cut, rivals);
    ranges.push({ value, present, ...ends });
  }
  return ranges;
}

type Ends = Pick<Range, 'from' | 'to'>;

/** Offsets of the states that are as good as the cut by the bounds that no price moves. */
function* rivalsOf(context: Context, { own, features, assess }: RangedCut): Steps<number[]> {
  const problem = assess(context);
  const rivals: number[] = [];
  for (let offset = 0; offset < features.length; offset += own.length) {
    if (offset % (statesPerStep * own.length) === 0) yield;
    if (compareFixedBounds(problem, own, features, offset) === 0) rivals.push(offset);
  }
  return rivals;
}

function* ofLimit(
  { present, least, largest, isCount, with: change }: Movable,
  { isBest }: RangedCut,
): Steps<Ends> {
  const holds = (value: number): boolean => isBest(change(value));
  const holdsLeast = holds(least);
  yield;
  const holdsLargest = holds(largest);
  yield;
  if (isCount) {
    return {
      from: holdsLeast ? 0 : yield* halveWhole(present, least, holds),
      to: holdsLargest ? null : yield* halveWhole(present, largest, holds),
    };
  }
  const smallest = Number.MIN_VALUE;
  const from = holdsLeast ? 0 : yield* halve(present, Math.max(least, smallest), holds);
  if (holdsLargest) return { from, to: null };
  return {
    from,
    to: present === 0 && !holds(smallest) ? 0 : yield* halve(Math.max(present, smallest), largest, holds),
  };
}

/** The last value known to hold between `inside`, where it does, and `outside`, where it does not; both above 0. */
function* halve(inside: number, outside: number, holds: (value: number) => boolean): Steps<number> {
  let [near, far] = [inside, outside];
  while (Math.max(near / far, far / near) > precision) {
    yield;
    const middle = Math.sqrt(near) * Math.sqrt(far);
    if (middle === near || middle === far) break;
    if (holds(middle)) near = middle;
    else far = middle;
  }
  return near;
}

/** The same among whole numbers, to the very last. */
function* halveWhole(inside: number, outside: number, holds: (value: number) => boolean): Steps<number> {
  let [near, far] = [inside, outside];
  for (;;) {
    yield;
    const middle = Math.floor((near + far) / 2);
    if (middle === near || middle === far) return near;
    if (holds(middle)) near = middle;
    else far = middle;
  }
}

/** Two values at which a price is read: the line through them is exact. */
const sampled = { factor: [1, 2], rate: [1, 2], wait: [0, 1] } as const;

function* ofPrice(movable: Movable, cut: RangedCut, rivals: readonly number[]): Steps<Ends> {
  const { present, with: change } = movable;
  const isRate = movable.enters === 'rate';
  const asLine = (value: number): number => (isRate ? 1 / value : value);
  const sample = (value: number): Sample => ({ y: asLine(value), problem: cut.assess(change(value)) });
  const [one, other] = sampled[movable.enters as keyof typeof sampled];
  const courses = new Courses([sample(one), sample(other)]);
  if (courses.moving < 0) return { from: 0, to: null };
  if (!isRate) {
    const { below, above } = yield* firstRivals(courses, cut, rivals, present, [0, largestAmount]);
    return { from: below ?? 0, to: above };
  }
  const isUnusable = present < 1;
  if (isUnusable && !cut.isBest(change(1))) return { from: 0, to: 1 };
  const ends = [asLine(largestAmount), 1] as const;
  // once its hop can be used, those that use it are rivals too
  const usable = isUnusable ? yield* rivalsOf(change(1), cut) : rivals;
  const { below, above } = yield* firstRivals(courses, cut, usable, asLine(Math.max(1, present)), ends);
  const from = isUnusable ? 0 : above !== null ? asLine(above) : cut.isBest(change(0)) ? 0 : 1;
  return { from, to: below === null ? null : asLine(below) };
}

/** Where, from `present` down and up to the ends, a rival is preferred first; null where none is. */
function* firstRivals(
  courses: Courses,
  { own, features }: RangedCut,
  rivals: readonly number[],
  present: number,
  [least, largest]: readonly [number, number],
): Steps<{ below: number | null; above: number | null }> {
  let [below, above]: (number | null)[] = [null, null];
  const ownCourse = courses.newCourse();
  courses.read(ownCourse, own, 0);
  const course = courses.newCourse();
  for (const [i, offset] of rivals.entries()) {
    if (i % statesPerStep === 0) yield;
    courses.read(course, features, offset);
    below = courses.firstPreferred(course, ownCourse, present, below ?? least) ?? below;
    above = courses.firstPreferred(course, ownCourse, present, above ?? largest) ?? above;
  }
  return { below: below ?? null, above: above ?? null };
}
