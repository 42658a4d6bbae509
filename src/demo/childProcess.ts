/** Child processes of the demo that are gone when the demo is gone, however it ends. */
import type { ChildProcess } from 'node:child_process';

export interface ChildExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Fulfilled when the process has ended; rejected when it could not be started. */
export function exitOf(child: ChildProcess): Promise<ChildExit> {
  if (child.exitCode !== null || child.signalCode !== null) {
    return Promise.resolve({ code: child.exitCode, signal: child.signalCode });
  }
  return new Promise((resolve, reject) => {
    child.once('exit', (code, signal) => {
      resolve({ code, signal });
    });
    child.once('error', reject);
  });
}

/**
 * Asks a process to end by `ask`, and kills it when it has not done so within `graceMs`.
 */
export async function endChild(child: ChildProcess, graceMs: number, ask: () => void): Promise<ChildExit> {
  const exit = exitOf(child);
  const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
  try {
    ask();
    return await exit;
  } finally {
    clearTimeout(timer);
  }
}
