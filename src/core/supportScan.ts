/**
 * The innermost loop of a search without bounds: which support state has the least sum. Written out per number of tiers, which
 * takes a third of the time of a loop over the features. The order of the additions is that of `weightedSum`.
 */
import { featureLayout } from './features.js';

/** Priced features of two tiers: seconds on both, hop used, bytes up, bytes down. */
const pricedOfTwoTiers = featureLayout(2).weights;
/** The same of three tiers, each hop having three. */
const pricedOfThreeTiers = featureLayout(3).weights;

/** The row with the least sum, the first of equals. */
export function leastOfTwoTiers(rows: Float64Array, weights: Float64Array): number {
  const a = weights[0]!;
  const b = weights[1]!;
  const c = weights[2]!;
  const d = weights[3]!;
  const e = weights[4]!;
  let least = Infinity;
  let at = 0;
  for (let i = 0; i < rows.length; i += pricedOfTwoTiers) {
    const sum = a * rows[i]! + b * rows[i + 1]! + c * rows[i + 2]! + d * rows[i + 3]! + e * rows[i + 4]!;
    if (sum < least) {
      least = sum;
      at = i;
    }
  }
  return at / pricedOfTwoTiers;
}

/** The row with the least sum, the first of equals. */
export function leastOfThreeTiers(rows: Float64Array, weights: Float64Array): number {
  const a = weights[0]!;
  const b = weights[1]!;
  const c = weights[2]!;
  const d = weights[3]!;
  const e = weights[4]!;
  const f = weights[5]!;
  const g = weights[6]!;
  const h = weights[7]!;
  const j = weights[8]!;
  let least = Infinity;
  let at = 0;
  for (let i = 0; i < rows.length; i += pricedOfThreeTiers) {
    const lower = a * rows[i]! + b * rows[i + 1]! + c * rows[i + 2]! + d * rows[i + 3]! + e * rows[i + 4]!;
    const sum = lower + f * rows[i + 5]! + g * rows[i + 6]! + h * rows[i + 7]! + j * rows[i + 8]!;
    if (sum < least) {
      least = sum;
      at = i;
    }
  }
  return at / pricedOfThreeTiers;
}
