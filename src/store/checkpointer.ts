/**
 * Checkpoints beside the main thread. A commit only appends to the write-ahead log; what takes long is copying that into
 * the database and having the disk confirm it, tens to hundreds of milliseconds in which no telemetry would be taken. A
 * thread does all of that, and the writer none.
 */
import { Worker } from 'node:worker_threads';
import type { Database } from 'better-sqlite3';
import { places, threadStates, type CheckpointNews, type CheckpointTask } from './checkpointTask.js';

const intervalMs = 500;
/** How long the end of the thread is waited for. */
const stopMs = 1_000;
/** What a page takes in the log. */
const frameBytes = 4_096 + 24;
/** As SQLite has it where nothing is said, pages. */
const ownCheckpointPages = 1_000;

export interface CheckpointOptions {
  /** The log is not to be longer; where no reader keeps it, commits are asked to wait. */
  readonly maxLogBytes: number;
  /** Told of an error of a checkpoint; it is tried again. */
  readonly failed: (error: Error) => void;
  /** Told how long the log is when that changes; `isFull`: it has reached its cap. */
  readonly log: (bytes: number, isFull: boolean) => void;
}

export interface Checkpoints {
  /** Commits that can wait should, for as long as this says so: each one puts off the end of a checkpoint. */
  readonly askToWait: () => boolean;
  /** To be called before the database is closed. */
  readonly stop: () => void;
}

/** Starts the thread for the file of `db`, which makes no checkpoint of its own from now on. */
export function startCheckpoints(db: Database, { maxLogBytes, failed, log }: CheckpointOptions): Checkpoints {
  db.pragma('wal_autocheckpoint = 0');
  db.pragma(`journal_size_limit = ${maxLogBytes}`);
  const shared = new SharedArrayBuffer(8);
  const numbers = new Int32Array(shared);
  const maxLogPages = Math.floor(maxLogBytes / frameBytes);
  const task: CheckpointTask = { file: db.name, intervalMs, maxLogPages, shared };
  const worker = new Worker(new URL('./checkpointThread.js', import.meta.url), { workerData: task });
  worker.unref();
  let isOnline = false;
  worker.once('online', () => (isOnline = true));
  worker.on('message', (news: CheckpointNews) => {
    if (news.kind === 'failed') failed(new Error(news.message));
    else log(news.pages * frameBytes, news.isFull);
  });
  worker.on('error', (error) => {
    isOnline = false;
    Atomics.store(numbers, places.asksToWait, 0);
    db.pragma(`wal_autocheckpoint = ${ownCheckpointPages}`);
    failed(error);
  });
  return {
    askToWait: () => Atomics.load(numbers, places.asksToWait) === 1,
    stop() {
      Atomics.store(numbers, places.state, threadStates.stopping);
      Atomics.notify(numbers, places.state);
      // its connection has to be closed first, or the log stays beside the database
      if (isOnline) Atomics.wait(numbers, places.state, threadStates.stopping, stopMs);
      void worker.terminate();
    },
  };
}
