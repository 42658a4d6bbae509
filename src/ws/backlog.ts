/**
 * Telemetry frames that wait unread because decisions are behind: of each connection the latest alone, so their number
 * is that of the connections. Who speaks less often than it is read goes first, and is read at once; who loses frames,
 * since it speaks more often, goes round with all such. Now and then those are asked first who wait for longer, so that nobody
 * waits for ever. (As the sparse flows of fq_codel, RFC 8290.)
 *
 * Who goes round is held until its turn: its socket is not read, or taking in what is then dropped would leave no time for
 * anything else. When it is called up it first says what it has to say by then, in one go, and the latest of that is read.
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

/** Each so many turns go to who waits for the longest. */
const patientTurn = 4;
/** Nobody is held for longer, also where nothing is read at all: answers, pongs and ends come on the same socket. */
const longestHoldMs = 1_000;

/** What stops and starts the reading of a connection. */
export interface Reading<Owner> {
  readonly hold: (owner: Owner) => void;
  readonly release: (owner: Owner) => void;
}

/** One connection: the frame is kept in bytes of its own, which the next one is written over. */
class Place {
  isWaiting = false;
  bytes = Buffer.alloc(0);
  length = 0;
  sequence = NaN;
  receivedAtMs = 0;
  waitsSinceMs = 0;
  /** A frame was lost since the last one was read. */
  hasLost = false;
  /** It lost some before that. */
  isBusy = false;
  /** It goes round, and was not called up yet. */
  isHeld = false;

  keep(data: Buffer, sequence: number, receivedAtMs: number): void {
    if (this.bytes.length < data.length) this.bytes = Buffer.allocUnsafeSlow(2 * data.length);
    this.length = data.copy(this.bytes);
    this.sequence = sequence;
    this.receivedAtMs = receivedAtMs;
    if (!this.isWaiting) this.waitsSinceMs = receivedAtMs;
    this.isWaiting = true;
  }

  read(): void {
    this.isWaiting = false;
    this.isBusy = this.hasLost;
    this.hasLost = false;
  }
}

export class Backlog<Owner> {
  readonly #places = new Map<Owner, Place>();
  /** Each that waits stands in one of the three, once; so do some that were forgotten. */
  #sparse = new Denque<Owner>();
  #held = new Denque<Owner>();
  /** Called up: to be read when what they had to say has come in. */
  #due = new Denque<Owner>();
  #waiting = 0;
  #turn = 0;

  constructor(private readonly reading: Reading<Owner>) {}

  get size(): number {
    return this.#waiting;
  }

  /**
   * Keeps a frame in place of an earlier one of its owner.
   * @param data copied: it is a part of what the socket read, and would keep all of that
   * @param receivedAtMs by a clock that does not go back
   * @returns `stale` where the earlier one is the newer by its sequence, and stays
   */
  put(owner: Owner, data: Buffer, receivedAtMs: number): 'added' | 'replaced' | 'stale' {
    let place = this.#places.get(owner);
    const sequence = sequenceOf(data);
    const isReplaced = place?.isWaiting === true;
    // not where one of them cannot be read this way
    if (place !== undefined && isReplaced && place.sequence > sequence) return 'stale';
    if (place === undefined) {
      place = new Place();
      this.#places.set(owner, place);
    }
    place.keep(data, sequence, receivedAtMs);
    if (isReplaced) {
      place.hasLost = true;
      return 'replaced';
    }
    this.#waiting++;
    if (place.isBusy) {
      place.isHeld = true;
      this.#held.push(owner);
      this.reading.hold(owner);
    } else {
      this.#sparse.push(owner);
    }
    return 'added';
  }

  /**
   * Releases those that were held for the longest until `most` are due, and all that were held for too long. Frames that come
   * of it have to be put before the next `take`.
   */
  callUp(most: number, nowMs: number): void {
    for (let place = this.#head(this.#held); place !== null; place = this.#head(this.#held)) {
      if (this.#due.length >= most && nowMs - place.waitsSinceMs < longestHoldMs) return;
      const owner = this.#held.shift()!;
      if (this.#release(owner, place)) this.#due.push(owner);
    }
  }

  /** The next frame to read, good until the next `put`; null where none waits, or all that do are held. */
  take(): LateFrame<Owner> | null {
    if (this.#waiting === 0) return null;
    const sparse = this.#head(this.#sparse);
    const due = this.#head(this.#due);
    if (sparse === null && due === null) return null;
    const isPatient = sparse !== null && due !== null && ++this.#turn % patientTurn === 0;
    const isDue = sparse === null || (isPatient && due.waitsSinceMs < sparse.waitsSinceMs);
    const owner = (isDue ? this.#due : this.#sparse).shift()!;
    const place = (isDue ? due : sparse)!; // one of them waits
    this.#release(owner, place);
    place.read();
    this.#left();
    const { bytes, length, receivedAtMs } = place;
    return { owner, data: bytes.subarray(0, length), receivedAtMs };
  }

  /** Drops what waits for `owner`; false where nothing does. */
  forget(owner: Owner): boolean {
    const place = this.#places.get(owner);
    this.#places.delete(owner);
    if (place?.isWaiting !== true) return false;
    this.#release(owner, place);
    this.#left();
    return true;
  }

  /** False where it was not held: one that was forgotten and came back stands where it stood before as well. */
  #release(owner: Owner, place: Place): boolean {
    if (!place.isHeld) return false;
    place.isHeld = false;
    this.reading.release(owner);
    return true;
  }

  /** Who is the first in `queue`, without those that were forgotten; null where it is empty. */
  #head(queue: Denque<Owner>): Place | null {
    for (let owner = queue.peekFront(); owner !== undefined; owner = queue.peekFront()) {
      const place = this.#places.get(owner);
      if (place?.isWaiting === true) return place;
      queue.shift();
    }
    return null;
  }

  /** Where nothing waits there is no order to keep, nor whom. */
  #left(): void {
    if (--this.#waiting > 0) return;
    this.#places.clear();
    this.#sparse = new Denque();
    this.#held = new Denque();
    this.#due = new Denque();
  }
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
