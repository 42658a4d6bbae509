/** Runs a model in onnxruntime, and reads back what the runtime wrote about it. */
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { platform } from 'node:os';
import { join } from 'node:path';
import { InferenceSession, type Tensor } from 'onnxruntime-node';
import { ImportRefused } from '../control/ports.js';
import type { OptimizationLevel } from '../core/profile.js';
import type { RuntimeModel } from './runtimeModel.js';

interface RunRequest {
  readonly level: OptimizationLevel;
  readonly intraOpThreads: number;
  /** Runs before the ones that count; they are in `events` all the same. */
  readonly warmupRuns: number;
  readonly runs: number;
  /** Whether the runtime records each node, and writes the graph that it really runs. */
  readonly record: boolean;
}

export interface RunResult {
  /** Seconds of each of the `runs`, in order. */
  readonly seconds: readonly number[];
  /** Results of the last run; empty where nothing was run. */
  readonly outputs: Readonly<Record<string, Tensor>>;
  /** The runtime's own record, as it wrote it; null unless `record`. */
  readonly profileJson: string | null;
  /** The graph as optimised, its weights left out; null unless `record`. */
  readonly optimizedModel: Uint8Array | null;
}

const OPTIMIZED_MODEL = 'optimized.onnx';
/**
 * Operators that read the same and are the same would be run once. With trained weights there are none; where
 * weights are placeholders, whole branches would be, and the profile would show a network that does less.
 */
const DISABLED_OPTIMIZERS = 'CommonSubexpressionElimination';
/** Weights of the written graph go into a file of their own: only their shapes are of interest. */
const OPTIMIZED_WEIGHTS = 'optimized.bin';

/**
 * Loads the model, runs it, and lets it go again.
 * @param folder an existing folder for temporary files; what is written there is removed again
 * @throws ImportRefused `cannot-run` with the runtime's own message, shortened
 */
export async function runModel(
  model: RuntimeModel,
  feeds: Readonly<Record<string, Tensor>>,
  request: RunRequest,
  folder: string,
): Promise<RunResult> {
  await mkdir(folder, { recursive: true });
  const own = await mkdtemp(join(folder, 'run-'));
  try {
    await writeFile(join(own, 'model.onnx'), model.bytes);
    if (request.record) await discardWeights(join(own, OPTIMIZED_WEIGHTS));
    const session = await open(model, request, own);
    try {
      return await runAndRead(session, feeds, request, own);
    } finally {
      await session.release();
    }
  } finally {
    await rm(own, { recursive: true, force: true });
  }
}

/**
 * Lets what is written to a file vanish: gigabytes of weights nobody reads would only keep the disk busy
 * that the service commits its decisions to. Where the system has no such device they are written and removed.
 */
async function discardWeights(file: string): Promise<void> {
  if (platform() !== 'win32') await symlink('/dev/null', file);
}

async function open(model: RuntimeModel, request: RunRequest, own: string): Promise<InferenceSession> {
  const recording = request.record
    ? {
        enableProfiling: true,
        profileFilePrefix: join(own, 'profile'),
        optimizedModelFilePath: join(own, OPTIMIZED_MODEL),
      }
    : {};
  const session = request.record
    ? {
        session: {
          optimized_model_external_initializers_file_name: OPTIMIZED_WEIGHTS,
          optimized_model_external_initializers_min_size_in_bytes: '1024',
        },
      }
    : {};
  try {
    return await InferenceSession.create(join(own, 'model.onnx'), {
      graphOptimizationLevel: request.level,
      intraOpNumThreads: request.intraOpThreads,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      executionProviders: ['cpu'],
      logSeverityLevel: 4,
      externalData: model.externalData.map(({ path, data }) => ({ path, data })),
      extra: { optimization: { disable_specified_optimizers: DISABLED_OPTIMIZERS }, ...session },
      ...recording,
    });
  } catch (error) {
    throw cannotRun(error, 'load');
  }
}

async function runAndRead(
  session: InferenceSession,
  feeds: Readonly<Record<string, Tensor>>,
  request: RunRequest,
  own: string,
): Promise<RunResult> {
  const seconds: number[] = [];
  let outputs: Record<string, Tensor> = {};
  try {
    for (let run = 0; run < request.warmupRuns + request.runs; run += 1) {
      const start = process.hrtime.bigint();
      outputs = await session.run({ ...feeds });
      const elapsed = Number(process.hrtime.bigint() - start) / 1e9;
      if (run >= request.warmupRuns) seconds.push(elapsed);
    }
  } catch (error) {
    throw cannotRun(error, 'run');
  }
  if (!request.record) return { seconds, outputs, profileJson: null, optimizedModel: null };
  session.endProfiling();
  const profile = (await readdir(own)).find((name) => name.startsWith('profile'));
  return {
    seconds,
    outputs,
    profileJson: profile === undefined ? null : await readFile(join(own, profile), 'utf8'),
    optimizedModel: await readFile(join(own, OPTIMIZED_MODEL)),
  };
}

/** The runtime's message without file paths and places in its own source, at most 400 characters. */
function cannotRun(error: unknown, step: 'load' | 'run'): ImportRefused {
  const raw = error instanceof Error ? error.message : String(error);
  const message = raw
    .replace(/\s+/g, ' ')
    .replace(/^.*?Status Message: /, '')
    .replace(/Load model from \S* failed: ?/, '')
    .replace(/(?:[A-Za-z]:)?\/[^\s"',)]*\/(?=[^\s/])/g, '')
    .replace(/[\w/.]+\.(?:h|cc|cpp):\d+ [^(]*\([^)]*\)(?: const)? /, '')
    .trim()
    .slice(0, 400);
  return new ImportRefused('cannot-run', `onnxruntime cannot ${step} the model: ${message}`);
}
