/** Tensors that the file holds: does each hold what it claims? */
import { ImportRefused } from '../control/ports.js';
import { elementTypeName, tensorBytes } from './elementTypes.js';
import { type GraphProto, type TensorProto, TensorProto_DataLocation } from './proto/onnx_pb.js';
import { graphsWithin, tensorsStoredIn } from './walk.js';

/** Shape of a stored tensor. @throws ImportRefused `bad-tensor` for a negative or absurd dimension */
export function storedShape(tensor: TensorProto): number[] {
  const shape = tensor.dims.map(Number);
  let product = 1;
  for (const dimension of shape) {
    product *= Math.max(1, dimension);
    if (!(dimension >= 0) || product > Number.MAX_SAFE_INTEGER / 16) {
      throw new ImportRefused(
        'bad-tensor',
        `The tensor "${tensor.name}" claims the shape [${shape.join(', ')}], which cannot exist.`,
      );
    }
  }
  return shape;
}

/** Bytes of a stored tensor in memory; strings count their text. */
export function storedBytes(tensor: TensorProto): number {
  const type = elementTypeName(tensor.dataType);
  const bytes = type === null ? null : tensorBytes(type, storedShape(tensor));
  return bytes ?? tensor.stringData.reduce((sum, text) => sum + text.length, 0);
}

/**
 * Checks that every stored tensor has a type, a possible shape and exactly the data that the shape asks for.
 * @throws ImportRefused `bad-tensor`
 */
export function checkStoredTensors(graph: GraphProto): void {
  for (const each of graphsWithin(graph)) {
    for (const tensor of tensorsStoredIn(each)) checkStoredTensor(tensor);
  }
}

function checkStoredTensor(tensor: TensorProto): void {
  const type = elementTypeName(tensor.dataType);
  if (type === null) {
    throw new ImportRefused(
      'bad-tensor',
      `The tensor "${tensor.name}" has the unknown element type ${tensor.dataType}.`,
    );
  }
  const shape = storedShape(tensor);
  if (tensor.dataLocation === TensorProto_DataLocation.EXTERNAL) return; // checked against its file
  const elements = shape.reduce((product, dimension) => product * dimension, 1);
  if (tensor.rawData.length > 0 && type !== 'string') {
    const expected = tensorBytes(type, shape) ?? 0;
    if (tensor.rawData.length !== expected)
      refuseSize(tensor, shape, `${expected} bytes`, `${tensor.rawData.length}`);
    return;
  }
  const held = valuesHeld(tensor, type);
  const expected = type.startsWith('complex') ? 2 * elements : elements;
  // Types of less than a byte pack several elements into one value.
  const packed =
    type === 'int4' || type === 'uint4' || type === 'float4e2m1' ? Math.ceil(elements / 2) : expected;
  if (held !== expected && held !== packed) refuseSize(tensor, shape, `${expected} values`, `${held}`);
}

function valuesHeld(tensor: TensorProto, type: string): number {
  switch (type) {
    case 'string':
      return tensor.stringData.length;
    case 'float32':
    case 'complex64':
      return tensor.floatData.length;
    case 'float64':
    case 'complex128':
      return tensor.doubleData.length;
    case 'int64':
      return tensor.int64Data.length;
    case 'uint32':
    case 'uint64':
      return tensor.uint64Data.length;
    default:
      return tensor.int32Data.length;
  }
}

function refuseSize(tensor: TensorProto, shape: readonly number[], expected: string, held: string): never {
  throw new ImportRefused(
    'bad-tensor',
    `The tensor "${tensor.name}" of shape [${shape.join(', ')}] needs ${expected}, the file holds ${held}.`,
  );
}
