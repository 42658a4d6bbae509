/** A chain that is small enough to see through: 100 kB go in, 20 kB and 5 kB lie between, 1 kB comes out. */
import { chain, tierOf as tierWith } from '../../support/chain.js';

export const graph = chain([100_000, 20_000, 5_000, 1_000], () => ({
  weightBytes: 1000,
  workingBytes: 1000,
}));

/** A tier on which each layer takes `each` seconds. */
export const tierOf = (each: number) => tierWith([each, each, each]);
