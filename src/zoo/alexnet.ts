/**
 * AlexNet in its one-tower form: Krizhevsky, "One weird trick", arXiv 1404.5997, as torchvision builds it. The
 * average pool to 6x6 behind the last block is left out: for 224x224 images its input is 6x6 already.
 */
import type { GraphBuilder, Value } from './builder.js';
import { conv, flatten, gemm, maxPool, relu } from './operators.js';

const POOL = { kernel: 3, stride: 2 };

/** Image [batch, 3, 224, 224] to 1,000 scores. */
export function alexnet(g: GraphBuilder, batch: number): Value[] {
  let x = g.input('image', [batch, 3, 224, 224]);
  x = conv(g, 'features.0', x, { out: 64, kernel: 11, stride: 4, pad: 2, bias: true });
  x = maxPool(g, 'features.2', relu(g, 'features.1', x), POOL);
  x = conv(g, 'features.3', x, { out: 192, kernel: 5, pad: 2, bias: true });
  x = maxPool(g, 'features.5', relu(g, 'features.4', x), POOL);
  x = relu(g, 'features.7', conv(g, 'features.6', x, { out: 384, kernel: 3, pad: 1, bias: true }));
  x = relu(g, 'features.9', conv(g, 'features.8', x, { out: 256, kernel: 3, pad: 1, bias: true }));
  x = relu(g, 'features.11', conv(g, 'features.10', x, { out: 256, kernel: 3, pad: 1, bias: true }));
  x = flatten(g, 'flatten', maxPool(g, 'features.12', x, POOL));
  x = relu(g, 'classifier.2', gemm(g, 'classifier.1', x, 4096));
  x = relu(g, 'classifier.5', gemm(g, 'classifier.4', x, 4096));
  return [gemm(g, 'classifier.6', x, 1000)];
}
