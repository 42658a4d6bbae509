/** MobileNetV2 of width 1.0: Sandler et al., arXiv 1801.04381, Table 2. */
import type { GraphBuilder, Value } from './builder.js';
import type { ConvOptions } from './operators.js';
import { add, batchNorm, conv, flatten, gemm, globalAveragePool, relu6 } from './operators.js';

/** Rows of the paper's Table 2: expansion factor, output channels, repeats, stride of the first. */
const ROWS = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
] as const;

/** Image [batch, 3, 224, 224] to 1,000 scores. */
export function mobilenetV2(g: GraphBuilder, batch: number): Value[] {
  let x = g.input('image', [batch, 3, 224, 224]);
  x = convBnRelu6(g, 'features.0', x, { out: 32, kernel: 3, stride: 2, pad: 1 });
  let index = 1;
  for (const [expansion, out, repeats, firstStride] of ROWS) {
    for (let repeat = 0; repeat < repeats; repeat++) {
      const stride = repeat === 0 ? firstStride : 1;
      x = invertedResidual(g, `features.${index++}`, x, expansion, out, stride);
    }
  }
  x = convBnRelu6(g, `features.${index}`, x, { out: 1280, kernel: 1 });
  x = flatten(g, 'flatten', globalAveragePool(g, 'avgpool', x));
  return [gemm(g, 'classifier.1', x, 1000)];
}

/** Expand, filter each channel by itself, project without an activation; a shortcut where shapes allow. */
function invertedResidual(
  g: GraphBuilder,
  name: string,
  x: Value,
  expansion: number,
  out: number,
  stride: number,
): Value {
  const channels = x.shape[1]!;
  const hidden = channels * expansion;
  let y = x;
  if (expansion !== 1) y = convBnRelu6(g, `${name}.expand`, y, { out: hidden, kernel: 1 });
  const depthwise = { out: hidden, kernel: 3, stride, pad: 1, groups: hidden };
  y = convBnRelu6(g, `${name}.depthwise`, y, depthwise);
  y = conv(g, `${name}.project.conv`, y, { out, kernel: 1 });
  y = batchNorm(g, `${name}.project.bn`, y);
  return stride === 1 && channels === out ? add(g, `${name}.add`, x, y) : y;
}

function convBnRelu6(g: GraphBuilder, name: string, x: Value, options: ConvOptions): Value {
  return relu6(g, `${name}.relu6`, batchNorm(g, `${name}.bn`, conv(g, `${name}.conv`, x, options)));
}
