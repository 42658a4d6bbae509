/** What the thread of the checkpoints and its owner share. */

export const threadStates = { working: 0, stopping: 1, stopped: 2 } as const;

/** Places in the shared numbers. */
export const places = {
  /** One of `threadStates`. */
  state: 0,
  /** 1 while commits are asked to wait. */
  asksToWait: 1,
} as const;

export interface CheckpointTask {
  readonly file: string;
  /** Between two rounds. */
  readonly intervalMs: number;
  /** Of the log, where no round has caught up with it: commits are asked to wait for one. */
  readonly maxLogPages: number;
  /** 32-bit numbers, by `places`. */
  readonly shared: SharedArrayBuffer;
}

/** What the thread says. */
export type CheckpointNews =
  /** The log as it is, in pages, whenever that has changed; `isFull`: it has reached its cap. */
  | { readonly kind: 'log'; readonly pages: number; readonly isFull: boolean }
  | { readonly kind: 'failed'; readonly message: string };
