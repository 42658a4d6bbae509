/** The operators of transformers, each with its output shape, parameters and MACs. */
import type { GraphBuilder, Value } from './builder.js';
import { elementsOf } from './builder.js';
import { add, glorot, multiply, SCALE, SHIFT, unary } from './operators.js';

/** Linear layer along the last dimension: MatMul and Add. */
export function linear(g: GraphBuilder, name: string, x: Value, out: number): Value {
  const features = x.shape.at(-1)!;
  const weight = g.parameter(`${name}.weight`, [features, out], glorot(features, out));
  const bias = g.parameter(`${name}.bias`, [out], SHIFT);
  return add(g, name, matMul(g, `${name}.matmul`, x, weight), bias);
}

/** Matrix product of the last two dimensions; those before them are the same, or `y` has none. */
function matMul(g: GraphBuilder, name: string, x: Value, y: Value): Value {
  const shape = [...x.shape.slice(0, -1), y.shape.at(-1)!];
  g.macs += elementsOf(shape) * x.shape.at(-1)!;
  return g.node(name, 'MatMul', { inputs: [x, y], shape });
}

/** Normalises the last dimension. */
export function layerNorm(g: GraphBuilder, name: string, x: Value, epsilon: number): Value {
  const features = [x.shape.at(-1)!];
  return g.node(name, 'LayerNormalization', {
    inputs: [x, g.parameter(`${name}.weight`, features, SCALE), g.parameter(`${name}.bias`, features, SHIFT)],
    shape: x.shape,
    attributes: { axis: { int: -1 }, epsilon: { float: epsilon } },
  });
}

/** x * (1 + erf(x / sqrt 2)) / 2, in the five operators that opset 17 has for it. */
export function gelu(g: GraphBuilder, name: string, x: Value): Value {
  const scaled = g.node(`${name}.div`, 'Div', {
    inputs: [x, g.scalar('gelu.sqrt2', Math.SQRT2)],
    shape: x.shape,
  });
  const shifted = add(g, `${name}.add`, unary(g, `${name}.erf`, 'Erf', scaled), g.scalar('gelu.one', 1));
  return multiply(g, name, multiply(g, `${name}.mul`, x, shifted), g.scalar('gelu.half', 0.5));
}

export function reshape(g: GraphBuilder, name: string, x: Value, shape: readonly number[]): Value {
  return g.node(name, 'Reshape', { inputs: [x, g.integers(`${name}.shape`, shape)], shape });
}

export function transpose(g: GraphBuilder, name: string, x: Value, permutation: readonly number[]): Value {
  return g.node(name, 'Transpose', {
    inputs: [x],
    shape: permutation.map((from) => x.shape[from]!),
    attributes: { perm: { ints: permutation } },
  });
}

/** The first position of a sequence: [batch, length, features] to [batch, features]. */
export function firstPosition(g: GraphBuilder, name: string, x: Value): Value {
  return g.node(name, 'Gather', {
    inputs: [x, g.integer('position.first', 0)],
    shape: [x.shape[0]!, x.shape[2]!],
    attributes: { axis: { int: 1 } },
  });
}

export interface Heads {
  /** [batch, length, features] each. */
  readonly query: Value;
  readonly key: Value;
  readonly value: Value;
  readonly heads: number;
  /** Added to the scores of each position before the softmax: [batch, 1, 1, length]. */
  readonly mask?: Value;
}

/** Scaled dot-product attention of several heads: softmax(q k' / sqrt d + mask) v, heads side by side again. */
export function attention(g: GraphBuilder, name: string, { query, key, value, heads, mask }: Heads): Value {
  const [batch, length, features] = query.shape as [number, number, number];
  const size = features / heads;
  const perHead = [batch, length, heads, size];
  const split = (part: string, x: Value, permutation: readonly number[]) =>
    transpose(g, `${name}.${part}.transpose`, reshape(g, `${name}.${part}.reshape`, x, perHead), permutation);
  const q = split('query', query, [0, 2, 1, 3]);
  const k = split('key', key, [0, 2, 3, 1]);
  const v = split('value', value, [0, 2, 1, 3]);
  const products = matMul(g, `${name}.scores.matmul`, q, k);
  let scores = g.node(`${name}.scores`, 'Div', {
    inputs: [products, g.scalar('attention.scale', Math.sqrt(size))],
    shape: products.shape,
  });
  if (mask) scores = add(g, `${name}.masked`, scores, mask);
  const weights = unary(g, `${name}.softmax`, 'Softmax', scores, { axis: { int: -1 } });
  const mixed = transpose(
    g,
    `${name}.context.transpose`,
    matMul(g, `${name}.context`, weights, v),
    [0, 2, 1, 3],
  );
  return reshape(g, `${name}.context.reshape`, mixed, [batch, length, features]);
}
