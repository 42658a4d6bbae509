/** Clients that mean harm or are broken, each one kind of it, straight at the controller with real sockets. */
import { connect } from 'node:net';
import { randomBytes } from 'node:crypto';
import { deflateRawSync } from 'node:zlib';
import { WebSocket } from 'ws';
import { protocolName } from '../../src/protocol/messages.js';
import { bearer } from '../support/credentials.js';
import type { Faults } from './faults.js';

export interface RogueOptions {
  /** `ws://host:port` of the controller. */
  readonly url: string;
  /** A device of its own, so that the harm is its own too. */
  readonly deviceId: string;
  readonly token: string;
  readonly faults: Faults;
}

type Rogue = (options: RogueOptions, socket: WebSocket) => Promise<void>;

const telemetry = (sequence: number): string => JSON.stringify({ type: 'telemetry', sequence, cpuLoad: 0.5 });

/** By the fault that they are. */
const greeted: Readonly<Record<string, Rogue>> = {
  'duplicate telemetry': async (_, socket) => {
    for (const sequence of [1, 1, 2, 2, 2]) socket.send(telemetry(sequence));
    await pause(50);
  },
  'reordered telemetry': async (_, socket) => {
    for (const sequence of [5, 4, 9, 7, 8]) socket.send(telemetry(sequence));
    await pause(50);
  },
  /** Asks for answers and never reads one: they pile up until the controller has enough of it. */
  'slow reader': async (_, socket) => {
    socket.pause();
    const question = JSON.stringify({ type: 'telemetry', sequence: 1, ['x'.repeat(3_500)]: 1 });
    for (let count = 0; count < 3_000 && socket.readyState === WebSocket.OPEN; count++) {
      socket.send(question);
      if (count % 100 === 0) await pause(10);
    }
    await pause(500);
  },
  'too fast sender': async (_, socket) => {
    for (let sequence = 1; socket.readyState === WebSocket.OPEN && sequence < 20_000; sequence++) {
      socket.send(telemetry(sequence));
      if (sequence % 500 === 0) await pause(20);
    }
    await pause(100);
  },
  'oversized frame': async (_, socket) => {
    socket.send('x'.repeat(1_000_000));
    await ended(socket);
  },
  'deeply nested frame': async (_, socket) => {
    const depth = 1_500;
    socket.send(`{"type":"telemetry","sequence":1,"battery":${'['.repeat(depth)}${']'.repeat(depth)}}`);
    await pause(50);
  },
  /** A compressed frame that nobody agreed on: a megabyte of zeros in a thousand bytes. */
  'compressed bomb': async (_, socket) => {
    const data = deflateRawSync(Buffer.alloc(1_000_000));
    const mask = randomBytes(4);
    const masked = data.map((byte, at) => byte ^ mask[at % 4]!);
    const header = Buffer.from([0xc1, 0x80 | 126, data.length >> 8, data.length & 255]);
    const { _socket } = socket as unknown as { _socket: { write(bytes: Buffer): void } };
    _socket.write(Buffer.concat([header, mask, masked]));
    await ended(socket);
  },
};

export const rogueFaults: readonly string[] = Object.keys(greeted);

/** One rogue, from its connection to its end. */
export async function rogue(fault: string, options: RogueOptions): Promise<void> {
  const socket = new WebSocket(`${options.url}/v1/devices`, protocolName, { headers: bearer(options.token) });
  socket.on('error', () => undefined); // refused, cut off: what else
  socket.on('message', () => undefined);
  await Promise.race([opened(socket), closed(socket)]);
  if (socket.readyState !== WebSocket.OPEN) return;
  socket.send(JSON.stringify({ type: 'hello', deviceId: options.deviceId, role: 'end' }));
  await pause(20);
  options.faults.count(fault);
  await greeted[fault]!(options, socket);
  socket.terminate();
}

/** Many upgrades without or with wrong credentials at once. */
export async function knock(url: string, times: number, faults: Faults): Promise<void> {
  await Promise.all(
    Array.from({ length: times }, async (_, index) => {
      const headers = index % 2 === 0 ? {} : bearer(`cpd_${randomBytes(32).toString('base64url')}`);
      const socket = new WebSocket(`${url}/v1/devices`, protocolName, { headers });
      socket.on('error', () => undefined);
      await closed(socket);
      faults.count('upgrade without credentials');
    }),
  );
}

/** TCP connections that say nothing, and upgraded ones that never say hello. */
export async function silent(options: RogueOptions): Promise<void> {
  const { port } = new URL(options.url);
  const mute = connect(Number(port), '127.0.0.1');
  mute.on('error', () => undefined);
  const socket = new WebSocket(`${options.url}/v1/devices`, protocolName, { headers: bearer(options.token) });
  socket.on('error', () => undefined);
  options.faults.count('silent socket');
  await ended(socket, 10_000);
  mute.destroy();
}

/** Says hello with someone else's id and token, and goes. */
export async function takeOver(options: RogueOptions): Promise<void> {
  const socket = new WebSocket(`${options.url}/v1/devices`, protocolName, { headers: bearer(options.token) });
  socket.on('error', () => undefined);
  await Promise.race([opened(socket), closed(socket)]);
  if (socket.readyState !== WebSocket.OPEN) return;
  socket.send(JSON.stringify({ type: 'hello', deviceId: options.deviceId, role: 'end' }));
  await pause(100);
  options.faults.count('id taken over');
  socket.terminate();
}

/** Not `once`: that would throw at the error that comes before most closes here. */
function closed(socket: WebSocket): Promise<void> {
  return new Promise((resolve) => socket.once('close', () => resolve()));
}

function opened(socket: WebSocket): Promise<void> {
  return new Promise((resolve) => socket.once('open', resolve));
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function ended(socket: WebSocket, withinMs = 2_000): Promise<void> {
  if (socket.readyState === WebSocket.CLOSED) return;
  await Promise.race([closed(socket), pause(withinMs)]);
  socket.terminate();
}
