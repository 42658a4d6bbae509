/**
 * Stops and starts the reading of one connection, at once.
 *
 * The pause of a socket lets what comes in pile up in the process until 16 KiB are there, each frame at the cost of a read. Here
 * the kernel keeps it, tells the peer when there is no room, and gives it out in one piece. Node.js offers that for the sockets of
 * clients alone, so the handle below is asked; where a later version has none, nothing is stopped, and that is all.
 */
import type { WebSocket } from 'ws';

interface Internals {
  readonly _socket?: {
    readonly destroyed: boolean;
    readonly _handle?: { readonly readStop?: () => void; readonly readStart?: () => void } | null;
  } | null;
}

export class ReadStop {
  #isStopped = false;

  constructor(private readonly socket: WebSocket) {}

  get isStopped(): boolean {
    return this.#isStopped;
  }

  stop(): void {
    const handle = this.#handle();
    if (this.#isStopped || handle?.readStop === undefined || handle.readStart === undefined) return;
    this.#isStopped = true;
    // The handle is still marked as being read: the stream above would else start it again by itself.
    handle.readStop();
  }

  start(): void {
    if (!this.#isStopped) return;
    this.#isStopped = false;
    this.#handle()?.readStart?.();
  }

  #handle() {
    const { _socket: socket } = this.socket as unknown as Internals;
    return socket?.destroyed === false ? socket._handle : null;
  }
}
