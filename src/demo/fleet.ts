/** The fleet of the demo: starts the processes that play its devices, and ends them. */
import { fork, type ChildProcess } from 'node:child_process';
import { endChild } from './childProcess.js';
import type { FleetOrder, FleetReport } from './fleetProcess.js';
import type { DevicePlan, FleetPlan } from './fleetPlan.js';

export interface Fleet {
  readonly processes: readonly ChildProcess[];
  /** Fulfilled when the controller has welcomed every device. */
  readonly connected: Promise<void>;
  stop(): Promise<void>;
}

export interface FleetEvents {
  readonly welcomed: (count: number, of: number) => void;
  /** The controller refused what a device said; shown, since it must not happen. */
  readonly refused: (message: string) => void;
}

const endProcesses = 2;
const graceMs = 3000;

/** Edges in one process, end devices in two others. `url` is the controller's, `ws://host:port`; `tokens` are by device id. */
export function startFleet(
  url: string,
  plan: FleetPlan,
  tokens: Readonly<Record<string, string>>,
  traceFile: string | null,
  events: FleetEvents,
): Fleet {
  const groups: DevicePlan[][] = [[...plan.edges]];
  for (let part = 0; part < Math.min(endProcesses, plan.ends.length); part += 1) {
    groups.push(plan.ends.filter((_, index) => index % endProcesses === part));
  }
  const welcomed = new Set<string>();
  const total = plan.edges.length + plan.ends.length;
  const processes: ChildProcess[] = [];
  let stopping = false;
  const connected = new Promise<void>((resolve, reject) => {
    for (const devices of groups) {
      const child = fork(new URL('./fleetProcess.js', import.meta.url), { execArgv: [] });
      processes.push(child);
      child.on('message', (message: FleetReport) => {
        if (message.type === 'refused') events.refused(message.message);
        else {
          welcomed.add(message.deviceId);
          events.welcomed(welcomed.size, total);
          if (welcomed.size === total) resolve();
        }
      });
      child.once('error', reject);
      child.once('exit', (code, signal) => {
        if (!stopping)
          reject(new FleetEnded(`a device process ended early (${signal ?? `exit code ${code}`})`));
      });
      const order: FleetOrder = { url, devices, tokens, traceFile };
      child.send(order);
    }
  });
  // Whoever waits is told; that nobody waits any more is no failure of its own.
  connected.catch(() => undefined);
  return {
    processes,
    connected,
    async stop() {
      stopping = true;
      await Promise.all(
        processes.map((child) =>
          endChild(child, graceMs, () => {
            if (child.connected) child.disconnect();
          }),
        ),
      );
    },
  };
}

/** A process that plays devices has ended by itself. */
class FleetEnded extends Error {
  override readonly name = 'FleetEnded';
  readonly code = 'fleet-ended';
}
