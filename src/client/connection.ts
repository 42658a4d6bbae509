/** One connection to the controller, from the upgrade to its end: hello, frames, and whether the other side lives. */
import { WebSocket } from 'ws';
import {
  protocolName,
  type ControllerMessage,
  type DeviceMessage,
  type DeviceMessageOf,
} from '../protocol/messages.js';
import type { DeviceClock } from './clock.js';
import { readControllerFrame } from './controllerFrames.js';
import type { Ending } from './reconnect.js';
import { retryAfterMs } from './retryAfter.js';
import type { TelemetryFrame } from './telemetryTicker.js';

export interface ConnectionSettings {
  /** `ws://host:port` or `wss://host:port`. */
  readonly url: string;
  readonly token: string | undefined;
  /** Certificate of the authority that signed the controller's, PEM; absent: those of Node.js. */
  readonly ca: string | Buffer | undefined;
  /** From the first attempt to the welcome, ms. */
  readonly welcomeTimeoutMs: number;
  /** Largest frame that is taken from the controller, bytes. */
  readonly maxFrameBytes: number;
  /** With more waiting to be sent, telemetry is held back; with eight times as much the connection is given up, bytes. */
  readonly maxBufferedBytes: number;
}

export interface ConnectionEvents {
  readonly hello: () => DeviceMessageOf<'hello'>;
  /** Any frame or ping. */
  readonly signOfLife: () => void;
  readonly message: (message: ControllerMessage) => void;
  /** The controller broke the protocol; the frame was left. */
  readonly wrong: (problem: string) => void;
  /** Called once, the last of all. */
  readonly ended: (ending: Ending, heldMs: number) => void;
}

/** After so many heartbeats without any frame or ping the controller is taken for gone. */
const deadAfterHeartbeats = 3;
const givenUpFactor = 8;

export class Connection {
  readonly #socket: WebSocket;
  #ending: Ending | null = null;
  #hasEnded = false;
  #welcomedMs: number | null = null;
  #lastSignMs: number;
  #stopTimer: () => void;

  constructor(
    private readonly settings: ConnectionSettings,
    private readonly clock: DeviceClock,
    private readonly on: ConnectionEvents,
  ) {
    const { url, token, ca, welcomeTimeoutMs, maxFrameBytes } = settings;
    this.#lastSignMs = clock.nowMs();
    this.#socket = new WebSocket(`${url}/v1/devices`, protocolName, {
      perMessageDeflate: false,
      maxPayload: maxFrameBytes,
      ...(token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } }),
      ...(ca === undefined ? {} : { ca }),
    });
    this.#stopTimer = clock.after(welcomeTimeoutMs, () =>
      this.#giveUp(`no welcome within ${welcomeTimeoutMs} ms`),
    );
    this.#listen();
  }

  get isWelcomed(): boolean {
    return this.#welcomedMs !== null && this.#socket.readyState === WebSocket.OPEN;
  }

  /** Whether what is sent now goes out soon. */
  get isWritable(): boolean {
    return this.isWelcomed && this.#socket.bufferedAmount <= this.settings.maxBufferedBytes;
  }

  /** @returns false where the connection is not open; the next hello says what matters then */
  send(message: DeviceMessage | TelemetryFrame): boolean {
    if (this.#socket.readyState !== WebSocket.OPEN) return false;
    if (this.#socket.bufferedAmount > givenUpFactor * this.settings.maxBufferedBytes) {
      this.#giveUp('the controller reads nothing');
      return false;
    }
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  /** Ends the connection from this side. */
  close(): void {
    this.#stopTimer();
    // before the upgrade there is nothing to say goodbye to
    if (this.#socket.readyState === WebSocket.CONNECTING) this.#socket.terminate();
    else this.#socket.close(1000);
  }

  #listen(): void {
    const socket = this.#socket;
    socket.on('open', () => this.send(this.on.hello()));
    socket.on('unexpected-response', (request, { statusCode, headers }) => {
      this.#ending = { type: 'refused', status: statusCode ?? 0, retryAfterMs: retryAfterMs(headers) };
      request.destroy();
      this.#end();
    });
    socket.on('ping', () => this.#alive());
    socket.on('message', (data, isBinary) => {
      this.#alive();
      // with the default binaryType every frame is one Buffer
      this.#receive(data as Buffer, isBinary);
    });
    socket.on('error', (error) => {
      this.#ending ??= { type: 'failed', message: error.message };
    });
    socket.on('close', (code, reason) => {
      // 1006 says less than the error that came before
      if (code !== 1006) this.#ending = { type: 'closed', code, reason: reason.toString() };
      this.#ending ??= { type: 'closed', code, reason: '' };
      this.#end();
    });
  }

  #receive(data: Buffer, isBinary: boolean): void {
    const frame = readControllerFrame(data, isBinary);
    if (frame.type === 'wrong') this.on.wrong(frame.problem);
    if (frame.type !== 'message') return;
    if (frame.message.type === 'welcome') {
      this.#welcomedMs = this.clock.nowMs();
      this.#watch(frame.message.heartbeatMs);
    }
    this.on.message(frame.message);
  }

  #alive(): void {
    this.#lastSignMs = this.clock.nowMs();
    this.on.signOfLife();
  }

  /** A connection that broke without a word is found by the pings that do not come. */
  #watch(heartbeatMs: number): void {
    this.#stopTimer();
    this.#stopTimer = this.clock.after(heartbeatMs, () => {
      if (this.clock.nowMs() - this.#lastSignMs > deadAfterHeartbeats * heartbeatMs) {
        this.#giveUp(`no sign of life for ${deadAfterHeartbeats} heartbeats`);
      } else this.#watch(heartbeatMs);
    });
  }

  #giveUp(message: string): void {
    this.#ending = { type: 'failed', message };
    this.#socket.terminate();
  }

  #end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#stopTimer();
    const heldMs = this.#welcomedMs === null ? 0 : this.clock.nowMs() - this.#welcomedMs;
    this.on.ended(this.#ending ?? { type: 'failed', message: 'the connection ended' }, heldMs);
  }
}
