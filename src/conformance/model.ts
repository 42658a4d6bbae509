/**
 * The network that scenarios deploy: a large input, a cheap first layer that makes it small, and work behind it. So
 * the link alone decides whether everything runs on the end device, nothing, or the first layer.
 */
import { GraphBuilder } from '../zoo/builder.js';
import { conv, flatten, globalAveragePool, maxPool, relu } from '../zoo/operators.js';

export const modelName = 'conformance';

/** An ONNX file of some 80 KB. */
export function conformanceModel(): Buffer {
  const g = new GraphBuilder(modelName, { seed: 1, weights: 'random' });
  let x = maxPool(g, 'shrink', g.input('image', [1, 4, 256, 256]), { kernel: 8, stride: 8 });
  for (const index of [1, 2, 3]) {
    x = relu(g, `relu${index}`, conv(g, `conv${index}`, x, { out: 32, kernel: 3, pad: 1, bias: true }));
  }
  return Buffer.concat([...g.encode([flatten(g, 'scores', globalAveragePool(g, 'mean', x))]).chunks()]);
}
