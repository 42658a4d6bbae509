/** A device as the scenarios play it: one WebSocket, a transcript, and answers to cuts where it is told to obey. */
import { once } from 'node:events';
import { WebSocket, type ClientOptions } from 'ws';
import { closes, type CloseName } from '../protocol/closeCodes.js';
import { protocolName } from '../protocol/messages.js';
import { Inbox, messageOf, type Message } from './inbox.js';
import { must, mustEqual, Unmet } from './outcome.js';
import type { Transcript } from './transcript.js';

export interface PeerOptions {
  /** In messages and the transcript. */
  readonly name: string;
  readonly url: string;
  readonly protocols?: readonly string[];
  readonly token?: string | null;
  /** `Authorization` as it is, instead of a bearer token. */
  readonly authorization?: string;
  readonly socket?: ClientOptions;
  readonly transcript: Transcript;
  readonly signal: AbortSignal;
  /** As in `Inbox`. */
  readonly patience?: number;
  /** Told of each message of the server. */
  readonly received?: (message: Message) => void;
}

/** What a server said to an upgrade that it did not make. */
export interface Refusal {
  readonly status: number;
  readonly body: string;
}

export class Peer {
  readonly inbox: Inbox;
  readonly pings: number[] = [];
  #obeys = false;
  /** The latest cut of each deployment that was not answered. */
  readonly #unanswered = new Map<unknown, Message>();
  #sequence = 0;

  private constructor(
    readonly socket: WebSocket,
    private readonly options: PeerOptions,
  ) {
    this.inbox = new Inbox(options.name, options.signal, options.patience);
    socket.on('message', (data: Buffer, isBinary) => this.#receive(data, isBinary));
    socket.on('ping', () => this.pings.push(performance.now()));
    socket.on('close', (code, reason) => {
      options.transcript.add(options.name, '*', `closed ${code} ${reason.toString()}`);
      this.inbox.close({ code, reason: reason.toString() });
    });
    socket.on('error', (error) => {
      // a close event follows, which is what scenarios look at
      options.transcript.add(options.name, '*', `socket error: ${error.message}`);
    });
  }

  get name(): string {
    return this.options.name;
  }

  /** Connects. @throws Unmet when the server does not make the upgrade */
  static async open(options: PeerOptions): Promise<Peer> {
    const answer = await Peer.upgrade(options);
    if (answer instanceof Peer) return answer;
    throw new Unmet(`${options.name}: the upgrade was refused with ${answer.status}: ${answer.body}`);
  }

  /** Connects, or says how the server refused. */
  static async upgrade(options: PeerOptions): Promise<Peer | Refusal> {
    const { transcript, name, url, token, signal } = options;
    const authorization = options.authorization ?? bearer(token);
    const protocols = options.protocols ?? [protocolName];
    transcript.add(name, '*', `upgrade, subprotocols [${protocols.join(', ')}]`);
    const socket = new WebSocket(url, [...protocols], {
      perMessageDeflate: false,
      ...options.socket,
      headers: authorization === undefined ? {} : { authorization },
    });
    const peer = new Peer(socket, options);
    const stop = (): void => socket.terminate();
    signal.addEventListener('abort', stop, { once: true });
    const refusal = refused(socket).then((answer) => {
      transcript.add(name, '*', `refused ${answer.status} ${answer.body}`);
      return answer;
    });
    const opened = once(socket, 'open', { signal }).then(() => peer);
    try {
      return await Promise.race([opened, refusal]);
    } catch (error) {
      signal.throwIfAborted();
      throw new Unmet(`${name}: cannot connect: ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      opened.catch(() => undefined); // where the refusal was first, the open fails too
    }
  }

  send(message: object): void {
    this.sendText(JSON.stringify(message));
  }

  sendText(text: string): void {
    this.options.transcript.add(this.name, '>', text);
    this.socket.send(text);
  }

  sendBinary(bytes: Uint8Array): void {
    this.options.transcript.add(this.name, '>', `(binary, ${bytes.length} bytes)`);
    this.socket.send(bytes);
  }

  /** Telemetry with the next sequence. @returns that sequence */
  telemetry(values: object = {}): number {
    this.send({ type: 'telemetry', sequence: ++this.#sequence, ...values });
    return this.#sequence;
  }

  /** From now on each cut is answered as a well-behaved device does, and so is the latest one that was not. */
  obey(): this {
    this.#obeys = true;
    for (const cut of this.#unanswered.values()) this.answer(cut);
    return this;
  }

  /** From now on cuts are not answered. */
  resist(): this {
    this.#obeys = false;
    return this;
  }

  /** As a well-behaved device answers this cut. */
  answer(cut: Message): void {
    const { deploymentId, version, phase } = cut;
    this.#unanswered.delete(deploymentId);
    this.send({ type: phase === 'prepare' ? 'prepared' : 'ack', deploymentId, version });
  }

  /** The server ends this connection, with the code and the name of that close. @throws Unmet */
  async closes(name: CloseName, withinMs?: number): Promise<void> {
    await this.inbox.expectClose(closes[name].code, name, withinMs);
  }

  /**
   * Waits until the server has taken all that was sent so far: messages are answered in order, so the answer to a
   * message of unknown type stands behind all others.
   */
  async fence(): Promise<void> {
    this.send({ type: 'fence' });
    await this.inbox.expect('error', { code: 'unknown-type' });
  }

  /** @throws Unmet when the server answers anything to what `send` sends */
  async unanswered(send: () => void, why: string): Promise<void> {
    this.inbox.skip();
    send();
    this.send({ type: 'fence' });
    const { code, field, message } = await this.inbox.expect('error');
    must(code === 'unknown-type', `${this.name}: ${why}, but: ${String(message)} (${String(code)})`);
    mustEqual(field, 'type', 'field of the error about an unknown type');
  }

  async end(): Promise<void> {
    if (this.socket.readyState === WebSocket.CLOSED) return;
    const closed = once(this.socket, 'close');
    this.socket.close(1000);
    const late = setTimeout(() => this.socket.terminate(), 300);
    await closed;
    clearTimeout(late);
  }

  #receive(data: Buffer, isBinary: boolean): void {
    const text = isBinary ? `(binary, ${data.length} bytes)` : data.toString('utf8');
    this.options.transcript.add(this.name, '<', text);
    const message = messageOf(data, isBinary);
    this.inbox.take(message);
    this.options.received?.(message);
    if (message.type === 'removed') this.#unanswered.delete(message['deploymentId']);
    if (message.type !== 'cut') return;
    this.#unanswered.set(message['deploymentId'], message);
    if (this.#obeys) this.answer(message);
  }
}

function bearer(token: string | null | undefined): string | undefined {
  return token === null || token === undefined ? undefined : `Bearer ${token}`;
}

function refused(socket: WebSocket): Promise<Refusal> {
  return new Promise((resolve) => {
    socket.on('unexpected-response', (_request, response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (text: string) => (body += text));
      response.on('close', () => {
        resolve({ status: response.statusCode ?? 0, body });
        socket.terminate();
      });
    });
  });
}
