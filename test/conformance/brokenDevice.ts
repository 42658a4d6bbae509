/**
 * A small device that breaks the promise named by its argument, and none without one. It keeps what the scenarios look
 * at and no more: it is nothing to copy from.
 */
import { WebSocket } from 'ws';

const { CUTPOINT_URL, CUTPOINT_DEVICE_ID, CUTPOINT_TOKEN } = process.env;
const flaw = process.argv[2] ?? 'none';
const has = (name: string): boolean => flaw === name;

interface Cut {
  readonly deploymentId: string;
  readonly version: number;
  readonly phase: string;
  readonly timeToLiveMs: number;
}

interface Running {
  readonly cut: Cut;
  fallback: boolean;
}

const running = new Map<string, Running>();
const gone = [4001, 4003, 4004, 4009, 4010];
let sequence = 0;
let pauseMs = 1_000;
/** The latest sign of life of the controller, on whatever connection. */
let signMs = performance.now();
let connection: WebSocket | null = null;

function connect(): void {
  const socket = new WebSocket(`${CUTPOINT_URL}/v1/devices`, 'cutpoint.v1', {
    headers: { authorization: `Bearer ${has('wrong-token') ? 'x' : CUTPOINT_TOKEN}` },
    autoPong: !has('no-pongs'),
  });
  const send = (message: object): void => socket.send(JSON.stringify(message));
  let telemetry: NodeJS.Timeout | undefined;
  connection = socket;
  socket.on('open', () => {
    send({
      type: 'hello',
      deviceId: has('other-id') ? 'somebody' : CUTPOINT_DEVICE_ID,
      role: 'end',
      bootEpoch: 1,
      capabilities: ['prepare'],
      running: has('tells-nothing')
        ? []
        : [...running].map(([deploymentId, { cut, fallback }]) => ({
            deploymentId,
            version: cut.version,
            ...(fallback && !has('hides-fallback') ? { fallback } : {}),
          })),
    });
    if (has('early')) send({ type: 'telemetry', sequence: ++sequence });
    if (has('hello-again')) send({ type: 'hello', deviceId: CUTPOINT_DEVICE_ID, role: 'end' });
  });
  socket.on('ping', () => {
    if (!has('deaf-to-pings')) signMs = performance.now();
  });
  socket.on('message', (data: Buffer, isBinary) => {
    signMs = performance.now();
    let message: { type?: string };
    try {
      message = JSON.parse(isBinary ? '{}' : data.toString('utf8')) as { type?: string };
    } catch {
      if (has('fragile')) throw new Error('no JSON');
      return;
    }
    if (has('strict') && message.type === 'greetings') socket.close(1002);
    if (message.type === 'welcome') {
      const tell = (): void => {
        send({
          type: 'telemetry',
          sequence: has('stands-still') ? 1 : ++sequence,
          ...(has('not-a-number') ? { cpuLoad: 'high' } : {}),
        });
      };
      if (has('restarts')) sequence = 0;
      if (!has('silent'))
        telemetry = setInterval(() => Array.from({ length: has('floods') ? 100 : 1 }, tell), 200);
    }
    if (message.type === 'removed' && !has('keeps'))
      running.delete((message as Cut & { type: string }).deploymentId);
    if (message.type === 'cut' && 'version' in message) take(message as unknown as Cut, send);
  });
  socket.on('error', () => undefined);
  socket.on('unexpected-response', (request, { statusCode }) => {
    request.destroy();
    if (statusCode === 401 && !has('insists')) process.exit(1);
    again(statusCode ?? 0);
  });
  let hasEnded = false;
  const again = (code: number): void => {
    if (hasEnded) return;
    hasEnded = true;
    clearInterval(telemetry);
    if (gone.includes(code) && !has('insists')) process.exit(0);
    if (has('gives-up')) process.exit(0);
    const longMs = [4005, 4008, 4011].includes(code) && !has('insists') ? 60_000 : 0;
    const waitMs =
      has('at-once') || has('insists') ? 0 : Math.max(longMs, pauseMs * (0.5 + Math.random() / 2));
    pauseMs = Math.min(60_000, pauseMs * 2);
    setTimeout(connect, waitMs);
  };
  socket.on('close', again);
}

function fallBack(): void {
  for (const [deploymentId, entry] of running) {
    const { version, timeToLiveMs } = entry.cut;
    if (has('never-falls-back') || entry.fallback || performance.now() - signMs < timeToLiveMs) continue;
    entry.fallback = true;
    if (connection?.readyState !== WebSocket.OPEN) continue;
    const reason = has('shouts') ? 'TTL!' : 'time-to-live';
    connection.send(JSON.stringify({ type: 'fallback', deploymentId, version, reason }));
  }
}

function take(cut: Cut, send: (message: object) => void): void {
  const { deploymentId, version, phase } = cut;
  const active = running.get(deploymentId);
  if (phase === 'prepare') {
    if (has('does-not-prepare')) return;
    send({ type: 'prepared', deploymentId, version });
    if (!has('hasty')) return;
  }
  if (active !== undefined && active.cut.version > version && !has('goes-back')) return;
  if (active?.cut.version === version && has('once-only') && !active.fallback) return;
  running.set(deploymentId, { cut, fallback: false });
  send({ type: 'ack', deploymentId, version });
}

// what the network brought meanwhile comes first: a device that was held up was not left alone
setInterval(() => setImmediate(fallBack), 20);
connect();
