/**
 * One device of the demo as a client of the device protocol: says hello, streams what it measures, takes cuts
 * over and acknowledges them, and comes back after a lost connection.
 */
import WebSocket from 'ws';
import type { DevicePlan } from './fleetPlan.js';
import type { Measure } from './deviceState.js';

export interface DeviceClientEvents {
  /** The controller has welcomed the device (each time it connects). */
  readonly welcomed: () => void;
  /** The controller refused something; the demo shows it, since it must not happen. */
  readonly refused: (message: string) => void;
}

export interface DeviceClient {
  /** Closes the connection for good. */
  stop(): void;
}

interface ServerMessage {
  readonly type: string;
  readonly deploymentId?: string;
  readonly version?: number;
  readonly telemetryIntervalMs?: number;
  readonly message?: string;
}

const firstRetryMs = 200;
const longestRetryMs = 5000;

/** @param url of the controller, `ws://host:port` */
export function connectDevice(
  url: string,
  plan: DevicePlan,
  token: string,
  measure: Measure,
  events: DeviceClientEvents,
): DeviceClient {
  const cuts = new Map<string, number>();
  let sequence = 0;
  let retryMs = firstRetryMs;
  let stopped = false;
  let socket: WebSocket | null = null;
  let timer: NodeJS.Timeout | undefined;

  function send(message: object): void {
    if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
  }

  function startTelemetry(intervalMs: number): void {
    clearInterval(timer);
    const tell = (): void => {
      sequence += 1;
      send({ type: 'telemetry', sequence, ...measure(intervalMs / 1000) });
    };
    tell();
    timer = setInterval(tell, intervalMs);
  }

  function receive(message: ServerMessage): void {
    switch (message.type) {
      case 'welcome':
        retryMs = firstRetryMs;
        events.welcomed();
        startTelemetry(message.telemetryIntervalMs ?? 1000);
        break;
      case 'cut':
        // A simulated device has nothing to load: the new cut is active at once.
        cuts.set(message.deploymentId!, message.version!);
        send({ type: 'ack', deploymentId: message.deploymentId, version: message.version });
        break;
      case 'removed':
        cuts.delete(message.deploymentId!);
        break;
      case 'error':
        events.refused(`${plan.deviceId}: ${message.message ?? 'refused without a reason'}`);
        break;
      default:
        break; // a later version of the protocol may say more
    }
  }

  function connect(): void {
    const opening = new WebSocket(`${url}/v1/devices`, 'cutpoint.v1', {
      headers: { authorization: `Bearer ${token}` },
    });
    socket = opening;
    opening.on('open', () => {
      send(helloOf(plan, cuts));
    });
    opening.on('message', (data) => {
      // Text frames arrive as one Buffer with the default binary type.
      receive(JSON.parse((data as Buffer).toString('utf8')) as ServerMessage);
    });
    opening.on('error', (error) => {
      if (!stopped) events.refused(`${plan.deviceId}: ${error.message}`);
    });
    opening.on('close', () => {
      clearInterval(timer);
      if (stopped) return;
      // Sequences start anew with a connection's boot epoch; what runs is told in the next hello.
      timer = setTimeout(connect, retryMs * (0.5 + Math.random()));
      retryMs = Math.min(longestRetryMs, retryMs * 2);
    });
  }

  connect();
  return {
    stop() {
      stopped = true;
      clearTimeout(timer);
      clearInterval(timer);
      socket?.close(1000);
    },
  };
}

function helloOf(plan: DevicePlan, cuts: ReadonlyMap<string, number>): object {
  return {
    type: 'hello',
    deviceId: plan.deviceId,
    role: plan.role,
    computeRatio: plan.computeRatio,
    agent: 'cutpoint-demo',
    ...(plan.role === 'end' ? { power: plan.power, batteryCapacityJoules: plan.batteryCapacityJoules } : {}),
    running: [...cuts].map(([deploymentId, version]) => ({ deploymentId, version })),
  };
}
