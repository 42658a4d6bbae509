/**
 * Copies the write-ahead log into the database, and sees to it that the log begins anew.
 *
 * It can only begin anew with a commit that finds all of it copied. Beside commits that go on and on a copy is never quite
 * up to date, so in the end commits are asked to wait, while the little that is left is copied: two flushes of the disk.
 */

/** What a checkpoint says: pages in the log as it began, and how many of them are in the database. */
export interface Copied {
  readonly log: number;
  readonly checkpointed: number;
}

export interface CheckpointPorts {
  /** Copies what is in the log now, as far as readers let it; does not wait for anyone. @throws SqliteError */
  readonly copy: () => Copied;
  readonly askToWait: (asks: boolean) => void;
  readonly tell: (log: { readonly pages: number; readonly isFull: boolean }) => void;
}

/** So much is copied while commits wait, and no more: else another round before. */
const lastPages = 512;

export class CheckpointRounds {
  readonly #beginAnewPages: number;
  /** The log has to be this long before commits are asked to wait (again: a reader may have kept it). */
  #nextTryPages: number;
  #told = -1;

  constructor(
    private readonly ports: CheckpointPorts,
    private readonly maxLogPages: number,
  ) {
    this.#beginAnewPages = Math.ceil(maxLogPages / 4);
    this.#nextTryPages = this.#beginAnewPages;
  }

  /** @throws SqliteError; the next round goes on */
  run(): void {
    const first = this.ports.copy();
    this.#tell(first.log);
    if (first.log < this.#beginAnewPages) this.#nextTryPages = this.#beginAnewPages;
    if (first.log < this.#nextTryPages || isKept(first)) return;
    const second = this.ports.copy();
    // where the disk is so slow that copies do not catch up, the log is not to grow without end
    const isClose = second.log - first.checkpointed <= lastPages;
    if (isKept(second) || (!isClose && second.log < this.maxLogPages)) return;
    this.#nextTryPages = second.log + this.#beginAnewPages;
    this.ports.askToWait(true);
    try {
      this.ports.copy();
      this.ports.copy(); // of the commit that was under way
    } finally {
      this.ports.askToWait(false);
    }
  }

  #tell(pages: number): void {
    if (pages === this.#told) return;
    this.#told = pages;
    this.ports.tell({ pages, isFull: pages >= this.maxLogPages });
  }
}

/** A reader needs the pages as they were: nothing can be done before it ends. */
function isKept({ log, checkpointed }: Copied): boolean {
  return checkpointed < log;
}
