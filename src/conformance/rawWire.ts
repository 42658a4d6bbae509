/** A TCP (or TLS) connection on which every byte of the upgrade and of the frames is the scenario's own. */
import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { protocolName } from '../protocol/messages.js';
import { Unmet } from './outcome.js';
import type { ServerStage } from './serverStage.js';

export interface RawWire {
  /** Of the answer; 0 where the server closed without one. */
  readonly status: number;
  write(bytes: Uint8Array): void;
  /** Waits for the code of a close frame; 1006 where the server just ends the connection. @throws Unmet */
  closeCode(withinMs?: number): Promise<number>;
  destroy(): void;
}

/**
 * Sends the head of an upgrade, changed by `change`, and reads the answer.
 * @param change gets and gives the lines of the head, the first one being the request line
 */
export async function rawUpgrade(
  stage: ServerStage,
  name: string,
  change: (head: readonly string[]) => readonly string[] = (head) => head,
): Promise<RawWire> {
  const { protocol, hostname, port, host } = new URL(stage.target.origin);
  const isTls = protocol === 'https:';
  const number = port === '' ? (isTls ? 443 : 80) : Number(port);
  const socket: Socket = isTls
    ? connectTls({ host: hostname, port: number, servername: hostname })
    : connect({ host: hostname, port: number });
  stage.signal.addEventListener('abort', () => socket.destroy(), { once: true });
  const token = await stage.token(name);
  const head = change([
    'GET /v1/devices HTTP/1.1',
    `Host: ${host}`,
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
    `Sec-WebSocket-Protocol: ${protocolName}`,
    ...(token === null ? [] : [`Authorization: Bearer ${token}`]),
  ]);
  stage.transcript.add(name, '*', `request ${JSON.stringify(head[0])} with ${head.length - 1} lines`);
  const wire = new Received(socket);
  socket.write(`${head.join('\r\n')}\r\n\r\n`);
  await wire.until(() => wire.bytes.includes('\r\n\r\n') || wire.ended, 3_000, 'no answer to the upgrade');
  const text = wire.bytes.toString('latin1');
  const end = text.indexOf('\r\n\r\n');
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0);
  stage.transcript.add(name, '*', `answered ${status}`);
  wire.forget(end < 0 ? wire.bytes.length : end + 4);
  return {
    status,
    write(bytes) {
      stage.transcript.add(name, '>', `(raw) ${Buffer.from(bytes).toString('hex')}`);
      socket.write(bytes);
    },
    async closeCode(withinMs = 3_000) {
      await wire.until(() => wire.ended || closeIn(wire.bytes) !== null, withinMs, 'the wire was not closed');
      const code = closeIn(wire.bytes) ?? 1006;
      stage.transcript.add(name, '*', `closed ${code}`);
      return code;
    },
    destroy: () => socket.destroy(),
  };
}

/** One frame as RFC 6455 lays it out. */
export function frame(
  opcode: number,
  payload: Uint8Array,
  { isFinal = true, isMasked = true, reserved = 0 } = {},
): Buffer {
  if (payload.length > 125) throw new RangeError('frames by hand are short');
  const first = (isFinal ? 0x80 : 0) | (reserved << 4) | opcode;
  const head = Buffer.from([first, (isMasked ? 0x80 : 0) | payload.length]);
  if (!isMasked) return Buffer.concat([head, payload]);
  const mask = randomBytes(4);
  return Buffer.concat([head, mask, payload.map((byte, i) => byte ^ mask[i % 4]!)]);
}

class Received {
  bytes: Buffer = Buffer.alloc(0);
  ended = false;
  readonly #waiting = new Set<() => void>();

  constructor(socket: Socket) {
    socket.on('data', (data: Buffer) => {
      this.bytes = Buffer.concat([this.bytes, data]);
      this.#wake();
    });
    socket.on('close', () => {
      this.ended = true;
      this.#wake();
    });
    socket.on('error', () => {
      // a close follows
    });
  }

  forget(count: number): void {
    this.bytes = this.bytes.subarray(count);
  }

  async until(condition: () => boolean, withinMs: number, otherwise: string): Promise<void> {
    const endMs = performance.now() + withinMs;
    while (!condition()) {
      const leftMs = endMs - performance.now();
      if (leftMs <= 0) throw new Unmet(`${otherwise} within ${withinMs} ms`);
      await new Promise<void>((resolve) => {
        const done = (): void => {
          clearTimeout(timer);
          this.#waiting.delete(done);
          resolve();
        };
        const timer = setTimeout(done, leftMs);
        this.#waiting.add(done);
      });
    }
  }

  #wake(): void {
    for (const done of [...this.#waiting]) done();
  }
}

/** The code of the first close frame among short, unmasked frames; null where there is none yet. */
function closeIn(bytes: Buffer): number | null {
  let at = 0;
  while (bytes.length >= at + 2) {
    const length = bytes[at + 1]! & 0x7f;
    const start = at + (length === 126 ? 4 : 2);
    const size = length === 126 ? bytes.readUInt16BE(at + 2) : length;
    if ((bytes[at]! & 0x0f) === 8) return bytes.length >= start + 2 ? bytes.readUInt16BE(start) : null;
    at = start + size;
  }
  return null;
}
