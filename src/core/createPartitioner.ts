/** Chooses how a model is decided: over held states where they fit, else by minimum cuts per decision. */
import { CutPartitioner } from './cutPartitioner.js';
import { HeldPartitioner } from './heldPartitioner.js';
import type { Partitioner } from './partitioner.js';
import type { StateGraph } from './stateGraph.js';

export function createPartitioner(states: StateGraph): Partitioner {
  return states.held === null ? new CutPartitioner(states) : new HeldPartitioner(states, states.held);
}
