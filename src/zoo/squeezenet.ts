/** SqueezeNet 1.1: Iandola et al., arXiv 1602.07360, in the revision of the authors' repository (forresti/SqueezeNet). */
import type { GraphBuilder, Value } from './builder.js';
import { concat, conv, flatten, globalAveragePool, maxPool, relu } from './operators.js';

const FIRES: readonly (readonly [index: number, squeeze: number, expand: number])[] = [
  [3, 16, 64],
  [4, 16, 64],
  [6, 32, 128],
  [7, 32, 128],
  [9, 48, 192],
  [10, 48, 192],
  [11, 64, 256],
  [12, 64, 256],
];
const POOL = { kernel: 3, stride: 2, ceil: true };

/** Image [batch, 3, 224, 224] to 1,000 scores; the pools behind conv1, fire 4 and fire 7 halve the size. */
export function squeezenet11(g: GraphBuilder, batch: number): Value[] {
  let x = g.input('image', [batch, 3, 224, 224]);
  x = conv(g, 'features.0', x, { out: 64, kernel: 3, stride: 2, bias: true });
  x = relu(g, 'features.1', x);
  x = maxPool(g, 'features.2', x, POOL);
  for (const [index, squeeze, expand] of FIRES) {
    if (index === 6) x = maxPool(g, 'features.5', x, POOL);
    if (index === 9) x = maxPool(g, 'features.8', x, POOL);
    x = fire(g, `features.${index}`, x, squeeze, expand);
  }
  x = conv(g, 'classifier.1', x, { out: 1000, kernel: 1, bias: true });
  x = relu(g, 'classifier.2', x);
  x = globalAveragePool(g, 'classifier.3', x);
  return [flatten(g, 'scores', x)];
}

function fire(g: GraphBuilder, name: string, x: Value, squeeze: number, expand: number): Value {
  const narrow = convRelu(g, `${name}.squeeze`, x, { out: squeeze, kernel: 1 });
  return concat(g, `${name}.concat`, [
    convRelu(g, `${name}.expand1x1`, narrow, { out: expand, kernel: 1 }),
    convRelu(g, `${name}.expand3x3`, narrow, { out: expand, kernel: 3, pad: 1 }),
  ]);
}

function convRelu(
  g: GraphBuilder,
  name: string,
  x: Value,
  options: { out: number; kernel: number; pad?: number },
): Value {
  return relu(g, `${name}.relu`, conv(g, name, x, { ...options, bias: true }));
}
