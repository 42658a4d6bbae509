/**
 * Checkpoints beside the main thread. A commit only appends to the write-ahead log; what takes long is copying that into
 * the database and having the disk confirm it, tens of milliseconds in which no telemetry would be taken. The thread
 * copies often, so that the checkpoint of the writer itself, which alone can start the log anew, has little left to do.
 */
import { Worker } from 'node:worker_threads';
import type { Database } from 'better-sqlite3';
import { threadStates, type CheckpointTask } from './checkpointTask.js';

const intervalMs = 500;
/**
 * Pages of the log at which the writer makes its own checkpoint: 128 MiB. That one holds up telemetry for as long as
 * the disk takes, so it is to be rare; while commits go on the log does not start anew without it.
 */
const writersPages = 32_768;
/** How long the end of the thread is waited for. */
const stopMs = 1_000;

/**
 * Starts the thread for the file of `db`.
 * @param failed told of an error of a checkpoint; it is tried again
 * @returns ends the thread; to be called before `db` is closed
 */
export function startCheckpoints(db: Database, failed: (error: Error) => void): () => void {
  db.pragma(`wal_autocheckpoint = ${writersPages}`);
  const shared = new SharedArrayBuffer(4);
  const state = new Int32Array(shared);
  const task: CheckpointTask = { file: db.name, intervalMs, state: shared };
  const worker = new Worker(new URL('./checkpointThread.js', import.meta.url), { workerData: task });
  worker.unref();
  let isOnline = false;
  worker.once('online', () => (isOnline = true));
  worker.on('message', (message: string) => failed(new Error(message)));
  worker.on('error', (error) => {
    isOnline = false;
    db.pragma('wal_autocheckpoint = 1000'); // as it is without a thread
    failed(error);
  });
  return () => {
    Atomics.store(state, 0, threadStates.stopping);
    Atomics.notify(state, 0);
    // its connection has to be closed first, or the log stays beside the database
    if (isOnline) Atomics.wait(state, 0, threadStates.stopping, stopMs);
    void worker.terminate();
  };
}
