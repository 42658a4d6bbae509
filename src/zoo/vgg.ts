/**
 * VGG-16: Simonyan and Zisserman, arXiv 1409.1556, configuration D, without batch normalisation. The average
 * pool to 7x7 that torchvision has for other image sizes is left out: for 224x224 its input is 7x7 already.
 */
import type { GraphBuilder, Value } from './builder.js';
import { conv, flatten, gemm, maxPool, relu } from './operators.js';

/** Output channels of the 3x3 convolutions between two pools. */
const STAGES = [
  [64, 64],
  [128, 128],
  [256, 256, 256],
  [512, 512, 512],
  [512, 512, 512],
] as const;

/** Image [batch, 3, 224, 224] to 1,000 scores. */
export function vgg16(g: GraphBuilder, batch: number): Value[] {
  let x = g.input('image', [batch, 3, 224, 224]);
  let index = 0;
  for (const stage of STAGES) {
    for (const out of stage) {
      x = conv(g, `features.${index++}`, x, { out, kernel: 3, pad: 1, bias: true });
      x = relu(g, `features.${index++}`, x);
    }
    x = maxPool(g, `features.${index++}`, x, { kernel: 2, stride: 2 });
  }
  x = flatten(g, 'flatten', x);
  x = relu(g, 'classifier.1', gemm(g, 'classifier.0', x, 4096));
  x = relu(g, 'classifier.4', gemm(g, 'classifier.3', x, 4096));
  return [gemm(g, 'classifier.6', x, 1000)];
}
