/** Work on many things, some in each turn of the event loop; each waits once. */
export class Sweep<T> {
  readonly #waiting = new Set<T>();
  #scheduled: NodeJS.Immediate | null = null;
  #isStopped = false;

  constructor(
    private readonly perTurn: number,
    private readonly work: (thing: T) => void,
  ) {}

  add(things: Iterable<T>): void {
    for (const thing of things) this.#waiting.add(thing);
    this.#schedule();
  }

  /** What waits is left undone. */
  stop(): void {
    this.#isStopped = true;
    if (this.#scheduled !== null) clearImmediate(this.#scheduled);
    this.#scheduled = null;
  }

  #schedule(): void {
    if (this.#isStopped || this.#scheduled !== null || this.#waiting.size === 0) return;
    this.#scheduled = setImmediate(() => {
      this.#scheduled = null;
      let left = this.perTurn;
      for (const thing of this.#waiting) {
        if (left-- === 0) break;
        this.#waiting.delete(thing);
        this.work(thing);
      }
      this.#schedule();
    });
  }
}
