/** The server's half as the scenarios play it: one connection of the device under test. */
import { WebSocket } from 'ws';
import { closes, type CloseName } from '../../protocol/closeCodes.js';
import { Inbox, messageOf, type Message } from '../inbox.js';
import type { Transcript } from '../transcript.js';

/** What the device said at the upgrade. */
export interface Attempt {
  readonly atMs: number;
  readonly protocols: readonly string[];
  readonly authorization: string | null;
}

export class DeviceWire {
  readonly inbox: Inbox;
  /** When pongs came. */
  readonly pongs: number[] = [];
  /** Messages that came before the welcome was sent. */
  readonly beforeWelcome: Message[] = [];
  #isWelcomed = false;
  #pings: NodeJS.Timeout | null = null;

  constructor(
    private readonly socket: WebSocket,
    readonly attempt: Attempt,
    /** Of the scenario that has the wire now. */
    public transcript: Transcript,
    patience: number,
  ) {
    this.inbox = new Inbox('device', undefined, patience);
    socket.on('message', (data: Buffer, isBinary) => {
      const message = messageOf(data, isBinary);
      this.transcript.add('device', '<', isBinary ? `(binary, ${data.length} bytes)` : data.toString('utf8'));
      if (!this.#isWelcomed) this.beforeWelcome.push(message);
      this.inbox.take(message);
    });
    socket.on('pong', () => this.pongs.push(performance.now()));
    socket.on('close', (code, reason) => {
      this.silence();
      this.transcript.add('device', '*', `closed ${code} ${reason.toString()}`);
      this.inbox.close({ code, reason: reason.toString() });
    });
    socket.on('error', (error) => this.transcript.add('device', '*', `socket error: ${error.message}`));
  }

  get isOpen(): boolean {
    return this.socket.readyState === WebSocket.OPEN;
  }

  get isWelcomed(): boolean {
    return this.#isWelcomed;
  }

  welcome(message: object): void {
    this.#isWelcomed = true;
    this.send(message);
  }

  send(message: object): void {
    this.sendText(JSON.stringify(message));
  }

  sendText(text: string): void {
    this.transcript.add('device', '>', text);
    this.socket.send(text);
  }

  sendBinary(bytes: Uint8Array): void {
    this.transcript.add('device', '>', `(binary, ${bytes.length} bytes)`);
    this.socket.send(bytes);
  }

  ping(): void {
    this.socket.ping();
  }

  /** Pings from now on, as heartbeats do. */
  beat(everyMs: number): void {
    this.silence();
    this.#pings = setInterval(() => this.ping(), everyMs);
  }

  /** Keeps silent from now on. */
  silence(): void {
    if (this.#pings !== null) clearInterval(this.#pings);
  }

  close(name: CloseName): void {
    this.silence();
    this.transcript.add('device', '*', `close ${closes[name].code} ${name}`);
    this.socket.close(closes[name].code, name);
  }

  /** The connection breaks. */
  drop(): void {
    this.silence();
    this.transcript.add('device', '*', 'connection dropped');
    this.socket.terminate();
  }
}
