/**
 * Wire encodings: each way to send what crosses is an alternative of every state. The figures are the data
 * plane's to fill in; without any, tensors cross as they are.
 */
import type { LayerGraph } from './layerGraph.js';

export interface Encoding {
  readonly name: string;
  /** Bytes on the wire, per tensor of the layer graph. */
  readonly bytes: readonly number[];
  /** Nominal seconds to encode on the tier below a hop, per tensor. */
  readonly encodeSeconds: readonly number[];
  /** Nominal seconds to decode on the tier above a hop, per tensor. */
  readonly decodeSeconds: readonly number[];
  /** Accuracy that the model loses where anything crosses so encoded, 0 to 1. */
  readonly accuracyLoss: number;
}

/** Tensors cross as they are. */
export function rawEncoding(graph: LayerGraph): Encoding {
  const none = graph.tensors.map(() => 0);
  return {
    name: 'raw',
    bytes: graph.tensors.map((tensor) => tensor.bytes),
    encodeSeconds: none,
    decodeSeconds: none,
    accuracyLoss: 0,
  };
}

/** @throws RangeError where none has that name */
export function encodingNamed(encodings: readonly Encoding[], name: string): Encoding {
  const found = encodings.find((encoding) => encoding.name === name);
  if (found === undefined) throw new RangeError(`encoding: ${name} is none of the graph's`);
  return found;
}

/** @throws RangeError naming the field where an encoding does not fit the graph or a value is out of range */
export function checkEncodings(encodings: readonly Encoding[], graph: LayerGraph): void {
  if (encodings.length === 0 || encodings.length > 256) {
    throw new RangeError(`encodings: ${encodings.length} given, 1 to 256 are possible`);
  }
  encodings.forEach((encoding, e) => {
    for (const key of ['bytes', 'encodeSeconds', 'decodeSeconds'] as const) {
      if (encoding[key].length !== graph.tensors.length) {
        throw new RangeError(
          `encodings[${e}].${key}: one value per tensor is needed (${graph.tensors.length})`,
        );
      }
      encoding[key].forEach((value, t) => {
        if (!(value >= 0 && value < Infinity)) {
          throw new RangeError(`encodings[${e}].${key}[${t}]: ${value} is not a finite number >= 0`);
        }
      });
    }
    if (!(encoding.accuracyLoss >= 0 && encoding.accuracyLoss <= 1)) {
      throw new RangeError(`encodings[${e}].accuracyLoss: ${encoding.accuracyLoss} is not between 0 and 1`);
    }
  });
}
