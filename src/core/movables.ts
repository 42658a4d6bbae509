/** The values of a context that may move while all others stay: what was measured, and what is asked. */
import { largestAmount } from './contextRanges.js';
import type { Context, HopContext, Requirements, TierContext } from './context.js';

export interface Movable {
  /** Name of the value in the context, e.g. `hops[0].uplinkBitsPerSecond`. */
  readonly name: string;
  readonly present: number;
  readonly with: (value: number) => Context;
  /**
   * How the value enters a cost: a bound's limit only; seconds in proportion to it, in proportion to its reciprocal
   * (a rate), or added to seconds of another value (a wait).
   */
  readonly enters: 'limit' | 'factor' | 'rate' | 'wait';
  /** Least and largest that it may be. */
  readonly least: number;
  readonly largest: number;
  /** Counts something: only whole numbers are of interest. */
  readonly isCount: boolean;
}

type Add = (
  name: string,
  present: number | undefined,
  change: (value: number) => Context,
  enters: Movable['enters'],
  more?: Partial<Pick<Movable, 'least' | 'largest' | 'isCount'>>,
) => void;

/** Every value that the context states, each with the context in which it is another. */
export function movables(context: Context): Movable[] {
  const found: Movable[] = [];
  const add: Add = (name, present, change, enters, more = {}) => {
    const { least = 0, largest = largestAmount, isCount = false } = more;
    if (present !== undefined) found.push({ name, present, with: change, enters, least, largest, isCount });
  };
  addMeasured(context, add);
  addAsked(context, add);
  return found;
}

function addMeasured(context: Context, add: Add): void {
  context.tiers.forEach((tier, t) => {
    const withTier = (part: TierContext): Context => ({
      ...context,
      tiers: context.tiers.with(t, { ...tier, ...part }),
    });
    const name = `tiers[${t}]`;
    const above0 = { least: Number.MIN_VALUE };
    add(`${name}.slowdown`, tier.slowdown, (slowdown) => withTier({ slowdown }), 'factor', above0);
    for (const key of ['freeStorageBytes', 'freeMemoryBytes'] as const) {
      add(`${name}.${key}`, tier[key], (value) => withTier({ [key]: value }), 'limit');
    }
  });
  context.hops.forEach((hop, h) => {
    const withHop = (part: HopContext): Context => ({
      ...context,
      hops: context.hops.with(h, { ...hop, ...part }),
    });
    for (const key of ['uplinkBitsPerSecond', 'downlinkBitsPerSecond'] as const) {
      add(`hops[${h}].${key}`, hop[key], (value) => withHop({ [key]: value }), 'rate');
    }
    for (const key of ['rttSeconds', 'queueSeconds'] as const) {
      add(`hops[${h}].${key}`, hop[key], (value) => withHop({ [key]: value }), 'wait');
    }
  });
  const { battery } = context;
  add(
    'battery.level',
    battery?.level,
    (level) => ({ ...context, battery: { ...battery!, level } }),
    'limit',
    { largest: 1 },
  );
}

function addAsked(context: Context, add: Add): void {
  const { requirements } = context;
  const asking = (part: Requirements): Context => ({
    ...context,
    requirements: { ...requirements, ...part },
  });
  for (const key of ['latencySeconds', 'batteryLifetimeSeconds', 'inferencesPerSecond'] as const) {
    const above0 = { least: Number.MIN_VALUE };
    add(`requirements.${key}`, requirements[key], (value) => asking({ [key]: value }), 'limit', above0);
  }
  for (const key of ['energyJoulesPerInference', 'bytesSent', 'accuracyLoss', 'privacyDepth'] as const) {
    const isCount = key === 'privacyDepth';
    add(`requirements.${key}`, requirements[key], (value) => asking({ [key]: value }), 'limit', { isCount });
  }
  for (const key of ['weightBytes', 'memoryBytes'] as const) {
    const bounds = requirements[key];
    bounds?.forEach((present, t) => {
      const withBound = (value: number): Context => asking({ [key]: bounds.with(t, value) });
      add(`requirements.${key}[${t}]`, present, withBound, 'limit');
    });
  }
}
