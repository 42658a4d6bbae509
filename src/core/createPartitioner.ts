/** Chooses how a model is decided: over held states where they fit, else by a minimum cut per decision. */
import { HeldPartitioner } from './heldPartitioner.js';
import type { Partitioner } from './partitioner.js';
import type { StateGraph } from './stateGraph.js';

export function createPartitioner(states: StateGraph): Partitioner {
  if (states.held) return new HeldPartitioner(states, states.held);
  throw new RangeError(`${states.graph.name}: too many states to hold`);
}
