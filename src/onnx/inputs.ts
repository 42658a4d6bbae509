/** What the model is run with: a shape for each input, and values that do no harm. */
import { Tensor } from 'onnxruntime-node';
import type { ProfileOptions } from '../core/profile.js';
import { ImportRefused } from '../control/ports.js';
import { elementCount, tensorBytes } from './elementTypes.js';
import type { ImportLimits } from './limits.js';
import type { DeclaredInput } from './operatorGraph.js';

export interface ChosenInput {
  readonly name: string;
  readonly type: string;
  readonly shape: readonly number[];
  /** The value of every element; absent: seeded values. */
  readonly fill?: number;
}

/** How a declared shape is written for people: `[batch, 3, ?, ?]`. */
function describeDimensions(input: DeclaredInput): string {
  return input.dimensions === null
    ? '(rank unknown)'
    : `[${input.dimensions.map((dimension) => dimension ?? '?').join(', ')}]`;
}

/** True where the model leaves a dimension, or even the rank, to the caller. */
export function isOpen(input: DeclaredInput): boolean {
  return input.dimensions?.every((dimension) => typeof dimension === 'number') !== true;
}

/** Shapes with `batch` in place of a single unknown first dimension; null where more is unknown. */
export function shapeWithBatch(input: DeclaredInput, batch: number): number[] | null {
  if (input.dimensions === null) return null;
  const [first, ...rest] = input.dimensions;
  if (first === undefined || typeof first === 'number') return null;
  return rest.every((dimension) => typeof dimension === 'number') ? [batch, ...rest] : null;
}

/**
 * A shape for every input, from the model where it is fixed and else from the caller.
 * @throws ImportRefused `shape-needed` naming each input that has no full shape, `wrong-shape`,
 * `unknown-input`, `too-large`, `unsupported-type`
 */
export function chooseInputs(
  declared: readonly DeclaredInput[],
  given: ProfileOptions['inputs'],
  limits: ImportLimits,
): ChosenInput[] {
  for (const name of Object.keys(given)) {
    if (!declared.some((input) => input.name === name)) {
      const names = declared.map((input) => `"${input.name}"`).join(', ');
      throw new ImportRefused('unknown-input', `The model has no input "${name}". Its inputs are ${names}.`);
    }
  }
  const missing = declared.filter((input) => !Object.hasOwn(given, input.name) && isOpen(input));
  if (missing.length > 0) throw shapeNeeded(missing);
  const chosen = declared.map((input): ChosenInput => {
    const own = Object.hasOwn(given, input.name) ? given[input.name] : undefined;
    const shape = own?.shape ?? (input.dimensions as readonly number[]);
    checkShape(input, shape, limits);
    return {
      name: input.name,
      type: input.type,
      shape,
      ...(own?.fill === undefined ? {} : { fill: own.fill }),
    };
  });
  checkSymbols(declared, chosen);
  return chosen;
}

function shapeNeeded(missing: readonly DeclaredInput[]): ImportRefused {
  const list = missing.map((input) => `"${input.name}" ${input.type}${describeDimensions(input)}`).join(', ');
  const suggested = missing.map((input) => [input.name, shapeWithBatch(input, 1)] as const);
  const hint = suggested.every(([, shape]) => shape !== null)
    ? ` For one item at a time: ${JSON.stringify(Object.fromEntries(suggested.map(([name, shape]) => [name, { shape }])))}`
    : '';
  return new ImportRefused(
    'shape-needed',
    `The model leaves dimensions open; give a shape for ${list}.${hint}`,
  );
}

function checkShape(input: DeclaredInput, shape: readonly number[], limits: ImportLimits): void {
  const written = `[${shape.join(', ')}]`;
  const fits =
    shape.every((dimension) => Number.isSafeInteger(dimension) && dimension >= 0) &&
    (input.dimensions === null ||
      (input.dimensions.length === shape.length &&
        input.dimensions.every(
          (dimension, place) => typeof dimension !== 'number' || dimension === shape[place],
        )));
  if (!fits) {
    throw new ImportRefused(
      'wrong-shape',
      `The shape ${written} does not fit the input "${input.name}", declared as ${describeDimensions(input)}.`,
    );
  }
  const bytes = tensorBytes(input.type, shape) ?? elementCount(shape);
  if (bytes > limits.maxTensorBytes) {
    throw new ImportRefused(
      'too-large',
      `The input "${input.name}" of shape ${written} needs ${bytes} bytes; the limit is ${limits.maxTensorBytes} bytes.`,
    );
  }
}

/** A symbol stands for one number, however many inputs use it. */
function checkSymbols(declared: readonly DeclaredInput[], chosen: readonly ChosenInput[]): void {
  const seen = new Map<string, { value: number; input: string }>();
  declared.forEach((input, index) => {
    input.dimensions?.forEach((symbol, place) => {
      if (typeof symbol !== 'string') return;
      const value = chosen[index]!.shape[place]!;
      const known = seen.get(symbol);
      if (known !== undefined && known.value !== value) {
        throw new ImportRefused(
          'wrong-shape',
          `The dimension "${symbol}" is ${known.value} in the input "${known.input}" but ${value} in "${input.name}".`,
        );
      }
      seen.set(symbol, { value, input: input.name });
    });
  });
}

/**
 * Tensors to run the model with: floats evenly spread over [0, 1), whole numbers and booleans 0 or 1
 * (an index of 0 or 1 is inside every vocabulary), texts "text". The same seed gives the same values.
 * @throws ImportRefused `unsupported-type` for an element type that the runtime's binding cannot take
 */
export function makeFeeds(inputs: readonly ChosenInput[], seed = 1): Record<string, Tensor> {
  const next = mulberry32(seed);
  return Object.fromEntries(inputs.map((input) => [input.name, makeTensor(input, next)]));
}

function makeTensor(input: ChosenInput, next: () => number): Tensor {
  const { type, shape, fill } = input;
  const length = elementCount(shape);
  const whole = (): number => fill ?? (next() < 0.5 ? 0 : 1);
  const real = (): number => fill ?? next();
  const fillWith = <A extends { [index: number]: number; length: number }>(
    array: A,
    value: () => number,
  ): A => {
    for (let index = 0; index < array.length; index += 1) array[index] = value();
    return array;
  };
  switch (type) {
    case 'float32':
      return new Tensor('float32', fillWith(new Float32Array(length), real), shape);
    case 'float64':
      return new Tensor('float64', fillWith(new Float64Array(length), real), shape);
    case 'float16':
      return new Tensor('float16', float16Data(fillWith(new Float32Array(length), real)), shape);
    case 'int8':
      return new Tensor('int8', fillWith(new Int8Array(length), whole), shape);
    case 'uint8':
      return new Tensor('uint8', fillWith(new Uint8Array(length), whole), shape);
    case 'int16':
      return new Tensor('int16', fillWith(new Int16Array(length), whole), shape);
    case 'uint16':
      return new Tensor('uint16', fillWith(new Uint16Array(length), whole), shape);
    case 'int32':
      return new Tensor('int32', fillWith(new Int32Array(length), whole), shape);
    case 'uint32':
      return new Tensor('uint32', fillWith(new Uint32Array(length), whole), shape);
    case 'int64':
      return new Tensor(
        'int64',
        BigInt64Array.from({ length }, () => BigInt(Math.trunc(whole()))),
        shape,
      );
    case 'uint64':
      return new Tensor(
        'uint64',
        BigUint64Array.from({ length }, () => BigInt(Math.trunc(whole()))),
        shape,
      );
    case 'bool':
      return new Tensor('bool', fillWith(new Uint8Array(length), whole), shape);
    case 'string':
      return new Tensor('string', new Array<string>(length).fill('text'), shape);
    default:
      throw new ImportRefused(
        'unsupported-type',
        `The input "${input.name}" has the type ${type}, which cannot be fed to the runtime here.`,
      );
  }
}

/** Numbers as IEEE half precision, rounded towards zero; enough for values of [0, 1) and small fills. */
function float16Data(values: Float32Array): Uint16Array {
  const words = new Uint32Array(values.buffer);
  const halves = Uint16Array.from(words, (word) => {
    const sign = (word >>> 16) & 0x8000;
    const exponent = ((word >>> 23) & 0xff) - 127 + 15;
    if (exponent <= 0) return sign; // below the smallest normal half: zero
    return exponent >= 31 ? sign | 0x7c00 : sign | (exponent << 10) | ((word >>> 13) & 0x3ff);
  });
  // Runtimes that have Float16Array want that very type; the bits are the same.
  const native = (globalThis as { Float16Array?: new (buffer: ArrayBuffer) => Uint16Array }).Float16Array;
  return native === undefined ? halves : new native(halves.buffer);
}

/** A small generator of numbers in [0, 1) with a seed. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
