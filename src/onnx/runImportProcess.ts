/** One import in one process: starts it, watches its time and memory, and says how it ended. */
import { type ChildProcess, fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ImportRefused, type ImportResult } from '../control/ports.js';
import { ImportFailed } from './importFailed.js';
import type { ImportJob, ImportReply } from './importMessages.js';

const MEMORY_CHECK_MS = 200;
const PAGE_BYTES = 4096;
const STDERR_KEPT_CHARACTERS = 2048;

interface ImportBounds {
  readonly timeoutSeconds: number;
  readonly maxMemoryBytes: number;
  readonly temporaryFolder: string;
}

/**
 * @param signal stops the import
 * @throws ImportRefused as the import does, ImportFailed where the process was stopped or died
 */
export async function runImportProcess(
  job: ImportJob,
  bounds: ImportBounds,
  signal: AbortSignal,
  progress?: (stage: string, fraction: number) => void,
): Promise<ImportResult> {
  // The process may be killed at any moment: its temporary files lie in a folder that this side removes.
  const folder = await mkdtemp(join(bounds.temporaryFolder, 'cutpoint-importer-'));
  try {
    const reply = await converse(job, bounds, signal, folder, progress);
    if (reply.kind === 'done') return reply.result;
    if (reply.kind === 'refused') throw new ImportRefused(reply.code, reply.message);
    throw new ImportFailed('internal', reply.message);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

type LastReply = Exclude<ImportReply, { kind: 'progress' }>;

function converse(
  job: ImportJob,
  bounds: ImportBounds,
  signal: AbortSignal,
  folder: string,
  progress?: (stage: string, fraction: number) => void,
): Promise<LastReply> {
  const heapMebibytes = Math.max(256, Math.floor(bounds.maxMemoryBytes / 2 ** 20));
  const child = fork(fileURLToPath(new URL('./importProcess.js', import.meta.url)), [], {
    env: { ...process.env, TMPDIR: folder, TEMP: folder, TMP: folder, NODE_OPTIONS: '' },
    execArgv: [`--max-old-space-size=${heapMebibytes}`],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  return new Promise<LastReply>((resolve, reject) => {
    let reply: LastReply | null = null;
    let stopped: ImportFailed | null = null;
    let stderr = '';
    const stop = (code: ImportFailed['code'], message: string): void => {
      stopped ??= new ImportFailed(code, message);
      child.kill('SIGKILL');
    };
    const onAbort = (): void => stop('aborted', 'The import was stopped.');
    const timer = setTimeout(
      () => stop('timeout', `The import took longer than ${bounds.timeoutSeconds} seconds and was stopped.`),
      bounds.timeoutSeconds * 1000,
    );
    const watch = setInterval(() => {
      if (residentBytes(child) > bounds.maxMemoryBytes) {
        stop(
          'out-of-memory',
          `The import needed more than ${bounds.maxMemoryBytes} bytes of memory and was stopped.`,
        );
      }
    }, MEMORY_CHECK_MS);
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      stderr = (stderr + text).slice(-STDERR_KEPT_CHARACTERS);
    });
    child.on('message', (message) => {
      const said = message as ImportReply;
      if (said.kind !== 'progress') reply = said;
      else progress?.(said.stage, said.fraction);
    });
    child.on('error', (error) => stop('internal', `The import process cannot be started: ${error.message}`));
    child.on('close', (exitCode, exitSignal) => {
      clearTimeout(timer);
      clearInterval(watch);
      signal.removeEventListener('abort', onAbort);
      if (reply !== null) resolve(reply);
      else reject(stopped ?? crash(exitCode, exitSignal, stderr));
    });
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    child.send(job, (error) => {
      if (error !== null) stop('internal', `The import process does not listen: ${error.message}`);
    });
  });
}

function crash(exitCode: number | null, exitSignal: NodeJS.Signals | null, stderr: string): ImportFailed {
  if (exitSignal === 'SIGKILL' || stderr.includes('heap out of memory')) {
    return new ImportFailed(
      'out-of-memory',
      'The import process was ended by the system, most likely for lack of memory.',
    );
  }
  const how = exitSignal === null ? `with exit code ${exitCode}` : `by ${exitSignal}`;
  const last = stderr.trim().split('\n').slice(-3).join(' ');
  return new ImportFailed('crashed', `The import process ended ${how}. ${last}`.trim());
}

/** Resident memory of the process; 0 where the system does not tell. */
function residentBytes(child: ChildProcess): number {
  try {
    return Number(readFileSync(`/proc/${child.pid}/statm`, 'utf8').split(' ')[1]) * PAGE_BYTES;
  } catch {
    return 0; // no /proc here, or the process has just ended
  }
}
