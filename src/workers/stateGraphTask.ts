/** Runs in a worker thread: enumerating the states of a wide model takes seconds. */
import { move, transferableSymbol, valueSymbol } from 'piscina';
import { buildStateGraph, type PartitionInput, type StateGraph } from '../core/stateGraph.js';

export interface StateGraphTask {
  readonly input: PartitionInput;
  readonly maxStates: number;
}

export default function build({ input, maxStates }: StateGraphTask): StateGraph {
  const built = buildStateGraph(input, maxStates);
  const { held } = built;
  if (held === null) return built;
  // the large arrays change hands instead of being copied on the main thread
  const transferList = [
    held.features,
    held.masks,
    held.tree.corners,
    held.stateRows.priced,
    held.stateRows.bounded,
    held.nodeRows.priced,
    held.nodeRows.bounded,
    held.neighbourStart,
    held.neighbours,
  ].map((array) => array.buffer as ArrayBuffer);
  return move({
    [transferableSymbol]: transferList,
    [valueSymbol]: built,
  }) as unknown as StateGraph;
}
