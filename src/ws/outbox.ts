/**
 * What waits for one device, bounded in bytes. Messages with a key wait here while the socket has more than half of
 * the bound to send, and a later one with the same key replaces an earlier: a slow reader gets the latest cut of a
 * deployment, not each. Beyond the bound the consumer is too slow, and the owner is told. What was put in before it was
 * opened, the cuts of all deployments of the device, is no sign of that: it may go beyond the bound until it is read.
 */
export interface OutboxSocket {
  readonly bufferedAmount: number;
  send(text: string, done: (error?: Error) => void): void;
}

interface Waiting {
  readonly text: string;
  readonly bytes: number;
}

export class Outbox {
  readonly #waiting = new Map<string, Waiting>();
  #waitingBytes = 0;
  #state: 'held' | 'open' | 'closed' = 'held';
  /** Of what waited when it was opened: bytes not read yet. */
  #openingBytes = 0;

  constructor(
    private readonly socket: OutboxSocket,
    private readonly limitBytes: number,
    private readonly on: { readonly overflow: () => void; readonly superseded: () => void },
  ) {}

  /** Messages with a key may go from now on: before that they wait, since the welcome goes first. */
  open(): void {
    if (this.#state === 'held') {
      this.#state = 'open';
      this.#openingBytes = this.#waitingBytes;
    }
    this.#flush();
  }

  close(): void {
    this.#state = 'closed';
    this.#waiting.clear();
    this.#waitingBytes = 0;
  }

  /** Goes at once, in order. */
  sendNow(text: string): void {
    if (this.#state === 'closed') return;
    if (this.#exceeds(Buffer.byteLength(text))) this.on.overflow();
    else this.#send(text);
  }

  /** Goes when the socket has room; replaces what waits under `key`. */
  sendLatest(key: string, text: string): void {
    if (this.#state === 'closed') return;
    const before = this.#waiting.get(key);
    if (before !== undefined) {
      this.#waitingBytes -= before.bytes;
      this.#waiting.delete(key);
      this.on.superseded();
    }
    const bytes = Buffer.byteLength(text);
    if (this.#exceeds(bytes)) {
      this.on.overflow();
      return;
    }
    if (this.#waiting.size === 0 && this.#mayFlush()) {
      this.#send(text);
      return;
    }
    this.#waiting.set(key, { text, bytes });
    this.#waitingBytes += bytes;
    this.#flush();
  }

  get waitingCount(): number {
    return this.#waiting.size;
  }

  #exceeds(bytes: number): boolean {
    if (this.#state === 'held') return this.socket.bufferedAmount + bytes > this.limitBytes;
    const unreadBytes = this.socket.bufferedAmount + this.#waitingBytes;
    this.#openingBytes = Math.min(this.#openingBytes, unreadBytes);
    return unreadBytes + bytes > this.limitBytes + this.#openingBytes;
  }

  /** Where not, the callback of a send, or the welcome, goes on. */
  #mayFlush(): boolean {
    return this.#state === 'open' && this.socket.bufferedAmount <= this.limitBytes / 2;
  }

  readonly #flush = (): void => {
    for (const [key, { text, bytes }] of this.#waiting) {
      if (!this.#mayFlush()) return;
      this.#waiting.delete(key);
      this.#waitingBytes -= bytes;
      this.#send(text);
    }
  };

  #send(text: string): void {
    // an error here is followed by the socket's close event, which its owner hears
    this.socket.send(text, this.#flush);
  }
}
