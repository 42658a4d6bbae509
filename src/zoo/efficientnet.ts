/** EfficientNet-B0: Tan and Le, arXiv 1905.11946, Table 1. Swish is written as a sigmoid and a product. */
import type { GraphBuilder, Value } from './builder.js';
import type { ConvOptions } from './operators.js';
import {
  add,
  batchNorm,
  conv,
  flatten,
  gemm,
  globalAveragePool,
  multiply,
  silu,
  unary,
} from './operators.js';

interface Stage {
  readonly expansion: number;
  readonly kernel: number;
  /** Stride of the first block; the others have 1. */
  readonly stride: number;
  readonly out: number;
  readonly blocks: number;
}

/** Rows 2 to 8 of the paper's Table 1. */
const STAGES: readonly Stage[] = [
  { expansion: 1, kernel: 3, stride: 1, out: 16, blocks: 1 },
  { expansion: 6, kernel: 3, stride: 2, out: 24, blocks: 2 },
  { expansion: 6, kernel: 5, stride: 2, out: 40, blocks: 2 },
  { expansion: 6, kernel: 3, stride: 2, out: 80, blocks: 3 },
  { expansion: 6, kernel: 5, stride: 1, out: 112, blocks: 3 },
  { expansion: 6, kernel: 5, stride: 2, out: 192, blocks: 4 },
  { expansion: 6, kernel: 3, stride: 1, out: 320, blocks: 1 },
];

/** Image [batch, 3, 224, 224] to 1,000 scores. */
export function efficientnetB0(g: GraphBuilder, batch: number): Value[] {
  let x = g.input('image', [batch, 3, 224, 224]);
  x = convBnSilu(g, 'features.0', x, { out: 32, kernel: 3, stride: 2, pad: 1 });
  STAGES.forEach((stage, at) => {
    for (let block = 0; block < stage.blocks; block++) {
      const stride = block === 0 ? stage.stride : 1;
      x = mbConv(g, `features.${at + 1}.${block}`, x, { ...stage, stride });
    }
  });
  x = convBnSilu(g, 'features.8', x, { out: 1280, kernel: 1 });
  x = flatten(g, 'flatten', globalAveragePool(g, 'avgpool', x));
  return [gemm(g, 'classifier.1', x, 1000)];
}

/** Expand, filter each channel by itself, weigh the channels, project; a shortcut where shapes allow. */
function mbConv(g: GraphBuilder, name: string, x: Value, stage: Stage): Value {
  const { expansion, kernel, stride, out } = stage;
  const channels = x.shape[1]!;
  const hidden = channels * expansion;
  let y = x;
  if (expansion !== 1) y = convBnSilu(g, `${name}.expand`, y, { out: hidden, kernel: 1 });
  const pad = (kernel - 1) / 2;
  y = convBnSilu(g, `${name}.depthwise`, y, { out: hidden, kernel, stride, pad, groups: hidden });
  y = squeezeExcite(g, `${name}.se`, y, channels / 4);
  y = batchNorm(g, `${name}.project.bn`, conv(g, `${name}.project.conv`, y, { out, kernel: 1 }));
  return stride === 1 && channels === out ? add(g, `${name}.add`, y, x) : y;
}

/** Scales each channel by a number between 0 and 1 that comes from the means of all of them. */
function squeezeExcite(g: GraphBuilder, name: string, x: Value, squeezed: number): Value {
  let scale = globalAveragePool(g, `${name}.avgpool`, x);
  scale = conv(g, `${name}.fc1`, scale, { out: squeezed, kernel: 1, bias: true });
  scale = silu(g, `${name}.silu`, scale);
  scale = conv(g, `${name}.fc2`, scale, { out: x.shape[1]!, kernel: 1, bias: true });
  return multiply(g, `${name}.scale`, x, unary(g, `${name}.sigmoid`, 'Sigmoid', scale));
}

function convBnSilu(g: GraphBuilder, name: string, x: Value, options: ConvOptions): Value {
  return silu(g, `${name}.silu`, batchNorm(g, `${name}.bn`, conv(g, `${name}.conv`, x, options)));
}
