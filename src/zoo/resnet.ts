/**
 * ResNet: He et al., arXiv 1512.03385. The bottleneck halves the size in its 3x3 convolution ("v1.5"), which is
 * what exporters write today and what the published 4.1 G MACs of ResNet-50 count; the paper's own 3.8 G have
 * the stride in the first 1x1.
 */
import type { GraphBuilder, Value } from './builder.js';
import type { ConvOptions } from './operators.js';
import { add, batchNorm, conv, flatten, gemm, globalAveragePool, maxPool, relu } from './operators.js';

type Block = (g: GraphBuilder, name: string, x: Value, channels: number, stride: number) => Value;

/** Image [batch, 3, 224, 224] to 1,000 scores. */
export const resnet18 = (g: GraphBuilder, batch: number) => resnet(g, batch, basicBlock, [2, 2, 2, 2]);
/** Image [batch, 3, 224, 224] to 1,000 scores. */
export const resnet50 = (g: GraphBuilder, batch: number) => resnet(g, batch, bottleneck, [3, 4, 6, 3]);

function resnet(g: GraphBuilder, batch: number, block: Block, depths: readonly number[]): Value[] {
  let x = g.input('image', [batch, 3, 224, 224]);
  x = relu(g, 'relu', convBn(g, 'conv1', 'bn1', x, { out: 64, kernel: 7, stride: 2, pad: 3 }));
  x = maxPool(g, 'maxpool', x, { kernel: 3, stride: 2, pad: 1 });
  depths.forEach((depth, stage) => {
    for (let index = 0; index < depth; index++) {
      const stride = stage > 0 && index === 0 ? 2 : 1;
      x = block(g, `layer${stage + 1}.${index}`, x, 64 * 2 ** stage, stride);
    }
  });
  x = globalAveragePool(g, 'avgpool', x);
  x = flatten(g, 'flatten', x);
  return [gemm(g, 'fc', x, 1000)];
}

function basicBlock(g: GraphBuilder, name: string, x: Value, channels: number, stride: number): Value {
  const first = { out: channels, kernel: 3, stride, pad: 1 };
  let y = relu(g, `${name}.relu1`, convBn(g, `${name}.conv1`, `${name}.bn1`, x, first));
  y = convBn(g, `${name}.conv2`, `${name}.bn2`, y, { out: channels, kernel: 3, pad: 1 });
  return join(g, name, x, y, stride);
}

function bottleneck(g: GraphBuilder, name: string, x: Value, channels: number, stride: number): Value {
  const middle = { out: channels, kernel: 3, stride, pad: 1 };
  let y = convBn(g, `${name}.conv1`, `${name}.bn1`, x, { out: channels, kernel: 1 });
  y = relu(g, `${name}.relu1`, y);
  y = relu(g, `${name}.relu2`, convBn(g, `${name}.conv2`, `${name}.bn2`, y, middle));
  y = convBn(g, `${name}.conv3`, `${name}.bn3`, y, { out: channels * 4, kernel: 1 });
  return join(g, name, x, y, stride);
}

/** The shortcut: a projection where the shape changes, else the input itself. */
function join(g: GraphBuilder, name: string, x: Value, y: Value, stride: number): Value {
  const out = y.shape[1]!;
  const projected = stride !== 1 || x.shape[1] !== out;
  const shortcut = projected
    ? convBn(g, `${name}.downsample.0`, `${name}.downsample.1`, x, { out, kernel: 1, stride })
    : x;
  return relu(g, `${name}.relu`, add(g, `${name}.add`, y, shortcut));
}

function convBn(g: GraphBuilder, convName: string, bnName: string, x: Value, options: ConvOptions): Value {
  return batchNorm(g, bnName, conv(g, convName, x, options));
}
