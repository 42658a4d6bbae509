/** Where the device under test connects to: a listener that takes its connections, or refuses them where it should. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { protocolName } from '../../protocol/messages.js';
import { Unmet } from '../outcome.js';
import { Transcript } from '../transcript.js';
import { DeviceWire, type Attempt } from './deviceWire.js';

/** Attempts and connections kept; a device that comes more often than that in one scenario is out of its mind. */
const keptAttempts = 10_000;

export class DeviceBench {
  readonly attempts: Attempt[] = [];
  /** Status that upgrades are refused with; null: they are taken. */
  refuseWith: number | null = null;
  /** Of the scenario under way. */
  transcript = new Transcript();
  readonly #wires: DeviceWire[] = [];
  #taken = 0;
  #wake: () => void = () => undefined;

  private constructor(
    private readonly server: Server,
    private readonly sockets: WebSocketServer,
    private readonly patience: number,
  ) {
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      this.#upgrade(request, socket, head);
    });
  }

  /** @param port 0 takes a free one */
  static async listen(
    port: number,
    { host = '127.0.0.1', patience = 1 }: { readonly host?: string; readonly patience?: number } = {},
  ): Promise<DeviceBench> {
    const server = createServer((_request, response) => response.writeHead(404).end());
    const sockets = new WebSocketServer({
      noServer: true,
      handleProtocols: (offered) => (offered.has(protocolName) ? protocolName : false),
    });
    server.listen(port, host);
    await once(server, 'listening');
    return new DeviceBench(server, sockets, patience);
  }

  /** What the device is to be given as the controller's address. */
  get url(): string {
    const { address, port } = this.server.address() as AddressInfo;
    return `ws://${address}:${port}`;
  }

  /** The newest connection, where it is open. */
  get current(): DeviceWire | null {
    const last = this.#wires[this.#taken - 1];
    return last?.isOpen === true && this.#taken === this.#wires.length ? last : null;
  }

  /** The next connection. @throws Unmet when none comes in time */
  async next(withinMs: number, signal: AbortSignal): Promise<DeviceWire> {
    const endMs = performance.now() + withinMs;
    for (;;) {
      signal.throwIfAborted();
      const wire = this.#wires[this.#taken];
      if (wire !== undefined) {
        this.#taken++;
        return wire;
      }
      const leftMs = endMs - performance.now();
      if (leftMs <= 0) throw new Unmet(`the device did not connect within ${withinMs} ms`);
      await this.#change(leftMs, signal);
    }
  }

  /** Waits until there were so many attempts to connect. @returns whether there were, in time */
  async attempted(count: number, withinMs: number, signal: AbortSignal): Promise<boolean> {
    const endMs = performance.now() + withinMs;
    while (this.attempts.length < count) {
      signal.throwIfAborted();
      const leftMs = endMs - performance.now();
      if (leftMs <= 0) return false;
      await this.#change(leftMs, signal);
    }
    return true;
  }

  async close(): Promise<void> {
    for (const wire of this.#wires) if (wire.isOpen) wire.drop();
    this.sockets.close();
    this.server.close();
    this.server.closeAllConnections();
    await once(this.server, 'close');
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { 'sec-websocket-protocol': offered, authorization } = request.headers;
    const attempt = {
      atMs: performance.now(),
      protocols: (offered ?? '').split(',').map((name) => name.trim()),
      authorization: authorization ?? null,
    };
    this.transcript.add('device', '*', `upgrade of ${request.url ?? ''}, subprotocols [${offered ?? ''}]`);
    socket.on('error', () => socket.destroy());
    if (this.attempts.length < keptAttempts) this.attempts.push(attempt);
    if (this.refuseWith !== null || request.url !== '/v1/devices') {
      const status = this.refuseWith ?? 404;
      this.transcript.add('device', '*', `refused with ${status}`);
      socket.end(`HTTP/1.1 ${status} Refused\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
      this.#wake();
      return;
    }
    this.sockets.handleUpgrade(request, socket, head, (opened) => {
      this.#wires.push(new DeviceWire(opened, attempt, this.transcript, this.patience));
      this.#wake();
    });
  }

  #change(withinMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, withinMs);
      signal.addEventListener('abort', done);
      const before = this.#wake;
      this.#wake = () => {
        before();
        done();
        this.#wake = () => undefined;
      };
    });
  }
}
