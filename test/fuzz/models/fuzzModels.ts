/**
 * Mutated ONNX files through the importer's real code and the real runtime.
 *
 * Most go through a process that stays (a new one for each file would take hours); whatever ended that process
 * goes again through the product's own importer, which must answer with a failure and live on.
 */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createRandom } from '../../../src/demo/random.js';
import { createImporter } from '../../../src/onnx/importer.js';
import { ImportFailed } from '../../../src/onnx/importFailed.js';
import { ImportRefused } from '../../../src/control/ports.js';
import type { Finding } from '../finding.js';
import type { StageSeconds } from './importMessages.js';
import { ImportWorker, type WorkerOutcome } from './importWorker.js';
import { mutateModel } from './mutateModel.js';
import { seeds, type Seed } from './seeds.js';

/** In these stages our own code works; in the others the runtime runs the model, which takes what the model takes. */
const ownStages = new Set(['reading', 'forming layers']);
const longestOwnSeconds = 1;

export interface ModelFuzz {
  readonly files: number;
  /** How often each outcome came: `imported`, `refused CODE`, `crashed`, `stopped`. */
  readonly outcomes: Readonly<Record<string, number>>;
  readonly worstOwnSeconds: number;
  readonly mostResidentBytes: number;
  /** Findings: what must never happen, with the file kept. */
  readonly findings: readonly Finding[];
}

interface Run {
  readonly folder: string;
  readonly keepFolder: string;
  readonly outcomes: Record<string, number>;
  readonly findings: Finding[];
  worstOwnSeconds: number;
  mostResidentBytes: number;
}

/**
 * @param folder for temporary files
 * @param keepFolder where files of findings are kept
 * @param progress called after each file with how many are done
 */
export async function fuzzModels(
  options: {
    readonly files: number;
    readonly seed: number;
    readonly workers: number;
    readonly folder: string;
    readonly keepFolder: string;
  },
  progress: (done: number) => void = () => undefined,
): Promise<ModelFuzz> {
  const all = seeds();
  const { folder, keepFolder } = options;
  const run: Run = {
    folder,
    keepFolder,
    outcomes: {},
    findings: [],
    worstOwnSeconds: 0,
    mostResidentBytes: 0,
  };
  let next = 0;
  let done = 0;
  const workers = Array.from({ length: options.workers }, () => new ImportWorker());
  await mkdir(options.folder, { recursive: true });
  try {
    await Promise.all(
      workers.map(async (worker, w) => {
        for (let index = next++; index < options.files; index = next++) {
          await one(run, worker, join(folder, `worker-${w}`), all[index % all.length]!, options.seed + index);
          progress(++done);
        }
      }),
    );
  } finally {
    await Promise.all(workers.map((worker) => worker.close()));
  }
  const { outcomes, worstOwnSeconds, mostResidentBytes, findings } = run;
  return { files: done, outcomes, worstOwnSeconds, mostResidentBytes, findings };
}

async function one(run: Run, worker: ImportWorker, place: string, seed: Seed, number: number): Promise<void> {
  const { bytes, how } = mutateModel(seed.bytes, createRandom(number));
  await mkdir(place, { recursive: true });
  const file = join(place, 'mutated.onnx');
  await writeFile(file, bytes);
  const outcome = await worker.import({ file, inputs: seed.inputs }, place);
  const name = outcome.outcome === 'refused' ? `refused ${outcome.detail}` : outcome.outcome;
  run.outcomes[name] = (run.outcomes[name] ?? 0) + 1;
  const what = await finding(run, outcome, file, seed);
  if (what !== null) {
    await mkdir(run.keepFolder, { recursive: true });
    const kept = join(run.keepFolder, `${seed.name}-${number}.onnx`);
    await writeFile(kept, bytes);
    run.findings.push({ what, detail: `${seed.name}, seed ${number}: ${how}`, file: kept });
  }
  await rm(place, { recursive: true, force: true });
}

/** What must not have happened, or null. */
async function finding(run: Run, outcome: WorkerOutcome, file: string, seed: Seed): Promise<string | null> {
  switch (outcome.outcome) {
    case 'failed':
      return `an error that is no refusal: ${outcome.detail}`;
    case 'crashed':
    case 'stopped':
      return isolated(file, seed);
    case 'imported':
    case 'refused': {
      const own = ownSeconds(outcome.stages);
      run.worstOwnSeconds = Math.max(run.worstOwnSeconds, own);
      run.mostResidentBytes = Math.max(run.mostResidentBytes, outcome.residentBytes);
      return own > longestOwnSeconds ? `our own code took ${own} s` : null;
    }
  }
}

function ownSeconds(stages: StageSeconds): number {
  return stages.reduce((sum, [stage, seconds]) => sum + (ownStages.has(stage) ? seconds : 0), 0);
}

/** The product's own importer must survive the file: an import, a refusal or a failure, each in bounded time. */
async function isolated(file: string, seed: Seed): Promise<string | null> {
  const importer = createImporter({ timeoutSeconds: 5, maxMemoryBytes: 2 * 2 ** 30 });
  const options = { optimizationLevel: 'all', intraOpThreads: 1, runs: 1, warmupRuns: 0 } as const;
  try {
    await importer.import(file, { ...options, inputs: seed.inputs }, {});
    return null;
  } catch (error) {
    if (error instanceof ImportRefused) return null;
    if (error instanceof ImportFailed && error.code !== 'internal') return null;
    return `the importer answered with ${String(error)}`;
  } finally {
    await importer.close();
  }
}
