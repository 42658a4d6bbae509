/**
 * GoogLeNet: Szegedy et al., arXiv 1409.4842, in the form that torchvision publishes figures for: batch
 * normalisation in place of local response normalisation, 3x3 kernels in the branch that the paper gives 5x5,
 * and without the two auxiliary heads, which only training uses.
 */
import type { GraphBuilder, Value } from './builder.js';
import type { ConvOptions } from './operators.js';
import { batchNorm, concat, conv, flatten, gemm, globalAveragePool, maxPool, relu } from './operators.js';

/** Channels of a block: 1x1; 3x3 reduced, 3x3; "5x5" reduced, "5x5"; behind the pool. */
type Channels = readonly [number, number, number, number, number, number];

const STAGE_3: readonly [string, Channels][] = [
  ['inception3a', [64, 96, 128, 16, 32, 32]],
  ['inception3b', [128, 128, 192, 32, 96, 64]],
];
const STAGE_4: readonly [string, Channels][] = [
  ['inception4a', [192, 96, 208, 16, 48, 64]],
  ['inception4b', [160, 112, 224, 24, 64, 64]],
  ['inception4c', [128, 128, 256, 24, 64, 64]],
  ['inception4d', [112, 144, 288, 32, 64, 64]],
  ['inception4e', [256, 160, 320, 32, 128, 128]],
];
const STAGE_5: readonly [string, Channels][] = [
  ['inception5a', [256, 160, 320, 32, 128, 128]],
  ['inception5b', [384, 192, 384, 48, 128, 128]],
];

/** Image [batch, 3, 224, 224] to 1,000 scores. */
export function googlenet(g: GraphBuilder, batch: number): Value[] {
  let x = g.input('image', [batch, 3, 224, 224]);
  x = convBnRelu(g, 'conv1', x, { out: 64, kernel: 7, stride: 2, pad: 3 });
  x = maxPool(g, 'maxpool1', x, { kernel: 3, stride: 2, ceil: true });
  x = convBnRelu(g, 'conv2', x, { out: 64, kernel: 1 });
  x = convBnRelu(g, 'conv3', x, { out: 192, kernel: 3, pad: 1 });
  x = maxPool(g, 'maxpool2', x, { kernel: 3, stride: 2, ceil: true });
  for (const [name, channels] of STAGE_3) x = inception(g, name, x, channels);
  x = maxPool(g, 'maxpool3', x, { kernel: 3, stride: 2, ceil: true });
  for (const [name, channels] of STAGE_4) x = inception(g, name, x, channels);
  x = maxPool(g, 'maxpool4', x, { kernel: 2, stride: 2, ceil: true });
  for (const [name, channels] of STAGE_5) x = inception(g, name, x, channels);
  x = globalAveragePool(g, 'avgpool', x);
  x = flatten(g, 'flatten', x);
  return [gemm(g, 'fc', x, 1000)];
}

function inception(g: GraphBuilder, name: string, x: Value, channels: Channels): Value {
  const [one, threeReduced, three, fiveReduced, five, pooled] = channels;
  const branch2 = convBnRelu(g, `${name}.branch2.0`, x, { out: threeReduced, kernel: 1 });
  const branch3 = convBnRelu(g, `${name}.branch3.0`, x, { out: fiveReduced, kernel: 1 });
  const branch4 = maxPool(g, `${name}.branch4.0`, x, { kernel: 3, stride: 1, pad: 1, ceil: true });
  return concat(g, `${name}.concat`, [
    convBnRelu(g, `${name}.branch1`, x, { out: one, kernel: 1 }),
    convBnRelu(g, `${name}.branch2.1`, branch2, { out: three, kernel: 3, pad: 1 }),
    convBnRelu(g, `${name}.branch3.1`, branch3, { out: five, kernel: 3, pad: 1 }),
    convBnRelu(g, `${name}.branch4.1`, branch4, { out: pooled, kernel: 1 }),
  ]);
}

function convBnRelu(g: GraphBuilder, name: string, x: Value, options: ConvOptions): Value {
  const normed = batchNorm(g, `${name}.bn`, conv(g, `${name}.conv`, x, options), 1e-3);
  return relu(g, `${name}.relu`, normed);
}
