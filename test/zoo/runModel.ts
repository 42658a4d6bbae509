/** Runs a zoo network in the real runtime; what several tests of the zoo need. */
import * as ort from 'onnxruntime-node';
import type { ZooTensor } from '../../src/zoo/zoo.js';

export interface RunResult {
  readonly shape: readonly number[];
  readonly data: Float32Array | BigInt64Array;
}

/** One run on a fixed pattern of input values: all that the model returns, by name. */
export async function runModel(
  bytes: Uint8Array,
  inputs: readonly ZooTensor[],
): Promise<ReadonlyMap<string, RunResult>> {
  const session = await ort.InferenceSession.create(bytes, { intraOpNumThreads: 2, logSeverityLevel: 2 });
  try {
    const feeds = Object.fromEntries(inputs.map((input) => [input.name, feed(input)]));
    const results = Object.entries(await session.run(feeds));
    return new Map(
      results.map(([name, tensor]) => [
        name,
        { shape: tensor.dims, data: tensor.data as Float32Array | BigInt64Array },
      ]),
    );
  } finally {
    await session.release();
  }
}

/** Values between -1 and 1 that do not repeat, or 0 and 1 in turn for integers, which every vocabulary has. */
function feed({ type, shape }: ZooTensor): ort.Tensor {
  const count = shape.reduce((product, extent) => product * extent, 1);
  return type === 'float32'
    ? new ort.Tensor(
        'float32',
        Float32Array.from({ length: count }, (_, at) => Math.sin(at * 0.7)),
        shape,
      )
    : new ort.Tensor(
        'int64',
        BigInt64Array.from({ length: count }, (_, at) => BigInt(at % 2)),
        shape,
      );
}

/** True when no value is an infinity or not a number. */
export function isFinite({ data }: RunResult): boolean {
  return data instanceof BigInt64Array || data.every(Number.isFinite);
}
