/**
 * The same model on machines of other speeds. Times enter every cost as slowdown times seconds of the profile, so a
 * machine that is r times slower is a slowdown r times larger: one state graph serves all machines that are
 * scaled from one profile. Seen from outside nothing changes: contexts, `assumed` and ranges speak of the slowdown
 * as it was measured there.
 */
import type { Context, TierContext } from './context.js';
import { largestAmount } from './contextRanges.js';
import type { Decision } from './decision.js';
import type { Partitioner } from './partitioner.js';

/**
 * `inner`, with the seconds of tier t taken times `ratios[t]`.
 * @param ratios one per tier, finite and above 0
 * @throws RangeError for any other ratio
 */
export function scaledPartitioner(inner: Partitioner, ratios: readonly number[]): Partitioner {
  ratios.forEach((ratio, t) => {
    if (!(ratio > 0 && ratio <= largestAmount)) {
      throw new RangeError(`ratios[${t}]: ${ratio} is not a number above 0, at most ${largestAmount}`);
    }
  });
  if (ratios.every((ratio) => ratio === 1)) return inner;
  const scaled = (context: Context): Context => scaledContext(context, ratios);
  const told = (context: Context, decision: Decision): Decision => {
    const assumed = assumedSlowdowns(context);
    return assumed.length === 0 ? decision : { ...decision, assumed: [...assumed, ...decision.assumed] };
  };
  return {
    stateCount: inner.stateCount,
    decide: (context, present, found) => told(context, inner.decide(scaled(context), present, found)),
    *thorough(context, present) {
      return told(context, yield* inner.thorough(scaled(context), present));
    },
    // one that is too slow is for `decide` to refuse, by name
    confirmed: (context, placement) =>
      isInRange(context, ratios) ? inner.confirmed(context, placement, ratios) : null,
    predict: (context, placement, encoding) => inner.predict(scaled(context), placement, encoding),
    alternatives: (context, limit) => inner.alternatives(scaled(context), limit),
    *ranges(context, decision) {
      const ranges = yield* inner.ranges(scaled(context), decision);
      return ranges.flatMap((range) => {
        const t = context.tiers.findIndex((_, tier) => range.value === slowdownName(tier));
        if (t < 0) return [range];
        const present = context.tiers[t]!.slowdown;
        if (present === undefined) return []; // what nobody measured has no range
        const to = range.to === null ? Infinity : range.to / ratios[t]!;
        const from = range.from / ratios[t]!;
        return [{ value: range.value, present, from, to: to > largestAmount ? null : to }];
      });
    },
  };
}

const slowdownName = (tier: number): string => `tiers[${tier}].slowdown`;

/** What `assess` says of slowdowns that are absent; `inner` is always given one. */
function assumedSlowdowns({ tiers }: Context): string[] {
  if (tiers.every(({ slowdown }) => slowdown !== undefined)) return [];
  return tiers.flatMap(({ slowdown }, t) => (slowdown === undefined ? [`${slowdownName(t)} = 1`] : []));
}

function isInRange({ tiers }: Context, ratios: readonly number[]): boolean {
  for (let t = 0; t < tiers.length; t++) {
    const { slowdown } = tiers[t]!;
    if (slowdown !== undefined && !(slowdown * (ratios[t] ?? 1) <= largestAmount)) return false;
  }
  return true;
}

function scaledContext(context: Context, ratios: readonly number[]): Context {
  const { hops, power, battery, requirements } = context;
  const tiers: TierContext[] = [];
  for (let t = 0; t < context.tiers.length; t++) {
    const { slowdown: measured, freeStorageBytes, freeMemoryBytes } = context.tiers[t]!;
    const ratio = ratios[t] ?? 1; // too many tiers are refused by `inner`, by name
    const slowdown = (measured ?? 1) * ratio;
    if (measured !== undefined && measured <= largestAmount && !(slowdown <= largestAmount)) {
      throw new RangeError(
        `${slowdownName(t)}: ${measured} times the compute ratio ${ratio} is above ${largestAmount}`,
      );
    }
    tiers.push({ slowdown, freeStorageBytes, freeMemoryBytes });
  }
  return { tiers, hops, power, battery, requirements };
}
