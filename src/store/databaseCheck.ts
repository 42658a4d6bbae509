/** Looks at the whole of a database that is in use for damage, beside the controller and without haste. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { constants, setPriority } from 'node:os';
import { StoreError } from '../control/storeError.js';
import type { CheckReply } from './databaseCheckProcess.js';

export interface DatabaseCheck {
  /** Fulfilled when it is over, and what it found is told. */
  readonly ended: Promise<void>;
  /** Ends it, whatever it has found by then; to be awaited before the database is closed. */
  stop(): Promise<void>;
}

/**
 * The database is read as of one moment. Until that is done its write-ahead log cannot start anew, and grows.
 * @param failed told of damage (`corrupt`), or why nothing could be said
 */
export function startDatabaseCheck(file: string, failed: (error: Error) => void): DatabaseCheck {
  const child = fork(new URL('./databaseCheckProcess.js', import.meta.url), [file], {
    env: { ...process.env, NODE_OPTIONS: '' },
    execArgv: [],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  let reply: CheckReply | null = null;
  let isStopped = false;
  child.on('spawn', () => yieldToOthers(child));
  child.on('message', (message) => (reply = message as CheckReply));
  child.on('error', (error) => failed(error));
  const ended = once(child, 'close').then(
    ([code, signal]) => {
      if (isStopped) return;
      if (reply === null) failed(new Error(`The check of the database ended (${String(code ?? signal)}).`));
      else if (reply.found !== null) failed(damagedInUse(file, reply.found));
    },
    () => undefined, // it did not start: told above
  );
  return {
    ended,
    async stop() {
      isStopped = true;
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** Devices come back while it reads. */
function yieldToOthers(child: ChildProcess): void {
  try {
    setPriority(child.pid!, constants.priority.PRIORITY_LOW);
  } catch {
    return; // it has ended, or the system does not let us: then it takes its share
  }
}

function damagedInUse(file: string, found: string): StoreError {
  return new StoreError(
    'corrupt',
    `The database ${file} is damaged (${found}). Stop the controller and restore a backup: ` +
      `the next start refuses it as it is.`,
  );
}
