/** What went over the wires of one scenario, in order, so that a failure can be read. */

export interface Entry {
  /** Since the scenario began, ms. */
  readonly atMs: number;
  /** Whose wire, e.g. `end`. */
  readonly wire: string;
  /** `>` sent by the runner, `<` received by it, `*` anything else: an upgrade, a close, a REST call. */
  readonly direction: '>' | '<' | '*';
  readonly text: string;
}

/** More frames than that in one scenario are counted, not kept. */
const keptEntries = 500;
/** Of a longer frame the beginning is kept, with a note of how much there was. */
const keptCharacters = 1_000;

export class Transcript {
  readonly entries: Entry[] = [];
  #left = 0;
  readonly #startMs = performance.now();

  add(wire: string, direction: Entry['direction'], text: string): void {
    if (this.entries.length >= keptEntries) {
      this.#left++;
      return;
    }
    const more = text.length - keptCharacters;
    const kept = more > 0 ? `${text.slice(0, keptCharacters)}… (${more} characters more)` : text;
    this.entries.push({ atMs: Math.round(performance.now() - this.#startMs), wire, direction, text: kept });
  }

  /** Entries that came after the cap. */
  get notKept(): number {
    return this.#left;
  }
}
