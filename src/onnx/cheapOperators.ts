/**
 * Which operators are cheap: where they run makes no difference that is worth a cut. They compute each
 * element by itself, look at data differently, pick, move or repeat it, or reduce it in one simple pass.
 */
import type { Grouping } from './fusedGroups.js';
import type { Operator, OperatorGraph } from './operatorGraph.js';
import type { KnownTensor } from './tensorFacts.js';

/**
 * What travels in one packet, in bytes: an Ethernet frame carries 1,500, of which IPv6, TCP with its
 * timestamps, TLS and the frame of a message take some 100. Less is not sent sooner.
 */
export const PACKET_BYTES = 1400;

const words = (...lines: string[]): ReadonlySet<string> => new Set(lines.flatMap((line) => line.split(' ')));

/** Operators of the standard domain that compute each element by itself, or only look at data differently. */
const ELEMENTWISE = words(
  'Identity Reshape Flatten Squeeze Unsqueeze Dropout Cast CastLike Transpose BatchNormalization QuantizeLinear DequantizeLinear',
  'Add Sub Mul Div Pow Mod Min Max Sum Mean Neg Abs Sign Floor Ceil Round Reciprocal Sqrt Exp Log Erf',
  'Sin Cos Tan Asin Acos Atan Sinh Cosh Asinh Acosh Atanh',
  'Relu LeakyRelu PRelu ThresholdedRelu Clip Elu Selu Celu Gelu Mish Sigmoid HardSigmoid HardSwish Swish Tanh Softplus Softsign Shrink',
  'And Or Xor Not BitwiseAnd BitwiseOr BitwiseXor BitwiseNot BitShift Equal Greater GreaterOrEqual Less LessOrEqual Where IsNaN IsInf',
);

const CONTRIBUTED_ELEMENTWISE = words('BiasGelu FastGelu Gelu QuickGelu QuantizeLinear DequantizeLinear');

/** Operators of the standard domain that pick, move, repeat or make elements, or reduce them in one simple pass. */
const MOVING = words(
  'Slice Split Concat Pad Expand Tile Gather GatherElements GatherND ScatterElements ScatterND Trilu Compress ReverseSequence',
  'DepthToSpace SpaceToDepth Shape Size ConstantOfShape Range EyeLike OneHot NonZero CumSum ArgMax ArgMin',
  'ReduceMax ReduceMin ReduceSum ReduceMean ReduceProd ReduceL1 ReduceL2 ReduceSumSquare ReduceLogSum ReduceLogSumExp',
);

/**
 * Says for each operator whether it is cheap. Of those that move data two kinds are not: who reads more
 * constants than a packet, since it looks things up in weights (an embedding), which must lie where it
 * runs; and a Concat of more than a packet, since there branches meet and blocks of a network begin.
 */
export function findCheapOperators(
  operators: OperatorGraph,
  fused: Grouping,
  facts: ReadonlyMap<string, KnownTensor>,
): boolean[] {
  const given = new Set(operators.inputs.map((input) => input.name));
  const isConstant = (name: string): boolean =>
    !given.has(name) && typeof fused[operators.producerOf.get(name) ?? -1] !== 'number';
  const fitPacket = (names: readonly string[]): boolean => bytesOf(names, facts) <= PACKET_BYTES;
  return operators.operators.map((operator) => {
    if (isElementwise(operator)) return true;
    if (operator.domain !== '' || !MOVING.has(operator.type)) return false;
    if (operator.type === 'Concat' && !fitPacket(operator.writes)) return false;
    return fitPacket(operator.reads.filter(isConstant));
  });
}

/** Bytes of tensors together; NaN, which compares false with everything, where the size of one is not known. */
export function bytesOf(names: Iterable<string>, facts: ReadonlyMap<string, KnownTensor>): number {
  let bytes = 0;
  for (const name of names) bytes += facts.get(name)?.bytes ?? Number.NaN;
  return bytes;
}

function isElementwise({ type, domain }: Operator): boolean {
  if (domain === 'com.microsoft') return CONTRIBUTED_ELEMENTWISE.has(type);
  return domain === '' && ELEMENTWISE.has(type);
}
