/**
 * Telemetry frames that wait unread because decisions are behind: of each connection the latest alone, so their number
 * is that of the connections. The freshest goes first: what comes late is worth less than what comes now, and is
 * replaced soon. One in some is the oldest instead, so that a device that speaks rarely is heard too.
 */
export interface LateFrame<Owner> {
  readonly owner: Owner;
  readonly data: Buffer;
  readonly receivedAtNanoseconds: bigint;
}

/** One of so many that are taken is the oldest. */
const oldestEvery = 128;
/** Places of frames that went are given back when they are more than this and more than those that wait. */
const sparePlaces = 1024;
const sequenceField = /"sequence"\s*:\s*(\d{1,16})\b/;
const head = Buffer.from('{"type":"telemetry"');
/** A larger frame is read at once: what waits has to stay small. */
const largestBytes = 4096;

/** Whether a frame may wait here. Says no to telemetry that is written in another way, which is then read at once. */
export function mayWait(data: Buffer): boolean {
  return data.length > head.length && data.length <= largestBytes && head.compare(data, 0, head.length) === 0;
}

export class Backlog<Owner> {
  /** By time of arrival; null where a frame went. */
  #frames: (LateFrame<Owner> | null)[] = [];
  #oldest = 0;
  #taken = 0;
  readonly #places = new Map<Owner, number>();

  get size(): number {
    return this.#places.size;
  }

  /**
   * Keeps a frame in place of an earlier one of its owner.
   * @returns `stale` where the earlier one is the newer by its sequence, and stays
   */
  put(frame: LateFrame<Owner>): 'added' | 'replaced' | 'stale' {
    const place = this.#places.get(frame.owner);
    if (place !== undefined) {
      if (isNewer(this.#frames[place]!.data, frame.data)) return 'stale';
      this.#frames[place] = null;
    }
    this.#places.set(frame.owner, this.#frames.length);
    // a copy: `data` is a part of what the socket read, and would keep all of that
    this.#frames.push({ ...frame, data: Buffer.from(frame.data) });
    if (this.#frames.length > sparePlaces + 2 * this.#places.size) this.#compact();
    return place === undefined ? 'added' : 'replaced';
  }

  /** The next frame to read; null where none waits. */
  take(): LateFrame<Owner> | null {
    if (this.#places.size === 0) return null;
    const frame = ++this.#taken % oldestEvery === 0 ? this.#takeOldest() : this.#takeFreshest();
    this.#places.delete(frame.owner);
    if (this.#places.size === 0) {
      this.#frames = [];
      this.#oldest = 0;
    }
    return frame;
  }

  /** Drops what waits for `owner`; false where nothing does. */
  forget(owner: Owner): boolean {
    const place = this.#places.get(owner);
    if (place === undefined) return false;
    this.#frames[place] = null;
    return this.#places.delete(owner);
  }

  #takeFreshest(): LateFrame<Owner> {
    for (;;) {
      const frame = this.#frames.pop()!;
      if (frame !== null) return frame;
    }
  }

  #takeOldest(): LateFrame<Owner> {
    for (;;) {
      const frame = this.#frames[this.#oldest]!;
      this.#frames[this.#oldest++] = null;
      if (frame !== null) return frame;
    }
  }

  #compact(): void {
    this.#frames = this.#frames.filter((frame) => frame !== null);
    this.#oldest = 0;
    this.#frames.forEach((frame, place) => this.#places.set(frame!.owner, place));
  }
}

/** Whether the sequence of `a` is above that of `b`; not where one of them cannot be read this way. */
function isNewer(a: Buffer, b: Buffer): boolean {
  const [first, second] = [a, b].map((data) => sequenceField.exec(data.toString('latin1'))?.[1]);
  return first !== undefined && second !== undefined && Number(first) > Number(second);
}
