/**
 * Frames that no device should send, through the whole controller: decoder, sessions, decisions, store, answers.
 *
 * Most reach it through a stand-in for the TCP connection, the rest over real sockets. After all of it a device that
 * behaves must still be served as if nothing had happened.
 */
import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { protocolName } from '../../../src/protocol/messages.js';
import { createRandom, type Random } from '../../../src/demo/random.js';
import type { Finding } from '../finding.js';
import type { FuzzedService } from '../service.js';
import { FakeSocket } from './fakeSocket.js';
import { frame, type Frame, type FrameSource } from './frames.js';

export interface FrameFuzz {
  readonly frames: number;
  readonly connections: number;
  readonly socketFrames: number;
  readonly longestFrameMs: number;
  readonly heapGrowthBytes: number;
  readonly findings: readonly Finding[];
}

const longestAllowedMs = 1_000;
const mostHeapGrowthBytes = 64 * 2 ** 20;
const framesPerTurn = 200;

interface Run {
  readonly service: FuzzedService;
  readonly source: FrameSource;
  readonly random: Random;
  readonly findings: Finding[];
  connections: number;
  longestFrameMs: number;
}

/** @param socketFrames how many of the frames go over real sockets */
export async function fuzzFrames(
  service: FuzzedService,
  options: { readonly frames: number; readonly socketFrames: number; readonly seed: number },
  progress: (done: number) => void = () => undefined,
): Promise<FrameFuzz> {
  const random = createRandom(options.seed);
  let sequence = 0;
  const names = ['camera', 'edge', 'edge-2', service.deploymentId, service.modelId, 'prepare', 'no-memory'];
  const run: Run = {
    service,
    random,
    source: {
      random,
      names,
      deploymentId: service.deploymentId,
      nextSequence: () => ++sequence,
      version: () => Math.max(0, deployedVersion(service) + Math.round(random.between(-2, 2))),
    },
    findings: [],
    connections: 0,
    longestFrameMs: 0,
  };
  const unhandled = (error: unknown): void => {
    run.findings.push({ what: 'an error that nobody took', detail: stackOf(error) });
  };
  process.on('uncaughtException', unhandled);
  process.on('unhandledRejection', unhandled);
  try {
    const inProcess = options.frames - options.socketFrames;
    const warm = Math.floor(inProcess / 4);
    await feed(run, 0, warm, progress);
    const before = heapBytes();
    await feed(run, warm, inProcess, progress);
    const growth = heapBytes() - before;
    if (growth > mostHeapGrowthBytes)
      run.findings.push({ what: 'the heap grew', detail: `by ${growth} bytes` });
    await feedSockets(run, options.socketFrames, (done) => progress(inProcess + done));
    await stillServes(run);
    return {
      frames: options.frames,
      connections: run.connections,
      socketFrames: options.socketFrames,
      longestFrameMs: run.longestFrameMs,
      heapGrowthBytes: growth,
      findings: run.findings,
    };
  } finally {
    process.off('uncaughtException', unhandled);
    process.off('unhandledRejection', unhandled);
  }
}

function deployedVersion({ context, deploymentId }: FuzzedService): number {
  return context.control.deployments.find(deploymentId)?.durable.version ?? 0;
}

async function feed(run: Run, from: number, to: number, progress: (done: number) => void): Promise<void> {
  let socket = connect(run);
  for (let index = from; index < to; index++) {
    if (index % framesPerTurn === 0) {
      await turn(); // decisions, commits and closes happen between the frames, as they do in life
      progress(index);
    }
    if (socket.readyState !== 1 || run.random.uniform() < 0.002) {
      socket.close(1006);
      await turn();
      socket = connect(run);
    }
    give(run, socket, frame(run.source));
  }
  socket.close(1006);
  await turn();
}

/** Most connections begin as they should, or nothing behind the hello would ever be reached. */
function connect(run: Run): FakeSocket {
  const socket = new FakeSocket();
  run.connections++;
  run.service.context.hub.accept(socket.asWebSocket(), null);
  if (run.random.uniform() < 0.95) give(run, socket, hello(run));
  return socket;
}

function hello({ random }: Run): Frame {
  const isEnd = random.uniform() < 0.5;
  const capabilities = random.uniform() < 0.5 ? ['prepare'] : [];
  const message = isEnd
    ? { type: 'hello', deviceId: 'camera', role: 'end', computeRatio: 4, capabilities }
    : { type: 'hello', deviceId: 'edge', role: 'edge', computeRatio: 0.5, capabilities };
  return { data: Buffer.from(JSON.stringify(message)), isBinary: false };
}

function give(run: Run, socket: FakeSocket, { data, isBinary }: Frame): void {
  const start = performance.now();
  try {
    socket.emit('message', data, isBinary);
  } catch (error) {
    run.findings.push({
      what: 'a frame threw past its connection',
      detail: `${quoted(data)}: ${stackOf(error)}`,
    });
  }
  const took = performance.now() - start;
  run.longestFrameMs = Math.max(run.longestFrameMs, took);
  if (took > longestAllowedMs) run.findings.push({ what: `a frame took ${took} ms`, detail: quoted(data) });
}

async function feedSockets(run: Run, frames: number, progress: (done: number) => void): Promise<void> {
  let socket = await open(run);
  for (let index = 0; index < frames; index++) {
    if (socket.readyState !== WebSocket.OPEN) {
      socket.terminate();
      socket = await open(run);
    }
    const { data, isBinary } = frame(run.source);
    // below ws: a few bytes that are no WebSocket frame at all
    if (run.random.uniform() < 0.001) rawSocketOf(socket).write(data);
    else socket.send(data, { binary: isBinary }, () => undefined);
    if (index % 50 === 0) {
      await turn();
      progress(index);
    }
  }
  socket.terminate();
}

async function open(run: Run, first = hello(run)): Promise<WebSocket> {
  const url = `${run.service.origin.replace('http', 'ws')}/v1/devices`;
  const socket = new WebSocket(url, protocolName);
  socket.on('error', () => undefined); // refused and broken connections are what this is about
  run.connections++;
  await Promise.race([once(socket, 'open'), once(socket, 'close')]);
  if (socket.readyState === WebSocket.OPEN) socket.send(first.data, { binary: false });
  return socket;
}

/** ws gives no public way to its TCP socket; a hostile client does not ask for one. */
function rawSocketOf(socket: WebSocket): { write(data: Buffer): void } {
  return (socket as unknown as { _socket: { write(data: Buffer): void } })._socket;
}

/** A device that behaves is welcomed. */
async function stillServes(run: Run): Promise<void> {
  const socket = await open(run);
  const end = AbortSignal.timeout(5_000);
  try {
    const [data] = (await once(socket, 'message', { signal: end })) as [Buffer];
    const { type } = JSON.parse(data.toString()) as { type: string };
    if (type !== 'welcome') throw new Error(data.toString());
  } catch (error) {
    run.findings.push({ what: 'a good device is no longer welcome', detail: stackOf(error) });
  }
  socket.terminate();
}

function heapBytes(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

function quoted(data: Buffer): string {
  return JSON.stringify(data.toString('utf8').slice(0, 2_000));
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
