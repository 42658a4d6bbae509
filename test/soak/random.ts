/** Choices of the chaos, from one seed. */
import { createRandom, type Random } from '../../src/demo/random.js';

export interface Chance extends Random {
  /** True with probability `share`, 0 to 1. */
  happens(share: number): boolean;
  below(limit: number): number;
  pick<T>(list: readonly T[]): T;
}

export function createChance(seed: number): Chance {
  const random = createRandom(seed);
  const below = (limit: number): number => Math.floor(random.uniform() * limit);
  return {
    ...random,
    below,
    happens: (share) => random.uniform() < share,
    pick: (list) => list[below(list.length)]!,
  };
}
