/** Runs in a worker thread with a connection of its own: a round of checkpoints from time to time. */
import { parentPort, workerData } from 'node:worker_threads';
import BetterSqlite from 'better-sqlite3';
import { CheckpointRounds, type Copied } from './checkpointRounds.js';
import { places, threadStates, type CheckpointNews, type CheckpointTask } from './checkpointTask.js';

const { file, intervalMs, maxLogPages, shared } = workerData as CheckpointTask;
const numbers = new Int32Array(shared);
const db = new BetterSqlite(file, { fileMustExist: true, timeout: 0 });
const tell = (news: CheckpointNews): void => parentPort!.postMessage(news);
const rounds = new CheckpointRounds(
  {
    copy: () => (db.pragma('wal_checkpoint(PASSIVE)') as Copied[])[0]!,
    askToWait: (asks) => Atomics.store(numbers, places.asksToWait, asks ? 1 : 0),
    tell: (log) => tell({ kind: 'log', ...log }),
  },
  maxLogPages,
);
let failed: string | null = null;

while (Atomics.wait(numbers, places.state, threadStates.working, intervalMs) === 'timed-out') {
  try {
    rounds.run();
    failed = null;
  } catch (error) {
    // Told once and tried again; meanwhile the log grows.
    const message = error instanceof Error ? error.message : String(error);
    if (message !== failed) tell({ kind: 'failed', message });
    failed = message;
  }
}
db.close();
Atomics.store(numbers, places.state, threadStates.stopped);
Atomics.notify(numbers, places.state);
