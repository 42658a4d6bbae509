/** Imports models, each in a process of its own, so many at a time as configured. */
import { tmpdir } from 'node:os';
import { type ImportResult, type ModelImporter } from '../control/ports.js';
import type { ProfileOptions } from '../core/profile.js';
import { ImportFailed } from './importFailed.js';
import { DEFAULT_IMPORT_LIMITS, type ImportLimits } from './limits.js';
import { runImportProcess } from './runImportProcess.js';

interface ImporterOptions {
  readonly limits: ImportLimits;
  /** An import that takes longer is stopped. */
  readonly timeoutSeconds: number;
  /** An import process that holds more memory than this is stopped (checked on Linux only). */
  readonly maxMemoryBytes: number;
  /** Imports at a time. */
  readonly maxRunning: number;
  /** Imports that wait for their turn; one more is turned away. */
  readonly maxWaiting: number;
  /** Where import processes write; it exists. What kill -9 leaves there is for its owner to remove. */
  readonly temporaryFolder: string;
}

const DEFAULT_IMPORTER_OPTIONS: Omit<ImporterOptions, 'temporaryFolder'> = {
  limits: DEFAULT_IMPORT_LIMITS,
  timeoutSeconds: 600,
  maxMemoryBytes: 8 * 2 ** 30,
  maxRunning: 1,
  maxWaiting: 16,
};

type Hooks = Parameters<ModelImporter['import']>[2];

/** Creates an importer; missing options take their defaults. */
export function createImporter(options: Partial<ImporterOptions> = {}): ModelImporter {
  return new ProcessImporter({ ...DEFAULT_IMPORTER_OPTIONS, temporaryFolder: tmpdir(), ...options });
}

class ProcessImporter implements ModelImporter {
  readonly #options: ImporterOptions;
  /** Wakes the imports that wait, first come first served. */
  readonly #waiting = new Set<() => void>();
  readonly #running = new Set<Promise<unknown>>();
  readonly #stop = new AbortController();

  constructor(options: ImporterOptions) {
    this.#options = options;
  }

  /** @throws ImportRefused, ImportFailed */
  async import(file: string, options: ProfileOptions, hooks: Hooks): Promise<ImportResult> {
    const signals = hooks.signal === undefined ? [] : [hooks.signal];
    const signal = AbortSignal.any([...signals, this.#stop.signal]);
    while (this.#running.size >= this.#options.maxRunning && !signal.aborted) await this.#turn(signal);
    if (this.#stop.signal.aborted) throw new ImportFailed('closed', 'The importer is closed.');
    if (signal.aborted) throw new ImportFailed('aborted', 'The import was stopped.');
    const job = { file, options, limits: this.#options.limits };
    const work = runImportProcess(job, this.#options, signal, hooks.progress);
    this.#running.add(work);
    try {
      return await work;
    } finally {
      this.#running.delete(work);
      const [next] = this.#waiting;
      next?.();
    }
  }

  /** Stops running imports and turns away waiting ones; resolves when their processes have ended. */
  async close(): Promise<void> {
    this.#stop.abort();
    await Promise.allSettled(this.#running);
  }

  /** Resolves when it may be this import's turn, or the signal ends the wait. */
  async #turn(signal: AbortSignal): Promise<void> {
    if (this.#waiting.size >= this.#options.maxWaiting) {
      throw new ImportFailed('busy', `${this.#waiting.size} imports are waiting already. Try again later.`);
    }
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        this.#waiting.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      this.#waiting.add(wake);
      signal.addEventListener('abort', wake, { once: true });
    });
  }
}
