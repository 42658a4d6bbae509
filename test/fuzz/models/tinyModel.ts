/** A network of nine operators with a branch and a join, by the zoo's builder: the seed that is there on every machine. */
import { GraphBuilder } from '../../../src/zoo/builder.js';
import { concat, conv, flatten, globalAveragePool, maxPool, relu } from '../../../src/zoo/operators.js';

export function tinyModel(): Uint8Array {
  const g = new GraphBuilder('tiny', { seed: 1, weights: 'random' });
  const image = g.input('image', [1, 3, 8, 8]);
  const stem = relu(g, 'stem.relu', conv(g, 'stem', image, { out: 4, kernel: 3, pad: 1, bias: true }));
  const pooled = maxPool(g, 'pool', stem, { kernel: 2, stride: 2 });
  const joined = concat(g, 'join', [
    conv(g, 'left', pooled, { out: 2, kernel: 1, bias: true }),
    conv(g, 'right', pooled, { out: 2, kernel: 3, pad: 1 }),
  ]);
  const scores = flatten(g, 'scores', globalAveragePool(g, 'average', joined));
  return Buffer.concat([...g.encode([scores]).chunks()]);
}
