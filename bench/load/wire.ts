/**
 * A WebSocket client as cheap as one can be, so that what offers the load is not what is measured: frames are
 * written as they are, masked with the key 0 (allowed, and the server undoes it all the same).
 */
import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';

export interface WireEvents {
  readonly opened: () => void;
  readonly text: (text: string) => void;
  /** Once, at the end; `code` is that of a close frame, 1006 where there was none. */
  readonly closed: (code: number) => void;
}

export interface Address {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly protocol?: string | undefined;
  readonly authorization?: string | undefined;
}

const opcodes = { text: 1, close: 8, ping: 9, pong: 10 } as const;

/** A text frame of ASCII `text`, as characters of one byte each. */
export function frameOf(text: string): string {
  const { length } = text;
  if (length < 126) return `\x81${String.fromCharCode(0x80 | length)}\0\0\0\0${text}`;
  if (length > 65_535) throw new RangeError(`a frame of ${length} bytes is not needed here`);
  return `\x81\xfe${String.fromCharCode(length >> 8, length & 255)}\0\0\0\0${text}`;
}

export class WireClient {
  readonly #socket: Socket;
  #isOpen = false;
  #isClosed = false;
  #code = 1006;
  #rest: Buffer | null = null;

  constructor(
    address: Address,
    private readonly on: WireEvents,
  ) {
    this.#socket = connect({ host: address.host, port: address.port, noDelay: true });
    this.#socket.on('connect', () => this.#socket.write(upgradeOf(address)));
    this.#socket.on('data', (data) => this.#data(data));
    this.#socket.on('error', () => this.#socket.destroy());
    this.#socket.on('close', () => {
      this.#isOpen = false;
      if (this.#isClosed) return;
      this.#isClosed = true;
      on.closed(this.#code);
    });
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Bytes that the kernel has not taken yet. */
  get waitingBytes(): number {
    return this.#socket.writableLength;
  }

  /** @param frame made by `frameOf` */
  write(frame: string): void {
    this.#socket.write(frame, 'latin1');
  }

  end(): void {
    this.#socket.destroy();
  }

  #data(data: Buffer): void {
    let bytes = this.#rest === null ? data : Buffer.concat([this.#rest, data]);
    this.#rest = null;
    if (!this.#isOpen) {
      const end = bytes.indexOf('\r\n\r\n');
      if (end < 0) {
        this.#rest = bytes;
        return;
      }
      if (!bytes.toString('latin1', 0, end).startsWith('HTTP/1.1 101')) {
        this.#socket.destroy();
        return;
      }
      this.#isOpen = true;
      this.on.opened();
      bytes = bytes.subarray(end + 4);
    }
    this.#frames(bytes);
  }

  #frames(bytes: Buffer): void {
    let at = 0;
    while (bytes.length - at >= 2) {
      const short = bytes[at + 1]! & 127;
      const header = short < 126 ? 2 : short === 126 ? 4 : 10;
      if (bytes.length - at < header) break;
      const length =
        short < 126
          ? short
          : short === 126
            ? bytes.readUInt16BE(at + 2)
            : Number(bytes.readBigUInt64BE(at + 2));
      if (bytes.length - at < header + length) break;
      this.#frame(bytes[at]! & 15, bytes.subarray(at + header, at + header + length));
      at += header + length;
    }
    if (at < bytes.length) this.#rest = Buffer.from(bytes.subarray(at));
  }

  #frame(opcode: number, payload: Buffer): void {
    if (opcode === opcodes.text) {
      this.on.text(payload.toString('latin1'));
    } else if (opcode === opcodes.ping) {
      this.write(
        `${String.fromCharCode(0x80 | opcodes.pong, 0x80 | payload.length)}\0\0\0\0${payload.toString('latin1')}`,
      );
    } else if (opcode === opcodes.close) {
      if (payload.length >= 2) this.#code = payload.readUInt16BE(0);
      this.#socket.end();
    }
  }
}

function upgradeOf({ host, port, path, protocol, authorization }: Address): string {
  return [
    `GET ${path} HTTP/1.1`,
    `Host: ${host}:${port}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
    ...(protocol === undefined ? [] : [`Sec-WebSocket-Protocol: ${protocol}`]),
    ...(authorization === undefined ? [] : [`Authorization: ${authorization}`]),
    '\r\n',
  ].join('\r\n');
}
