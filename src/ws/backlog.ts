/**
 * Telemetry frames that wait unread because decisions are behind: of each connection the latest alone, so their number
 * is that of the connections. Who speaks less often than it is read goes first, and is read at once; who loses frames,
 * since it speaks more often, goes round with all such. Now and then those are asked first who wait for longer, so that nobody
 * waits for ever. (As the sparse flows of fq_codel, RFC 8290.)
 *
 * Who goes round is held until its turn: its connection is not read, or taking in what is then dropped would leave no time for
 * anything else. When it is called up it first says what it had to say meanwhile, and the latest of that is read.
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
/** What was dropped may be so much of a queue before it is cleared of it. */
const leastCleared = 1_024;

/** What stops and starts the reading of a connection. */
export interface Reading<Owner> {
  readonly hold: (owner: Owner) => void;
  /** @param heldMs how long it was held */
  readonly release: (owner: Owner, heldMs: number) => void;
}

/** One connection: the frame is kept in bytes of its own, which the next one is written over. */
class Place<Owner> {
  /** The queue that it stands in, once; null where no frame waits. */
  queue: Denque<Place<Owner>> | null = null;
  bytes = Buffer.alloc(0);
  length = 0;
  sequence = NaN;
  receivedAtMs = 0;
  waitsSinceMs = 0;
  /** A frame was lost since the last one was read. */
  hasLost = false;
  /** It lost some before that. */
  isBusy = false;
  /** Its connection is not read. */
  isHeld = false;
  heldSinceMs = 0;
  /** How often it was held. */
  holds = 0;

  constructor(readonly owner: Owner) {}

  keep(data: Buffer, sequence: number, receivedAtMs: number): void {
    if (this.bytes.length < data.length) this.bytes = Buffer.allocUnsafeSlow(2 * data.length);
    this.length = data.copy(this.bytes);
    this.sequence = sequence;
    this.receivedAtMs = receivedAtMs;
    if (this.queue === null) this.waitsSinceMs = receivedAtMs;
  }

  read(): void {
    this.queue = null;
    this.isBusy = this.hasLost;
    this.hasLost = false;
  }
}

/** Places in the order in which they were held, each with which of its holds that was. */
class Holds<Owner> {
  readonly #places = new Denque<Place<Owner>>();
  readonly #numbers = new Denque<number>();

  push(place: Place<Owner>): void {
    this.#places.push(place);
    this.#numbers.push(place.holds);
  }

  /** The place that has been held for the longest; null where none is. */
  first(): Place<Owner> | null {
    for (let place = this.#places.peekFront(); place !== undefined; place = this.#places.peekFront()) {
      if (place.isHeld && place.holds === this.#numbers.peekFront()) return place;
      this.shift();
    }
    return null;
  }

  shift(): void {
    this.#places.shift();
    this.#numbers.shift();
  }

  clear(): void {
    this.#places.clear();
    this.#numbers.clear();
  }
}

export class Backlog<Owner> {
  readonly #places = new Map<Owner, Place<Owner>>();
  readonly #sparse = new Denque<Place<Owner>>();
  /** Those that go round, until they are called up. */
  readonly #round = new Denque<Place<Owner>>();
  /** Called up: to be read when what they have to say has come in. */
  readonly #due = new Denque<Place<Owner>>();
  readonly #holds = new Holds<Owner>();
  /** Of the round, those that were held for too long: they may speak until the next call. */
  #speaking: Place<Owner>[] = [];
  #waiting = 0;
  #turn = 0;

  /** @param longestHoldMs nobody is held for longer, also where nothing is read at all: answers, pongs and ends come that way, too */
  constructor(
    private readonly reading: Reading<Owner>,
    private readonly longestHoldMs: number,
  ) {}

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
    // not where one of them cannot be read this way
    if (place !== undefined && place.queue !== null && place.sequence > sequence) return 'stale';
    if (place === undefined) {
      place = new Place(owner);
      this.#places.set(owner, place);
    }
    place.keep(data, sequence, receivedAtMs);
    if (place.queue !== null) {
      place.hasLost = true;
      return 'replaced';
    }
    this.#waiting++;
    this.#enqueue(place, place.isBusy ? this.#round : this.#sparse);
    if (place.isBusy) this.#hold(place, receivedAtMs);
    return 'added';
  }

  /**
   * Calls up the next of the round until `most` are due, and lets those speak that were held for too long. What they say
   * then has to be put before the next `take`.
   */
  callUp(most: number, nowMs: number): void {
    for (const place of this.#speaking) if (place.queue === this.#round) this.#hold(place, nowMs);
    this.#speaking = [];
    for (let next = headOf(this.#round); next !== null; next = headOf(this.#round)) {
      if (this.#due.length >= most) break;
      this.#round.shift();
      this.#release(next, nowMs);
      this.#enqueue(next, this.#due);
    }
    for (let first = this.#holds.first(); first !== null; first = this.#holds.first()) {
      if (nowMs - first.heldSinceMs < this.longestHoldMs) return;
      this.#holds.shift();
      this.#release(first, nowMs);
      this.#speaking.push(first);
    }
  }

  /** The next frame to read, good until the next `put`; null where none waits, or all that do are still to be called up. */
  take(): LateFrame<Owner> | null {
    const sparse = headOf(this.#sparse);
    const due = headOf(this.#due);
    if (sparse === null && due === null) return null;
    const isPatient = sparse !== null && due !== null && ++this.#turn % patientTurn === 0;
    const isDue = sparse === null || (isPatient && due.waitsSinceMs < sparse.waitsSinceMs);
    const place = (isDue ? due : sparse)!; // one of them waits
    (isDue ? this.#due : this.#sparse).shift();
    place.read();
    this.#left();
    const { owner, bytes, length, receivedAtMs } = place;
    return { owner, data: bytes.subarray(0, length), receivedAtMs };
  }

  /** Drops what waits for `owner`, whose connection is gone and is not released; false where nothing does. */
  forget(owner: Owner): boolean {
    const place = this.#places.get(owner);
    this.#places.delete(owner);
    const queue = place?.queue ?? null;
    if (place === undefined || queue === null) return false;
    place.isHeld = false;
    place.queue = null;
    this.#left();
    if (queue.length > 2 * this.#waiting + leastCleared) clear(queue);
    return true;
  }

  #enqueue(place: Place<Owner>, queue: Denque<Place<Owner>>): void {
    place.queue = queue;
    queue.push(place);
  }

  #hold(place: Place<Owner>, nowMs: number): void {
    place.isHeld = true;
    place.heldSinceMs = nowMs;
    place.holds++;
    this.#holds.push(place);
    this.reading.hold(place.owner);
  }

  #release(place: Place<Owner>, nowMs: number): void {
    if (!place.isHeld) return;
    place.isHeld = false;
    this.reading.release(place.owner, nowMs - place.heldSinceMs);
  }

  /** Where nothing waits there is nobody to remember: what is left in the queues are those that were forgotten. */
  #left(): void {
    if (--this.#waiting > 0) return;
    this.#places.clear();
    this.#holds.clear();
    this.#speaking = [];
    for (const queue of [this.#sparse, this.#round, this.#due]) queue.clear();
  }
}

/** Who is the first in `queue`, without those that were forgotten; null where it is empty. */
function headOf<Owner>(queue: Denque<Place<Owner>>): Place<Owner> | null {
  for (let place = queue.peekFront(); place !== undefined; place = queue.peekFront()) {
    if (place.queue === queue) return place;
    queue.shift();
  }
  return null;
}

/** Takes those out that were forgotten. */
function clear<Owner>(queue: Denque<Place<Owner>>): void {
  for (let left = queue.length; left > 0; left--) {
    const place = queue.shift()!;
    if (place.queue === queue) queue.push(place);
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
