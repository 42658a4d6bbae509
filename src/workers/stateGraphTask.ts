/** Runs in a worker thread: enumerating the states of a wide model takes seconds. */
import type { MessagePort } from 'node:worker_threads';
import { move, transferableSymbol, valueSymbol } from 'piscina';
import { fractionDone, type BuildProgress } from '../core/buildProgress.js';
import type { NestedCuts } from '../core/nestedCuts.js';
import { buildStateGraph, type PartitionInput, type StateGraph } from '../core/stateGraph.js';

export interface StateGraphTask {
  readonly input: PartitionInput;
  readonly maxStates: number;
  /** Is told the fraction done, a number from 0 to 1, in steps of a hundredth or more. */
  readonly progress: MessagePort;
}

export default function build({ input, maxStates, progress }: StateGraphTask): StateGraph {
  const built = buildStateGraph(input, maxStates, tell(progress));
  progress.close();
  const { held } = built;
  if (held === null) return built;
  // the large arrays change hands instead of being copied on the main thread
  const transferList = [
    held.features,
    held.masks,
    held.slots,
    held.tree.corners,
    held.stateRows.priced,
    held.stateRows.bounded,
    held.nodeRows.priced,
    held.nodeRows.bounded,
    ...(held.nested === null ? [] : largeParts(held.nested)),
  ].map((array) => array.buffer as ArrayBuffer);
  return move({
    [transferableSymbol]: transferList,
    [valueSymbol]: built,
  }) as unknown as StateGraph;
}

function largeParts({ uppers, states, lowerLeaf, upperLeaf }: NestedCuts): Int32Array[] {
  return [uppers, states, lowerLeaf, upperLeaf];
}

function tell(port: MessagePort): BuildProgress {
  let told = 0;
  return (stage, fraction) => {
    const done = fractionDone(stage, fraction);
    if (done < told + 0.01) return;
    told = done;
    port.postMessage(done);
  };
}
