/** Chooses how a model is decided: over held states where they fit, else by minimum cuts per decision. */
import { CutPartitioner } from './cutPartitioner.js';
import { HeldPartitioner } from './heldPartitioner.js';
import type { Partitioner } from './partitioner.js';
import type { StateGraph } from './stateGraph.js';

/** @param minCutWork of a decision where the states are not held (cutSearch.ts); absent: all that is worth it */
export function createPartitioner(states: StateGraph, minCutWork?: number): Partitioner {
  return states.held === null
    ? new CutPartitioner(states, minCutWork)
    : new HeldPartitioner(states, states.held);
}
