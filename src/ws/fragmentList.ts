/**
 * One list for the fragments of all messages of a connection, emptied as soon as each was read.
 *
 * The ws package makes a new list after each message. Where a device speaks once a second, that list is old, as the garbage
 * collector has it, before the next message is put in; and what an old object holds is kept until the next long run,
 * also after the object itself was dropped. So the bytes of every frame, and all that the socket had read with them,
 * piled up until a run that stops the event loop. The package offers no way to say so: its field is
 * set here, and where a later version has none, that is all that is lost.
 */
import type { WebSocket } from 'ws';

interface Internals {
  readonly _receiver?: { _fragments?: unknown };
}

export class FragmentList {
  readonly #list: unknown[] = [];

  constructor(private readonly socket: WebSocket) {}

  /** To be called in the event of each message, when the list is of no use any more. */
  reuse(): void {
    const { _receiver: receiver } = this.socket as unknown as Internals;
    if (!Array.isArray(receiver?._fragments)) return;
    this.#list.length = 0;
    receiver._fragments = this.#list;
  }
}
