/** A chain of four layers with known seconds, for tests of what stands around the search. */
import type { ImportResult, ModelImporter, PartitionerBuilder } from '../../src/control/ports.js';
import { createPartitioner } from '../../src/core/createPartitioner.js';
import type { LayerGraph, Tensor } from '../../src/core/layerGraph.js';
import type { Profile, ProfileOptions } from '../../src/core/profile.js';
import { buildStateGraph } from '../../src/core/stateGraph.js';

/** Tensors shrink along the chain, so that a slow link moves the best cut towards the end device. */
const tensorBytes = [600_000, 400_000, 40_000, 4_000, 400];
const layerSeconds = [0.004, 0.01, 0.02, 0.03];

const smallGraph: LayerGraph = {
  name: 'small',
  layers: layerSeconds.map((_, v) => ({
    name: `layer${v}`,
    operators: ['Conv'],
    weightBytes: 1_000 * (v + 1),
    workingBytes: 1_000_000,
    macs: 1_000,
  })),
  tensors: tensorBytes.map((bytes, t): Tensor => ({
    name: `t${t}`,
    type: 'float32',
    shape: [bytes / 4],
    bytes,
    producer: t === 0 ? null : t - 1,
    consumers: t < layerSeconds.length ? [t] : [],
    isOutput: t === layerSeconds.length,
  })),
};

export function smallProfile(
  modelSha256: string,
  options: ProfileOptions,
  machineId = 'controller',
): Profile {
  const spread = (seconds: number) => ({ medianSeconds: seconds, minSeconds: seconds, maxSeconds: seconds });
  return {
    modelSha256,
    machine: {
      id: machineId,
      cpuModel: 'test',
      logicalCores: 2,
      architecture: 'x64',
      platform: 'linux',
      memoryBytes: 1e9,
      runtime: 'test',
    },
    options,
    layers: layerSeconds.map((seconds, v) => ({ name: `layer${v}`, ...spread(seconds) })),
    wholeModel: spread(0.064),
  };
}

/** Gives every file the small graph; `gate` holds imports until it is fulfilled. */
export function smallImporter(
  gate: () => Promise<unknown> = () => Promise.resolve(),
): ModelImporter & { readonly files: string[] } {
  const files: string[] = [];
  return {
    files,
    async import(file, options, { signal }): Promise<ImportResult> {
      files.push(file);
      await Promise.race([gate(), stopped(signal)]);
      const sha256 = /([0-9a-f]{64})\.onnx$/.exec(file)![1]!;
      return { graph: smallGraph, profile: smallProfile(sha256, options) };
    },
    close: () => Promise.resolve(),
  };
}

function stopped(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal?.addEventListener('abort', () => reject(new Error('stopped')));
  });
}

/** The real state graph and search, on this thread. */
export const builderHere: PartitionerBuilder = {
  build: (input) => Promise.resolve(createPartitioner(buildStateGraph(input, 10_000))),
  close: () => Promise.resolve(),
};
