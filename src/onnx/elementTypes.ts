/** ONNX element types: their names in the product's words and how many bits an element has. */

interface ElementType {
  readonly name: string;
  /** Bits of one element; null where it depends on the value (strings). */
  readonly bits: number | null;
}

/** By number of `TensorProto.DataType`; 17 and above are younger than the generated schema. */
const ELEMENT_TYPES: ReadonlyMap<number, ElementType> = new Map(
  (
    [
      [1, 'float32', 32],
      [2, 'uint8', 8],
      [3, 'int8', 8],
      [4, 'uint16', 16],
      [5, 'int16', 16],
      [6, 'int32', 32],
      [7, 'int64', 64],
      [8, 'string', null],
      [9, 'bool', 8],
      [10, 'float16', 16],
      [11, 'float64', 64],
      [12, 'uint32', 32],
      [13, 'uint64', 64],
      [14, 'complex64', 64],
      [15, 'complex128', 128],
      [16, 'bfloat16', 16],
      [17, 'float8e4m3fn', 8],
      [18, 'float8e4m3fnuz', 8],
      [19, 'float8e5m2', 8],
      [20, 'float8e5m2fnuz', 8],
      [21, 'uint4', 4],
      [22, 'int4', 4],
      [23, 'float4e2m1', 4],
      [24, 'float8e8m0', 8],
      [25, 'uint2', 2],
      [26, 'int2', 2],
    ] as const
  ).map(([number, name, bits]) => [number, { name, bits }]),
);

const BITS_BY_NAME: ReadonlyMap<string, number | null> = new Map(
  [...ELEMENT_TYPES.values()].map((type) => [type.name, type.bits]),
);

/** Names that the runtime's profile uses where they differ from ours. */
const RUNTIME_NAMES: ReadonlyMap<string, string> = new Map([
  ['float', 'float32'],
  ['double', 'float64'],
]);

/** Name of an ONNX `DataType` number, or null for a number that ONNX does not define. */
export function elementTypeName(dataType: number): string | null {
  return ELEMENT_TYPES.get(dataType)?.name ?? null;
}

/** Name in the product's words of a type as the runtime's profile writes it (`float` is `float32`). */
export function elementTypeOfRuntime(name: string): string {
  return RUNTIME_NAMES.get(name) ?? name;
}

/** Number of elements of a shape; 1 for a scalar. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, dimension) => product * dimension, 1);
}

/** Bytes of a tensor; null where they depend on its value (strings) or the type is unknown. */
export function tensorBytes(type: string, shape: readonly number[]): number | null {
  const bits = BITS_BY_NAME.get(type);
  return bits === undefined || bits === null ? null : Math.ceil((elementCount(shape) * bits) / 8);
}
