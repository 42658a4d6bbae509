/**
 * For people: while one measured value moves and all others stay, from where to where a cut stays the best.
 *
 * A value of the link or the load enters the objective linearly in itself or in its reciprocal, so the cut
 * stays the best over one interval around the present value, unless bounds on latency or energy move with
 * it too. Algorithm: walk outwards in steps of 1 % (each step is one decision), then halve the step in which the
 * answer changes until it is known to 0.1 %. An island narrower than a step may be passed over; where no bound
 * moves with the value there is none. Complexity: at most some 1,400 decisions per value.
 */
import type { Context, HopContext, TierContext } from './context.js';

export interface Range {
  /** Name of the value in the context, e.g. `hops[0].uplinkBitsPerSecond`. */
  readonly value: string;
  readonly present: number;
  readonly from: number;
  /** Null where the cut stays the best however large the value gets. */
  readonly to: number | null;
}

/** One value of a context that may move. */
export interface Movable {
  readonly name: string;
  readonly present: number;
  readonly with: (value: number) => Context;
}

/** How far outwards the walk goes, as a factor. */
const reach = 1000;
const stride = 1.01;
const precision = 1.001;

/** The measured values of a context, each with the context in which it is another. */
export function movables(context: Context): Movable[] {
  const found: Movable[] = [];
  const add = (name: string, present: number | undefined, change: (value: number) => Context): void => {
    if (present !== undefined && present > 0) found.push({ name, present, with: change });
  };
  context.tiers.forEach((tier, t) => {
    const withTier = (part: TierContext): Context => ({
      ...context,
      tiers: context.tiers.with(t, { ...tier, ...part }),
    });
    add(`tiers[${t}].slowdown`, tier.slowdown, (slowdown) => withTier({ slowdown }));
    for (const key of ['freeStorageBytes', 'freeMemoryBytes'] as const) {
      add(`tiers[${t}].${key}`, tier[key], (value) => withTier({ [key]: value }));
    }
  });
  context.hops.forEach((hop, h) => {
    const withHop = (part: HopContext): Context => ({
      ...context,
      hops: context.hops.with(h, { ...hop, ...part }),
    });
    for (const key of [
      'uplinkBitsPerSecond',
      'downlinkBitsPerSecond',
      'rttSeconds',
      'queueSeconds',
    ] as const) {
      add(`hops[${h}].${key}`, hop[key], (value) => withHop({ [key]: value }));
    }
  });
  for (const key of ['latencySeconds', 'energyJoulesPerInference'] as const) {
    const requirements = context.requirements;
    add(`requirements.${key}`, requirements[key], (value) => ({
      ...context,
      requirements: { ...requirements, [key]: value },
    }));
  }
  const { battery } = context;
  add('battery.level', battery?.level, (level) => ({ ...context, battery: { ...battery!, level } }));
  return found;
}

/**
 * The interval of `movable` around its present value in which `isSame` holds.
 * @param isSame whether the cut is still the best in a context
 * @param largest most that the value can be, e.g. 1 for a battery's level
 */
export function rangeOf(movable: Movable, isSame: (context: Context) => boolean, largest: number): Range {
  const { name, present } = movable;
  const holds = (value: number): boolean => isSame(movable.with(value));
  const low = edge(present, 1 / stride, present / reach, holds);
  const high = edge(present, stride, Math.min(largest, present * reach), holds);
  return { value: name, present, from: low ?? 0, to: high };
}

/** Where, walking by `factor`, the answer changes; null where it does not before `end`. */
function edge(
  present: number,
  factor: number,
  end: number,
  holds: (value: number) => boolean,
): number | null {
  let inside = present;
  for (;;) {
    const next = factor > 1 ? Math.min(end, inside * factor) : Math.max(end, inside * factor);
    if (next === inside) return null;
    if (!holds(next)) return halve(inside, next, holds);
    inside = next;
  }
}

function halve(inside: number, outside: number, holds: (value: number) => boolean): number {
  let [near, far] = [inside, outside];
  while (Math.max(near / far, far / near) > precision) {
    const middle = Math.sqrt(near * far);
    if (holds(middle)) near = middle;
    else far = middle;
  }
  return near;
}
