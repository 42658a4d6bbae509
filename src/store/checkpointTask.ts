/** What the thread of the checkpoints and its owner share. */

export const threadStates = { working: 0, stopping: 1, stopped: 2 } as const;

export interface CheckpointTask {
  readonly file: string;
  /** Between two checkpoints. */
  readonly intervalMs: number;
  /** One number, of `threadStates`. */
  readonly state: SharedArrayBuffer;
}
