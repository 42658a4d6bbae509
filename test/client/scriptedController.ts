/** A controller that does what a test says: a WebSocket server on a real port, one list of frames per connection. */
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';
import { Device, type Cut, type CutHandlers, type DeviceOptions } from '../../src/client/index.js';
import { until } from '../support/controlRig.js';

type Frame = Record<string, unknown> & { readonly type: string };

export interface Visit {
  readonly socket: WebSocket;
  readonly headers: IncomingHttpHeaders;
  readonly frames: Frame[];
  send(message: object): void;
  /** The `count`th frame of a type, as soon as it is there. */
  next(type: string, count?: number): Promise<Frame>;
}

export const welcome = {
  type: 'welcome',
  protocol: 'cutpoint.v1',
  verdict: 'accepted',
  serverTimeMs: 1,
  heartbeatMs: 10_000,
  telemetryIntervalMs: 10_000,
  previousCutMs: 1_000,
  limits: {
    frameBytes: 65_536,
    jsonDepth: 8,
    framesPerSecond: 50,
    frameBurst: 100,
    outboxBytes: 1_048_576,
    deployments: 1_000,
    prepareMs: 5_000,
    helloMs: 5_000,
    tooFastMs: 5_000,
    hellosPerMinute: 30,
    helloBurst: 10,
  },
};

/** @param refuseWith the status that upgrades are answered with, null: they are made */
export async function scriptedController(
  refuseWith: () => number | null = () => null,
  retryAfterSeconds: number | null = null,
) {
  const visits: Visit[] = [];
  const attempts: IncomingHttpHeaders[] = [];
  const devices: Device[] = [];
  const http = createServer();
  const sockets = new WebSocketServer({ noServer: true, handleProtocols: () => 'cutpoint.v1' });
  http.on('upgrade', (request, stream, head) => {
    attempts.push(request.headers);
    const status = refuseWith();
    if (status !== null) {
      const after = retryAfterSeconds === null ? '' : `Retry-After: ${retryAfterSeconds}\r\n`;
      stream.end(`HTTP/1.1 ${status} No\r\n${after}Content-Length: 0\r\nConnection: close\r\n\r\n`);
      return;
    }
    sockets.handleUpgrade(request, stream, head, (socket) => visits.push(visit(socket, request.headers)));
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const url = `ws://127.0.0.1:${(http.address() as AddressInfo).port}`;
  return {
    url,
    visits,
    attempts,
    /** The `count`th connection. */
    async visit(count = 1): Promise<Visit> {
      await until(() => visits.length >= count, `connection number ${count}`);
      return visits[count - 1]!;
    },
    /** A device of this controller that writes down what it does; stopped with the controller. */
    device(options: Partial<DeviceOptions> & { readonly prepare?: CutHandlers['prepare'] | null } = {}) {
      const played = playedDevice(url, options);
      devices.push(played.device);
      return played;
    },
    async dispose(): Promise<void> {
      for (const device of devices) device.stop();
      for (const socket of sockets.clients) socket.terminate();
      sockets.close();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}

function visit(socket: WebSocket, headers: IncomingHttpHeaders): Visit {
  const frames: Frame[] = [];
  socket.on('message', (data: Buffer) => frames.push(JSON.parse(data.toString()) as Frame));
  socket.on('error', () => {
    // a close follows, which is what tests look at
  });
  const of = (type: string) => frames.filter((frame) => frame.type === type);
  return {
    socket,
    headers,
    frames,
    send: (message) => {
      socket.send(JSON.stringify(message));
    },
    async next(type, count = 1) {
      await until(() => of(type).length >= count, `${type} number ${count}`);
      return of(type)[count - 1]!;
    },
  };
}

/** A device that loads nothing, and writes down what it is asked to do and what it hears. */
export function playedDevice(
  url: string,
  { prepare, ...options }: Partial<DeviceOptions> & { readonly prepare?: CutHandlers['prepare'] | null } = {},
) {
  const done: string[] = [];
  const heard: string[] = [];
  const problems: unknown[] = [];
  const active: Cut[] = [];
  const load: CutHandlers['prepare'] = prepare ?? (() => Promise.resolve());
  const device = new Device({
    url,
    identity: { deviceId: 'camera', role: 'end', computeRatio: 4 },
    handlers: {
      ...(prepare === null ? {} : { prepare: load }),
      activate: (cut) => {
        active.push(cut);
        done.push(`activate ${cut.version}`);
      },
      fallBack: (cut, reason) => done.push(`fall back from ${cut.version}: ${reason}`),
      release: (cut) => done.push(`release ${cut.version}`),
      removed: () => done.push('removed'),
    },
    telemetry: () => ({}),
    reconnect: { firstPauseMs: 5, longestPauseMs: 20, laterPauseMs: 5 },
    events: {
      welcomed: () => heard.push('welcomed'),
      refused: ({ code }) => heard.push(`refused ${code}`),
      warned: ({ code }) => heard.push(`warned ${code}`),
      disconnected: (ending, pauseMs) => {
        const what = ending.type === 'closed' ? ending.code : ending.type === 'refused' ? ending.status : '';
        heard.push(`${ending.type} ${what}${pauseMs === null ? ', for good' : ''}`);
      },
      problem: (error) => problems.push(error),
    },
    ...options,
  });
  return { device, done, heard, problems, active };
}
