/**
 * Inception-v3: Szegedy et al., arXiv 1512.00567, as torchvision builds it (its names, its five kinds of block),
 * without the auxiliary head, which only training uses.
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

const HALVING_POOL = { kernel: 3, stride: 2 };
/** Kernels along one direction, with the padding that keeps the size. */
const ROW_3 = { kernel: [1, 3], pad: [0, 1] } as const;
const COLUMN_3 = { kernel: [3, 1], pad: [1, 0] } as const;
const ROW_7 = { kernel: [1, 7], pad: [0, 3] } as const;
const COLUMN_7 = { kernel: [7, 1], pad: [3, 0] } as const;
const SQUARE_3 = { kernel: 3, pad: 1 } as const;

/** Image [batch, 3, 299, 299] to 1,000 scores. */
export function inceptionV3(g: GraphBuilder, batch: number): Value[] {
  let x = g.input('image', [batch, 3, 299, 299]);
  x = convBnRelu(g, 'Conv2d_1a_3x3', x, { out: 32, kernel: 3, stride: 2 });
  x = convBnRelu(g, 'Conv2d_2a_3x3', x, { out: 32, kernel: 3 });
  x = convBnRelu(g, 'Conv2d_2b_3x3', x, { out: 64, kernel: 3, pad: 1 });
  x = maxPool(g, 'maxpool1', x, HALVING_POOL);
  x = convBnRelu(g, 'Conv2d_3b_1x1', x, { out: 80, kernel: 1 });
  x = convBnRelu(g, 'Conv2d_4a_3x3', x, { out: 192, kernel: 3 });
  x = maxPool(g, 'maxpool2', x, HALVING_POOL);
  x = blockA(g, 'Mixed_5b', x, 32);
  x = blockA(g, 'Mixed_5c', x, 64);
  x = blockA(g, 'Mixed_5d', x, 64);
  x = blockB(g, 'Mixed_6a', x);
  x = blockC(g, 'Mixed_6b', x, 128);
  x = blockC(g, 'Mixed_6c', x, 160);
  x = blockC(g, 'Mixed_6d', x, 160);
  x = blockC(g, 'Mixed_6e', x, 192);
  x = blockD(g, 'Mixed_7a', x);
  x = blockE(g, 'Mixed_7b', x);
  x = blockE(g, 'Mixed_7c', x);
  x = flatten(g, 'flatten', globalAveragePool(g, 'avgpool', x));
  return [gemm(g, 'fc', x, 1000)];
}

/** 35x35: 1x1, 5x5, two 3x3, and a pool of `pooled` channels. */
function blockA(g: GraphBuilder, name: string, x: Value, pooled: number): Value {
  return concat(g, `${name}.concat`, [
    convBnRelu(g, `${name}.branch1x1`, x, { out: 64, kernel: 1 }),
    chain(g, `${name}.branch5x5`, x, [
      { out: 48, kernel: 1 },
      { out: 64, kernel: 5, pad: 2 },
    ]),
    chain(g, `${name}.branch3x3dbl`, x, [
      { out: 64, kernel: 1 },
      { out: 96, ...SQUARE_3 },
      { out: 96, ...SQUARE_3 },
    ]),
    poolBranch(g, name, x, pooled),
  ]);
}

/** 35x35 to 17x17. */
function blockB(g: GraphBuilder, name: string, x: Value): Value {
  return concat(g, `${name}.concat`, [
    convBnRelu(g, `${name}.branch3x3`, x, { out: 384, kernel: 3, stride: 2 }),
    chain(g, `${name}.branch3x3dbl`, x, [
      { out: 64, kernel: 1 },
      { out: 96, ...SQUARE_3 },
      { out: 96, kernel: 3, stride: 2 },
    ]),
    maxPool(g, `${name}.branch_pool`, x, HALVING_POOL),
  ]);
}

/** 17x17: 7x7 kernels as rows and columns, of `narrow` channels. */
function blockC(g: GraphBuilder, name: string, x: Value, narrow: number): Value {
  return concat(g, `${name}.concat`, [
    convBnRelu(g, `${name}.branch1x1`, x, { out: 192, kernel: 1 }),
    chain(g, `${name}.branch7x7`, x, [
      { out: narrow, kernel: 1 },
      { out: narrow, ...ROW_7 },
      { out: 192, ...COLUMN_7 },
    ]),
    chain(g, `${name}.branch7x7dbl`, x, [
      { out: narrow, kernel: 1 },
      { out: narrow, ...COLUMN_7 },
      { out: narrow, ...ROW_7 },
      { out: narrow, ...COLUMN_7 },
      { out: 192, ...ROW_7 },
    ]),
    poolBranch(g, name, x, 192),
  ]);
}

/** 17x17 to 8x8. */
function blockD(g: GraphBuilder, name: string, x: Value): Value {
  return concat(g, `${name}.concat`, [
    chain(g, `${name}.branch3x3`, x, [
      { out: 192, kernel: 1 },
      { out: 320, kernel: 3, stride: 2 },
    ]),
    chain(g, `${name}.branch7x7x3`, x, [
      { out: 192, kernel: 1 },
      { out: 192, ...ROW_7 },
      { out: 192, ...COLUMN_7 },
      { out: 192, kernel: 3, stride: 2 },
    ]),
    maxPool(g, `${name}.branch_pool`, x, HALVING_POOL),
  ]);
}

/** 8x8: two branches that split into a row and a column each. */
function blockE(g: GraphBuilder, name: string, x: Value): Value {
  const single = convBnRelu(g, `${name}.branch3x3_1`, x, { out: 384, kernel: 1 });
  const double = chain(g, `${name}.branch3x3dbl`, x, [
    { out: 448, kernel: 1 },
    { out: 384, ...SQUARE_3 },
  ]);
  const split = (branch: string, step: number, from: Value) =>
    concat(g, `${name}.${branch}.concat`, [
      convBnRelu(g, `${name}.${branch}_${step}a`, from, { out: 384, ...ROW_3 }),
      convBnRelu(g, `${name}.${branch}_${step}b`, from, { out: 384, ...COLUMN_3 }),
    ]);
  return concat(g, `${name}.concat`, [
    convBnRelu(g, `${name}.branch1x1`, x, { out: 320, kernel: 1 }),
    split('branch3x3', 2, single),
    split('branch3x3dbl', 3, double),
    poolBranch(g, name, x, 192),
  ]);
}

function poolBranch(g: GraphBuilder, name: string, x: Value, out: number): Value {
  const pooled = averagePool(g, `${name}.avgpool`, x, { kernel: 3, stride: 1, pad: 1 });
  return convBnRelu(g, `${name}.branch_pool`, pooled, { out, kernel: 1 });
}

/** Convolutions one behind the other, called `name_1`, `name_2` … */
function chain(g: GraphBuilder, name: string, x: Value, steps: readonly ConvOptions[]): Value {
  return steps.reduce((from, step, at) => convBnRelu(g, `${name}_${at + 1}`, from, step), x);
}

function convBnRelu(g: GraphBuilder, name: string, x: Value, options: ConvOptions): Value {
  return relu(g, `${name}.relu`, batchNorm(g, `${name}.bn`, conv(g, `${name}.conv`, x, options), 1e-3));
}
