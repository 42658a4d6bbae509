/** Runs in a worker thread with a connection of its own: copies the write-ahead log into the database from time to time. */
import { parentPort, workerData } from 'node:worker_threads';
import BetterSqlite from 'better-sqlite3';
import { threadStates, type CheckpointTask } from './checkpointTask.js';

const { file, intervalMs, state: shared } = workerData as CheckpointTask;
const state = new Int32Array(shared);
const db = new BetterSqlite(file, { fileMustExist: true, timeout: 0 });
let failed: string | null = null;

while (Atomics.wait(state, 0, threadStates.working, intervalMs) === 'timed-out') {
  try {
    db.pragma('wal_checkpoint(PASSIVE)');
    failed = null;
  } catch (error) {
    // Told once and tried again; meanwhile the log grows as far as the writer's own limit.
    const message = error instanceof Error ? error.message : String(error);
    if (message !== failed) parentPort!.postMessage(message);
    failed = message;
  }
}
db.close();
Atomics.store(state, 0, threadStates.stopped);
Atomics.notify(state, 0);
