/** Models on pairs of tiers, such that the best cut moves with links of some Mbit/s. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPartitioner } from '../../src/core/createPartitioner.js';
import type { TierSeconds } from '../../src/core/profile.js';
import { ReplayBench } from '../../src/core/replay/comparison.js';
import { buildStateGraph } from '../../src/core/stateGraph.js';
import { importModel } from '../../src/onnx/importModel.js';
import { writeZooModel } from '../../src/zoo/zoo.js';

export interface Scenario {
  readonly name: string;
  readonly model: string;
  /** Seconds of the whole model on the end device and on the edge. */
  readonly endSeconds: number;
  readonly edgeSeconds: number;
  readonly bench: ReplayBench;
}

/** Whole-model seconds are stated, so that a noisy or fast machine does not change what is compared: only the shares of layers are measured. */
const plans: readonly (readonly [string, number, number])[] = [
  ['googlenet', 0.3, 0.02],
  ['googlenet', 0.6, 0.08],
  ['resnet-50', 0.7, 0.08],
  ['resnet-50', 2, 0.33],
  ['mobilenet-v2', 0.24, 0.02],
  ['squeezenet-1.1', 0.24, 0.012],
  ['alexnet', 0.5, 0.06],
  ['yolov3-tiny', 0.7, 0.07],
];
const maxStates = 200_000;

/** @param only these models; null for all */
export async function buildScenarios(
  only: readonly string[] | null,
  progress: (what: string) => void,
): Promise<Scenario[]> {
  const folder = await mkdtemp(join(tmpdir(), 'cutpoint-bench-policy-'));
  try {
    const imported = new Map<string, Awaited<ReturnType<typeof importModel>>>();
    const scenarios: Scenario[] = [];
    for (const [model, endSeconds, edgeSeconds] of plans) {
      if (only !== null && !only.includes(model)) continue;
      const known = imported.get(model) ?? (await importZoo(folder, model, progress));
      imported.set(model, known);
      const { graph, profile } = known;
      const sum = profile.layers.reduce((total, layer) => total + layer.medianSeconds, 0);
      const tier = (wholeSeconds: number): TierSeconds => ({
        seconds: profile.layers.map((layer) => (layer.medianSeconds * wholeSeconds) / sum),
        source: { kind: 'scaled', machineId: profile.machine.id, computeRatio: wholeSeconds / sum },
      });
      const input = { graph, tiers: [tier(endSeconds), tier(edgeSeconds)] };
      const states = buildStateGraph(input, maxStates);
      const name = `${model} ${endSeconds * 1e3}/${edgeSeconds * 1e3} ms`;
      const bench = new ReplayBench(input, states, createPartitioner(states));
      scenarios.push({ name, model, endSeconds, edgeSeconds, bench });
    }
    return scenarios;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function importZoo(
  folder: string,
  model: string,
  progress: (what: string) => void,
): Promise<Awaited<ReturnType<typeof importModel>>> {
  progress(`profiling ${model}`);
  const file = join(folder, `${model}.onnx`);
  await writeZooModel(model, file, { weights: 'constant' });
  return importModel(file, {
    optimizationLevel: 'extended',
    intraOpThreads: 1,
    runs: 9,
    warmupRuns: 2,
    inputs: {},
  });
}
