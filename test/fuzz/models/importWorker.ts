/** One process that imports file after file; it is replaced when a file takes it down, hangs it or fills its memory. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ImportAnswer, ImportRequest } from './importMessages.js';

export type WorkerOutcome =
  | ImportAnswer
  /** The native runtime took its process with it. */
  | { readonly outcome: 'crashed'; readonly detail: string }
  | { readonly outcome: 'stopped'; readonly detail: 'time' | 'memory' };

/** Wall time, generous: processor time per stage is what is judged. */
const longestMs = 20_000;
const mostResidentBytes = 3 * 2 ** 30;
/** The runtime keeps a little of each session; a new process now and then keeps that out of the figures. */
const filesPerProcess = 500;

export class ImportWorker {
  #child: ChildProcess | null = null;
  #files = 0;

  async import(request: ImportRequest, temporaryFolder: string): Promise<WorkerOutcome> {
    if (this.#files++ % filesPerProcess === 0) await this.close();
    const child = (this.#child ??= fork(fileURLToPath(new URL('./importProcess.js', import.meta.url)), [], {
      env: { ...process.env, TMPDIR: temporaryFolder },
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    }));
    const outcome = await new Promise<WorkerOutcome>((resolve) => {
      const timer = setTimeout(() => finish({ outcome: 'stopped', detail: 'time' }), longestMs);
      const finish = (result: WorkerOutcome): void => {
        clearTimeout(timer);
        child.removeAllListeners('message').removeAllListeners('exit');
        resolve(result);
      };
      child.on('message', (answer) => finish(answer as ImportAnswer));
      child.on('exit', (code, signal) => finish({ outcome: 'crashed', detail: String(signal ?? code) }));
      child.send(request);
    });
    if (outcome.outcome === 'crashed') this.#child = null;
    else if (outcome.outcome === 'stopped') await this.close();
    else if (outcome.residentBytes > mostResidentBytes) {
      await this.close();
      return { outcome: 'stopped', detail: 'memory' };
    }
    return outcome;
  }

  async close(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }
}
