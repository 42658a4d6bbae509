/**
 * Telemetry frames that wait unread because decisions are behind: of each connection the latest alone, so their number
 * is that of the connections. Who was not read for the longest goes first: a device that speaks rarely is read at
 * once, and of one that speaks more often than it can be read each time the latest, never older than its interval.
 */
import Denque from 'denque';

export interface LateFrame<Owner> {
  readonly owner: Owner;
  readonly data: Buffer;
  /** By a clock that does not go back. */
  readonly receivedAtMs: number;
}

const sequenceField = Buffer.from('"sequence"');
/** What a number is read with, byte by byte: a text of each frame, and a pattern on it, cost more than all else here. */
const ascii = { space: 0x20, comma: 0x2c, zero: 0x30, nine: 0x39, colon: 0x3a, brace: 0x7d } as const;
const head = Buffer.from('{"type":"telemetry"');
/** A larger frame is read at once: what waits has to stay small. */
const largestBytes = 4096;

/** Whether a frame may wait here. Says no to telemetry that is written in another way, which is then read at once. */
export function mayWait(data: Buffer): boolean {
  return data.length > head.length && data.length <= largestBytes && head.compare(data, 0, head.length) === 0;
}

interface Place<Owner> {
  /** Null where it was read and no other came since. */
  frame: LateFrame<Owner> | null;
  /** Stands in the round of those that were read, in the order in which they were. */
  inRound: boolean;
}

export class Backlog<Owner> {
  readonly #places = new Map<Owner, Place<Owner>>();
  /** They speak and were not read in this round: they go first. */
  #due = new Denque<Owner>();
  #round = new Denque<Owner>();
  #waiting = 0;

  get size(): number {
    return this.#waiting;
  }

  /**
   * Keeps a frame in place of an earlier one of its owner.
   * @returns `stale` where the earlier one is the newer by its sequence, and stays
   */
  put(frame: LateFrame<Owner>): 'added' | 'replaced' | 'stale' {
    let place = this.#places.get(frame.owner);
    const before = place?.frame ?? null;
    if (before !== null && isNewer(before.data, frame.data)) return 'stale';
    if (place === undefined) {
      place = { frame: null, inRound: false };
      this.#places.set(frame.owner, place);
    }
    // a copy: `data` is a part of what the socket read, and would keep all of that
    place.frame = { ...frame, data: Buffer.from(frame.data) };
    if (before !== null) return 'replaced';
    this.#waiting++;
    if (!place.inRound) this.#due.push(frame.owner);
    return 'added';
  }

  /** The next frame to read; null where none waits. */
  take(): LateFrame<Owner> | null {
    if (this.#waiting === 0) return null;
    for (;;) {
      const isDue = this.#due.length > 0;
      const owner = (isDue ? this.#due : this.#round).shift()!;
      const place = this.#places.get(owner);
      if (place === undefined || place.inRound === isDue) continue; // forgotten since
      const { frame } = place;
      place.inRound = false;
      if (frame === null) continue; // it has nothing to say: it is due when it speaks
      place.frame = null;
      place.inRound = true;
      this.#round.push(owner);
      this.#left();
      return frame;
    }
  }

  /** Drops what waits for `owner`; false where nothing does. */
  forget(owner: Owner): boolean {
    const place = this.#places.get(owner);
    this.#places.delete(owner);
    if (place === undefined || place.frame === null) return false;
    this.#left();
    return true;
  }

  /** Where nothing waits there is no order to keep, nor whom. */
  #left(): void {
    if (--this.#waiting > 0) return;
    this.#places.clear();
    this.#due = new Denque();
    this.#round = new Denque();
  }
}

/** Whether the sequence of `a` is above that of `b`; not where one of them cannot be read this way. */
function isNewer(a: Buffer, b: Buffer): boolean {
  return sequenceOf(a) > sequenceOf(b);
}

/** The whole number of the first field `sequence`; NaN where there is none, or it is written in another way. */
function sequenceOf(data: Buffer): number {
  const field = data.indexOf(sequenceField, head.length);
  if (field < 0) return NaN;
  let at = pastSpace(data, field + sequenceField.length);
  if (data[at] !== ascii.colon) return NaN;
  const first = pastSpace(data, at + 1);
  let value = 0;
  for (at = first; data[at]! <= ascii.nine && data[at]! >= ascii.zero; at++)
    value = 10 * value + (data[at]! - ascii.zero);
  const digits = at - first;
  const end = data[pastSpace(data, at)];
  return digits > 0 && digits <= 16 && (end === ascii.comma || end === ascii.brace) ? value : NaN;
}

function pastSpace(data: Buffer, from: number): number {
  let at = from;
  while (data[at] === ascii.space) at++;
  return at;
}
