/**
 * DenseNet-121 (growth 32): Huang et al., arXiv 1608.06993. Each layer reads the concatenation of all features of
 * its block so far, as exporters write it: one Concat of all of them per layer.
 */
import type { GraphBuilder, Value } from './builder.js';
import type { ConvOptions } from './operators.js';
import {
  averagePool,
  batchNorm,
  concat,
  conv,
  flatten,
  gemm,
  globalAveragePool,
  maxPool,
  relu,
} from './operators.js';

const LAYERS_OF_BLOCKS = [6, 12, 24, 16];
const GROWTH = 32;
/** Channels between a layer's 1x1 and its 3x3 convolution. */
const BOTTLENECK = 4 * GROWTH;

/** Image [batch, 3, 224, 224] to 1,000 scores. */
export function densenet121(g: GraphBuilder, batch: number): Value[] {
  let x = g.input('image', [batch, 3, 224, 224]);
  x = conv(g, 'features.conv0', x, { out: 64, kernel: 7, stride: 2, pad: 3 });
  x = relu(g, 'features.relu0', batchNorm(g, 'features.norm0', x));
  x = maxPool(g, 'features.pool0', x, { kernel: 3, stride: 2, pad: 1 });
  LAYERS_OF_BLOCKS.forEach((layers, at) => {
    x = denseBlock(g, `features.denseblock${at + 1}`, x, layers);
    if (at < LAYERS_OF_BLOCKS.length - 1) x = transition(g, `features.transition${at + 1}`, x);
  });
  x = relu(g, 'features.relu5', batchNorm(g, 'features.norm5', x));
  x = flatten(g, 'flatten', globalAveragePool(g, 'avgpool', x));
  return [gemm(g, 'classifier', x, 1000)];
}

function denseBlock(g: GraphBuilder, name: string, x: Value, layers: number): Value {
  const features = [x];
  for (let at = 1; at <= layers; at++) {
    const layer = `${name}.denselayer${at}`;
    const all = features.length === 1 ? x : concat(g, `${layer}.concat`, features);
    const narrow = normReluConv(g, layer, 1, all, { out: BOTTLENECK, kernel: 1 });
    features.push(normReluConv(g, layer, 2, narrow, { out: GROWTH, kernel: 3, pad: 1 }));
  }
  return concat(g, `${name}.concat`, features);
}

/** Half the channels, half the size. */
function transition(g: GraphBuilder, name: string, x: Value): Value {
  const y = relu(g, `${name}.relu`, batchNorm(g, `${name}.norm`, x));
  const narrow = conv(g, `${name}.conv`, y, { out: x.shape[1]! / 2, kernel: 1 });
  return averagePool(g, `${name}.pool`, narrow, { kernel: 2, stride: 2 });
}

function normReluConv(g: GraphBuilder, layer: string, step: number, x: Value, options: ConvOptions): Value {
  const y = relu(g, `${layer}.relu${step}`, batchNorm(g, `${layer}.norm${step}`, x));
  return conv(g, `${layer}.conv${step}`, y, options);
}
