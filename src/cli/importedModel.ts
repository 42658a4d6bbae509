/** An ONNX file as layer graph and profile, taken in a process of its own, once per model, machine and options. */
import { basename } from 'node:path';
import { Option, type Command } from 'commander';
import { ImportRefused, type ImportResult } from '../control/ports.js';
import type { OptimizationLevel, ProfileOptions } from '../core/profile.js';
import { RefusedError } from './commandError.js';
import { integerOption, readInputs } from './optionValues.js';
import { startProgress } from './output.js';

export interface ProfileFlags {
  readonly inputs?: string;
  readonly optimization: OptimizationLevel;
  readonly runs: number;
  readonly warmup: number;
  readonly threads: number;
  readonly cache?: string;
  readonly fresh?: true;
}

export type Imported = ImportResult & {
  /** True where it was measured before and found in the cache. */
  readonly fromCache: boolean;
};

/** Adds the options that say how a model is profiled. */
export function addProfileOptions(command: Command): Command {
  return command
    .option('--inputs <json>', 'shapes (and fill values) of open inputs, as JSON or @FILE')
    .addOption(
      new Option('--optimization <level>', 'optimisation level that is deployed')
        .choices(['disabled', 'basic', 'extended', 'all'])
        .default('extended'),
    )
    .option('--runs <number>', 'runs that are measured', integerOption(1, 1000), 10)
    .option('--warmup <number>', 'runs before them that are not', integerOption(0, 1000), 3)
    .option('--threads <number>', 'threads of the runtime', integerOption(1, 256), 1)
    .option('--cache <folder>', 'where profiles are kept (default: the cache folder of the user)')
    .option('--fresh', 'measure again even if there is a profile');
}

/** @throws ImportRefused where the model cannot be imported, ImportFailed where the importer fails */
export async function importedModel(file: string, flags: ProfileFlags): Promise<Imported> {
  const options: ProfileOptions = {
    optimizationLevel: flags.optimization,
    intraOpThreads: flags.threads,
    runs: flags.runs,
    warmupRuns: flags.warmup,
    inputs: await readInputs(flags.inputs),
  };
  const { inspectModel } = await import('../onnx/inspectModel.js');
  const { describeMachine } = await import('../onnx/machine.js');
  const { defaultCacheFolder, openProfileCache } = await import('./profileCache.js');
  const { sha256 } = await inspectModel(file).catch((error: unknown) => refuseNaming(file, error));
  const folder = flags.cache ?? defaultCacheFolder();
  const cache = await openProfileCache(folder, sha256, describeMachine(), options);
  if (flags.fresh !== true) {
    const found = await cache.find();
    if (found !== undefined) return { ...found, fromCache: true };
  }
  const result = await runImport(file, options).catch((error: unknown) => refuseNaming(file, error));
  await cache.keep(result).catch((error: unknown) => {
    // The result is right all the same; only the next command has to measure again.
    const reason = error instanceof Error ? error.message : String(error);
    process.stderr.write(`cutpoint: the profile could not be kept in ${folder}: ${reason}\n`);
  });
  return { ...result, fromCache: false };
}

async function runImport(file: string, options: ProfileOptions): Promise<ImportResult> {
  const { createImporter } = await import('../onnx/importer.js');
  const importer = createImporter();
  const interrupted = new AbortController();
  const interrupt = (): void => {
    interrupted.abort();
  };
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  const progress = startProgress(`importing ${basename(file)}`);
  try {
    return await importer.import(file, options, {
      signal: interrupted.signal,
      progress: (stage, fraction) => {
        progress.update(stage, fraction);
      },
    });
  } catch (error) {
    if (interrupted.signal.aborted) throw new RefusedError('interrupted');
    throw error;
  } finally {
    progress.done();
    process.removeListener('SIGINT', interrupt).removeListener('SIGTERM', interrupt);
    await importer.close();
  }
}

/** A refusal of the importer, with the file and the option that would help. */
export function refuseNaming(file: string, error: unknown): never {
  if (!(error instanceof ImportRefused)) throw error;
  const named = error.message.includes(file) ? error.message : `${file}: ${error.message}`;
  throw new RefusedError(error.code === 'shape-needed' ? `${named} Pass it with --inputs.` : named);
}
