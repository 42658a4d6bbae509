/** The operators of convolutional networks, each with its output shape, parameters and MACs. */
import type { Attribute, GraphBuilder, Value } from './builder.js';
import { ABSENT, elementsOf } from './builder.js';
import type { Distribution } from './fill.js';

type Pair = number | readonly [number, number];

export interface ConvOptions {
  /** Output channels. */
  readonly out: number;
  /** Height and width of the kernel. */
  readonly kernel: Pair;
  readonly stride?: number;
  /** Zeros on each side, height and width. */
  readonly pad?: Pair;
  readonly groups?: number;
  readonly bias?: boolean;
}

export interface PoolOptions {
  readonly kernel: number;
  readonly stride: number;
  readonly pad?: number;
  /** Zeros (for a maximum: nothing) below and to the right only. */
  readonly padEnd?: number;
  /** Round the output's size up: a last window may reach over the edge. */
  readonly ceil?: boolean;
}

/** Biases and shifts: small, around zero. The constant is not zero, else a LayerNorm of equal values ends all signal. */
export const SHIFT: Distribution = { low: -0.05, high: 0.05, constant: 0.01 };
/** Scales and variances: around one, never near zero. */
export const SCALE: Distribution = { low: 0.75, high: 1.25, constant: 1 };

/**
 * He's uniform initialisation: variance 2 / fan-in, which keeps the size of activations through a ReLU.
 * The constant is 1 / fan-in, a mean over the inputs, so that nothing overflows however deep the network.
 */
function he(fanIn: number): Distribution {
  const bound = Math.sqrt(6 / fanIn);
  return { low: -bound, high: bound, constant: 1 / fanIn };
}

/** Glorot's uniform initialisation for layers without a ReLU behind them. */
export function glorot(fanIn: number, fanOut: number): Distribution {
  const bound = Math.sqrt(6 / (fanIn + fanOut));
  return { low: -bound, high: bound, constant: 1 / fanIn };
}

/** 2-D convolution of [batch, channels, height, width]. */
export function conv(g: GraphBuilder, name: string, x: Value, options: ConvOptions): Value {
  const { out, stride = 1, groups = 1, bias = false } = options;
  const [batch, channels, height, width] = shape4(x);
  const [kernelHeight, kernelWidth] = pair(options.kernel);
  const [padHeight, padWidth] = pair(options.pad ?? 0);
  const shape = [
    batch,
    out,
    Math.floor((height + 2 * padHeight - kernelHeight) / stride) + 1,
    Math.floor((width + 2 * padWidth - kernelWidth) / stride) + 1,
  ];
  const fanIn = (channels / groups) * kernelHeight * kernelWidth;
  const weightShape = [out, channels / groups, kernelHeight, kernelWidth];
  const weights = [g.parameter(`${name}.weight`, weightShape, he(fanIn))];
  if (bias) weights.push(g.parameter(`${name}.bias`, [out], SHIFT));
  g.macs += elementsOf(shape) * fanIn;
  return g.node(name, 'Conv', {
    inputs: [x, ...weights],
    shape,
    attributes: {
      dilations: { ints: [1, 1] },
      group: { int: groups },
      kernel_shape: { ints: [kernelHeight, kernelWidth] },
      pads: { ints: [padHeight, padWidth, padHeight, padWidth] },
      strides: { ints: [stride, stride] },
    },
  });
}

/** Transposed convolution whose kernel equals its stride: every input pixel becomes a square of its own. */
export function upConv(g: GraphBuilder, name: string, x: Value, out: number, factor: number): Value {
  const [batch, channels, height, width] = shape4(x);
  const weight = g.parameter(`${name}.weight`, [channels, out, factor, factor], he(channels));
  const bias = g.parameter(`${name}.bias`, [out], SHIFT);
  g.macs += elementsOf(x.shape) * out * factor * factor;
  return g.node(name, 'ConvTranspose', {
    inputs: [x, weight, bias],
    shape: [batch, out, height * factor, width * factor],
    attributes: { kernel_shape: { ints: [factor, factor] }, strides: { ints: [factor, factor] } },
  });
}

/** Batch normalisation as used for inference, with stored mean and variance. */
export function batchNorm(g: GraphBuilder, name: string, x: Value, epsilon = 1e-5): Value {
  const channels = [shape4(x)[1]];
  return g.node(name, 'BatchNormalization', {
    inputs: [
      x,
      g.parameter(`${name}.weight`, channels, SCALE),
      g.parameter(`${name}.bias`, channels, SHIFT),
      g.statistic(`${name}.running_mean`, channels, SHIFT),
      g.statistic(`${name}.running_var`, channels, SCALE),
    ],
    shape: x.shape,
    attributes: { epsilon: { float: epsilon } },
  });
}

/** An operator of one input that keeps its shape: Relu, Sigmoid, Tanh … */
export function unary(
  g: GraphBuilder,
  name: string,
  operator: string,
  x: Value,
  attributes: Record<string, Attribute> = {},
): Value {
  return g.node(name, operator, { inputs: [x], shape: x.shape, attributes });
}

export function relu(g: GraphBuilder, name: string, x: Value): Value {
  return unary(g, name, 'Relu', x);
}

/** min(max(x, 0), 6). */
export function relu6(g: GraphBuilder, name: string, x: Value): Value {
  const bounds = [g.scalar('relu6.min', 0), g.scalar('relu6.max', 6)];
  return g.node(name, 'Clip', { inputs: [x, ...bounds], shape: x.shape });
}

/** x * sigmoid(x), as two operators. */
export function silu(g: GraphBuilder, name: string, x: Value): Value {
  return multiply(g, name, x, unary(g, `${name}.sigmoid`, 'Sigmoid', x));
}

export function maxPool(g: GraphBuilder, name: string, x: Value, options: PoolOptions): Value {
  return pool(g, name, 'MaxPool', x, options, {});
}

/** Mean of each window; zeros of the padding count. */
export function averagePool(g: GraphBuilder, name: string, x: Value, options: PoolOptions): Value {
  return pool(g, name, 'AveragePool', x, options, { count_include_pad: { int: 1 } });
}

export function globalAveragePool(g: GraphBuilder, name: string, x: Value): Value {
  const [batch, channels] = shape4(x);
  return g.node(name, 'GlobalAveragePool', { inputs: [x], shape: [batch, channels, 1, 1] });
}

/** Every pixel `factor` times in both directions. */
export function upsampleNearest(g: GraphBuilder, name: string, x: Value, factor: number): Value {
  const [batch, channels, height, width] = shape4(x);
  return g.node(name, 'Resize', {
    inputs: [x, ABSENT, g.floats(`${name}.scales`, [1, 1, factor, factor])],
    shape: [batch, channels, height * factor, width * factor],
    attributes: {
      mode: { string: 'nearest' },
      coordinate_transformation_mode: { string: 'asymmetric' },
      nearest_mode: { string: 'floor' },
    },
  });
}

/** The middle of an image tensor. */
export function centerCrop(g: GraphBuilder, name: string, x: Value, height: number, width: number): Value {
  const [batch, channels, fullHeight, fullWidth] = shape4(x);
  const top = Math.floor((fullHeight - height) / 2);
  const left = Math.floor((fullWidth - width) / 2);
  return g.node(name, 'Slice', {
    inputs: [
      x,
      g.integers(`${name}.starts`, [top, left]),
      g.integers(`${name}.ends`, [top + height, left + width]),
      g.integers(`${name}.axes`, [2, 3]),
    ],
    shape: [batch, channels, height, width],
  });
}

/** [batch, …] to [batch, everything else]. */
export function flatten(g: GraphBuilder, name: string, x: Value): Value {
  const batch = x.shape[0]!;
  return g.node(name, 'Flatten', {
    inputs: [x],
    shape: [batch, elementsOf(x.shape) / batch],
    attributes: { axis: { int: 1 } },
  });
}

/** Fully connected layer of [batch, features], as one Gemm. */
export function gemm(g: GraphBuilder, name: string, x: Value, out: number): Value {
  const [batch, features] = x.shape as [number, number];
  const weight = g.parameter(`${name}.weight`, [out, features], he(features));
  const bias = g.parameter(`${name}.bias`, [out], SHIFT);
  g.macs += batch * features * out;
  return g.node(name, 'Gemm', {
    inputs: [x, weight, bias],
    shape: [batch, out],
    attributes: { transB: { int: 1 } },
  });
}

/** Puts tensors one behind the other along an axis. */
export function concat(g: GraphBuilder, name: string, parts: readonly Value[], axis = 1): Value {
  const shape = [...parts[0]!.shape];
  shape[axis] = parts.reduce((sum, part) => sum + part.shape[axis]!, 0);
  return g.node(name, 'Concat', { inputs: parts, shape, attributes: { axis: { int: axis } } });
}

/** Sum of two tensors; the second may be the smaller one. */
export function add(g: GraphBuilder, name: string, x: Value, y: Value): Value {
  return g.node(name, 'Add', { inputs: [x, y], shape: x.shape });
}

/** Product element by element; the second tensor may be the smaller one. */
export function multiply(g: GraphBuilder, name: string, x: Value, y: Value): Value {
  return g.node(name, 'Mul', { inputs: [x, y], shape: x.shape });
}

/** The four dimensions of an image tensor. */
function shape4(x: Value): [number, number, number, number] {
  if (x.shape.length !== 4) throw new Error(`${x.name} has ${x.shape.length} dimensions, not 4`);
  return x.shape as unknown as [number, number, number, number];
}

function pool(
  g: GraphBuilder,
  name: string,
  operator: string,
  x: Value,
  { kernel, stride, pad = 0, padEnd = pad, ceil = false }: PoolOptions,
  attributes: Record<string, Attribute>,
): Value {
  const [batch, channels, height, width] = shape4(x);
  const round = ceil ? Math.ceil : Math.floor;
  const extent = (size: number) => round((size + pad + padEnd - kernel) / stride) + 1;
  return g.node(name, operator, {
    inputs: [x],
    shape: [batch, channels, extent(height), extent(width)],
    attributes: {
      ceil_mode: { int: ceil ? 1 : 0 },
      kernel_shape: { ints: [kernel, kernel] },
      pads: { ints: [pad, pad, padEnd, padEnd] },
      strides: { ints: [stride, stride] },
      ...attributes,
    },
  });
}

function pair(value: Pair): readonly [number, number] {
  return typeof value === 'number' ? [value, value] : value;
}
