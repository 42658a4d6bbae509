/** Counts the valid cuts of a layer graph without listing them: the way of a checker that shares no code with the search. */
import type { LayerGraph } from '../../../src/core/layerGraph.js';

/**
 * All on the device and all on the edge count too. Layer by layer, cuts are told apart only by which of the
 * layers that still have readers to come are on the device.
 */
export function countCuts({ layers, tensors }: LayerGraph): number {
  const lastReader = layers.map((_, layer) =>
    tensors.reduce((last, each) => (each.producer === layer ? Math.max(last, ...each.consumers) : last), -1),
  );
  let counts = new Map([['', 1]]);
  layers.forEach((_, layer) => {
    const needed = tensors.flatMap(({ producer, consumers }) =>
      producer !== null && consumers.includes(layer) ? [producer] : [],
    );
    const next = new Map<string, number>();
    for (const [key, count] of counts) {
      const below = key === '' ? [] : key.split(',').map(Number);
      const choices = needed.every((each) => below.includes(each)) ? [below, [...below, layer]] : [below];
      for (const choice of choices) {
        const still = choice.filter((each) => lastReader[each]! > layer).join();
        next.set(still, (next.get(still) ?? 0) + count);
      }
    }
    counts = next;
  });
  return [...counts.values()].reduce((sum, count) => sum + count, 0);
}
