/** A real controller behind a proxy that breaks one promise of the device protocol. */
import { once } from 'node:events';
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocket, WebSocketServer } from 'ws';

export type Message = Record<string, unknown> & { readonly type: string };

/** What one connection remembers, for flaws that need it. */
export interface Connection {
  /** Sends a frame to the device besides what the controller sends. */
  readonly toDevice: (message: Message) => void;
}

export interface Flaw {
  /** What becomes of a message of the controller: another one, or none. */
  readonly message?: (message: Message, connection: Connection) => Message | null;
  /** What becomes of a close code of the controller. */
  readonly closeCode?: (code: number) => number;
  /** Upgrades that are made whatever the controller would say to them. */
  readonly takes?: (headers: IncomingMessage['headers']) => boolean;
  readonly pings?: false;
  /** What becomes of an answer of REST. */
  readonly rest?: (path: string, body: string) => string;
}

export async function brokenServer(origin: string, flaw: Flaw) {
  const server = createServer((request, response) => forward(origin, flaw, request, response));
  const sockets = new WebSocketServer({
    noServer: true,
    handleProtocols: (offered) => [...offered][0] ?? false,
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    connect(origin, flaw, request, socket, head, sockets);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close(): Promise<void> {
      for (const socket of sockets.clients) socket.terminate();
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

function forward(origin: string, flaw: Flaw, request: IncomingMessage, response: ServerResponse): void {
  const { method, headers, url } = request;
  const upstream = httpRequest(`${origin}${url}`, { method, headers }, (answer) => {
    const chunks: Buffer[] = [];
    answer.on('data', (chunk: Buffer) => chunks.push(chunk));
    answer.on('end', () => {
      const body = Buffer.concat(chunks).toString('utf8');
      const { 'content-length': _, 'transfer-encoding': __, ...kept } = answer.headers;
      response.writeHead(answer.statusCode ?? 502, kept);
      response.end(flaw.rest?.(url ?? '', body) ?? body);
    });
  });
  upstream.on('error', () => response.destroy());
  request.pipe(upstream);
}

function connect(
  origin: string,
  flaw: Flaw,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  sockets: WebSocketServer,
): void {
  if (flaw.takes?.(request.headers) === true) {
    sockets.handleUpgrade(request, socket, head, () => undefined);
    return;
  }
  const { authorization, 'sec-websocket-protocol': offered } = request.headers;
  const protocols = (offered ?? '').split(',').map((name) => name.trim());
  const upstream = new WebSocket(
    `${origin.replace('http', 'ws')}${request.url}`,
    protocols.filter((name) => name !== ''),
    { headers: authorization === undefined ? {} : { authorization }, autoPong: false },
  );
  upstream.on('unexpected-response', (_, { statusCode }) => {
    socket.end(`HTTP/1.1 ${statusCode} Refused\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
    upstream.terminate();
  });
  upstream.on('error', () => socket.destroy());
  upstream.on('open', () => {
    sockets.handleUpgrade(request, socket, head, (device) => bridge(device, upstream, flaw));
  });
}

function bridge(device: WebSocket, upstream: WebSocket, flaw: Flaw): void {
  const connection = { toDevice: (message: Message) => device.send(JSON.stringify(message)) };
  device.on('message', (data: Buffer, isBinary) => upstream.send(data, { binary: isBinary }));
  device.on('pong', () => upstream.pong());
  device.on('close', (code) => end(upstream, code));
  upstream.on('message', (data: Buffer) => {
    const message = JSON.parse(data.toString('utf8')) as Message;
    const changed = flaw.message === undefined ? message : flaw.message(message, connection);
    if (changed !== null) connection.toDevice(changed);
  });
  upstream.on('ping', () => {
    if (flaw.pings === false) upstream.pong();
    else device.ping();
  });
  upstream.on('close', (code, reason) => end(device, flaw.closeCode?.(code) ?? code, reason.toString()));
  for (const socket of [device, upstream]) socket.on('error', () => socket.terminate());
}

function end(socket: WebSocket, code: number, reason = ''): void {
  const sendable = (code >= 1000 && code <= 1014 && ![1004, 1005, 1006].includes(code)) || code >= 3000;
  if (sendable) socket.close(code, reason);
  else socket.terminate();
}
