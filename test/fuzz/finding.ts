/** Something that must never happen, found by feeding rubbish. */
export interface Finding {
  readonly what: string;
  /** Enough to make it happen again. */
  readonly detail: string;
  /** The input, where it was kept. */
  readonly file?: string;
}
