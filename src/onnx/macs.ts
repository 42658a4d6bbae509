/**
 * Multiply-accumulate operations of one operator, from the shapes of a run.
 *
 * Counted as the field does: one per multiplication that is summed up (convolutions, matrix products,
 * recurrent cells, attention). Pooling, normalisation, activations and data movement count 0. Null where
 * the count is not defined: control flow and operators that ONNX does not define.
 */
import type { Operator } from './operatorGraph.js';
import { elementCount } from './elementTypes.js';
import { bodiesOf } from './walk.js';

type Shape = readonly number[];
/** Shape by position; undefined where an optional input is absent or its shape was not seen. */
type Shapes = readonly (Shape | undefined)[];
type Count = (inputs: Shapes, outputs: Shapes, operator: Operator) => number | null;

const tail = (shape: Shape): number => elementCount(shape.slice(1));

/** Each output element sums over one filter: input channels of its group times the kernel. */
const convolution =
  (weightInput: number): Count =>
  (inputs, [output]) => {
    const weight = inputs[weightInput];
    return output === undefined || weight === undefined ? null : elementCount(output) * tail(weight);
  };

const transposedConvolution: Count = ([input, weight]) =>
  input === undefined || weight === undefined ? null : elementCount(input) * tail(weight);

const matrixProduct: Count = ([left], [output]) =>
  left === undefined || output === undefined ? null : elementCount(output) * (left.at(-1) ?? 1);

const gemm: Count = ([left], [output], operator) => {
  if (left === undefined || output === undefined) return null;
  const transposed = intAttribute(operator, 'transA') !== 0;
  return elementCount(output) * (left.at(transposed ? -2 : -1) ?? 1);
};

const fusedMatMul: Count = ([left], [output], operator) => {
  if (left === undefined || output === undefined) return null;
  return elementCount(output) * (left.at(intAttribute(operator, 'transA') !== 0 ? -2 : -1) ?? 1);
};

/** Gates times hidden size times (input size + hidden size), for each step, direction and batch item. */
const recurrent: Count = ([input, weight, recurrence]) => {
  if (input === undefined || weight === undefined || recurrence === undefined) return null;
  const [steps = 1, batch = 1] = input;
  return steps * batch * (elementCount(weight) + elementCount(recurrence));
};

/** The product of all different indices of the equation, for up to two operands. */
const einsum: Count = (inputs, _outputs, operator) => {
  const equation = stringAttribute(operator, 'equation').replace(/\s/g, '');
  const terms = (equation.split('->')[0] ?? '').split(',');
  if (terms.length > 2 || equation.includes('.')) return null;
  if (terms.length < 2) return 0;
  const sizes = new Map<string, number>();
  for (const [place, term] of terms.entries()) {
    const shape = inputs[place];
    if (shape?.length !== term.length) return null;
    [...term].forEach((label, axis) => sizes.set(label, shape[axis]!));
  }
  return elementCount([...sizes.values()]);
};

/** Projection of queries, keys and values, then scores and weighted sum over all positions (with the past ones). */
const packedAttention: Count = ([input, weight, , , past], [output]) => {
  if (input === undefined || weight === undefined || output === undefined) return null;
  const [batch = 1, positions = 1] = input;
  const total = positions + (past?.at(-2) ?? 0);
  return batch * positions * elementCount(weight) + 2 * batch * positions * total * (output.at(-1) ?? 1);
};

const COUNTS: ReadonlyMap<string, Count> = new Map<string, Count>([
  ['Conv', convolution(1)],
  ['ConvInteger', convolution(1)],
  ['QLinearConv', convolution(3)],
  ['com.microsoft:FusedConv', convolution(1)],
  ['ConvTranspose', transposedConvolution],
  ['MatMul', matrixProduct],
  ['MatMulInteger', matrixProduct],
  ['QLinearMatMul', matrixProduct],
  ['com.microsoft:FusedMatMul', fusedMatMul],
  ['com.microsoft:DynamicQuantizeMatMul', matrixProduct],
  ['com.microsoft:MatMulIntegerToFloat', matrixProduct],
  ['Gemm', gemm],
  ['com.microsoft:FusedGemm', gemm],
  ['LSTM', recurrent],
  ['GRU', recurrent],
  ['RNN', recurrent],
  ['Einsum', einsum],
  ['com.microsoft:Attention', packedAttention],
]);

/** Contributed operators that move or map data only. */
const WITHOUT_MACS: ReadonlySet<string> = new Set([
  'BiasGelu',
  'EmbedLayerNormalization',
  'FastGelu',
  'Gelu',
  'LayerNormalization',
  'QuickGelu',
  'SimplifiedLayerNormalization',
  'SkipLayerNormalization',
  'SkipSimplifiedLayerNormalization',
  'QLinearAdd',
  'QLinearMul',
  'QLinearAveragePool',
  'QLinearGlobalAveragePool',
  'QLinearConcat',
  'QLinearLeakyRelu',
  'QLinearSigmoid',
  'QLinearSoftmax',
  'QuantizeLinear',
  'DequantizeLinear',
]);

/**
 * Multiply-accumulates of one execution. `shapeOf` gives the shape of a name that the operator reads or writes.
 * @returns null where the count is not defined, or a shape that it needs is not known
 */
export function countMacs(operator: Operator, shapeOf: (name: string) => Shape | undefined): number | null {
  if (bodiesOf(operator.node).length > 0) return null;
  const count = COUNTS.get(operator.domain === '' ? operator.type : `${operator.domain}:${operator.type}`);
  if (count !== undefined) {
    const shapes = (names: readonly string[]): Shapes =>
      names.map((name) => (name === '' ? undefined : shapeOf(name)));
    return count(shapes(operator.node.input), shapes(operator.node.output), operator);
  }
  if (operator.domain === '' || operator.domain === 'ai.onnx.ml') return 0;
  return operator.domain === 'com.microsoft' && WITHOUT_MACS.has(operator.type) ? 0 : null;
}

function intAttribute(operator: Operator, name: string): number {
  return Number(operator.node.attribute.find((attribute) => attribute.name === name)?.i ?? 0n);
}

function stringAttribute(operator: Operator, name: string): string {
  const bytes = operator.node.attribute.find((attribute) => attribute.name === name)?.s;
  return bytes === undefined ? '' : new TextDecoder().decode(bytes);
}
