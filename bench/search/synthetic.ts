/** Graphs of known shape and any size, for what grows with layers, width, states and tiers. */
import type { LayerGraph, Layer, Tensor } from '../../src/core/layerGraph.js';
import { createRandom } from '../../src/demo/random.js';
import type { ImportResult } from '../../src/control/ports.js';

export interface SyntheticShape {
  /** `blocks` times: `width` parallel chains of `length` layers between two cut vertices. */
  readonly blocks: number;
  readonly width: number;
  readonly length: number;
}

/** A graph and its seconds on one machine; the same seed gives the same. */
export function syntheticModel(
  name: string,
  { blocks, width, length }: SyntheticShape,
  seed: number,
): Pick<ImportResult, 'graph'> & { readonly seconds: readonly number[] } {
  const random = createRandom(seed);
  const layers: Layer[] = [];
  const readers: number[][] = [];
  const add = (from: readonly number[]): number => {
    const v = layers.length;
    layers.push({
      name: `layer${v}`,
      operators: ['Conv'],
      weightBytes: Math.floor(1e5 * Math.exp(random.normal())),
      workingBytes: Math.floor(1e5 * Math.exp(random.normal())),
      macs: null,
    });
    readers.push([]);
    for (const u of from) readers[u]!.push(v);
    return v;
  };
  let last = add([]);
  for (let b = 0; b < blocks; b++) {
    const ends = Array.from({ length: width }, () => {
      let here = last;
      for (let i = 0; i < length; i++) here = add([here]);
      return here;
    });
    last = add([...new Set(ends)]);
  }
  const tensor = (tensorName: string, producer: number | null, consumers: readonly number[]): Tensor => ({
    name: tensorName,
    type: 'float32',
    shape: [1],
    // Tensors shrink towards the end, as they do in most networks.
    bytes: Math.floor((2e5 * Math.exp(0.8 * random.normal())) / (1 + (3 * (producer ?? 0)) / layers.length)),
    producer,
    consumers,
    isOutput: consumers.length === 0,
  });
  const tensors = [tensor('input', null, [0]), ...readers.map((each, v) => tensor(`t${v}`, v, each))];
  const graph: LayerGraph = { name, layers, tensors };
  return { graph, seconds: layers.map(() => 1e-3 * Math.exp(0.7 * random.normal())) };
}
