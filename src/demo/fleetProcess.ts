/** A process of its own that plays some devices of the demo. Started by `fleet.ts`; ends when its parent is gone. */
import { readFileSync } from 'node:fs';
import { createModelLink } from './bandwidthModel.js';
import { connectDevice, type DeviceClient } from './deviceClient.js';
import { edgeServer, endDevice, type Measure } from './deviceState.js';
import type { DevicePlan } from './fleetPlan.js';
import { createTraceLink, parseTrace, type Trace } from './trace.js';

/** What the parent says first. */
export interface FleetOrder {
  /** `ws://host:port` */
  readonly url: string;
  readonly devices: readonly DevicePlan[];
  /** By device id. */
  readonly tokens: Readonly<Record<string, string>>;
  /** A recording that takes the place of the link models. */
  readonly traceFile: string | null;
}

/** What the process tells its parent. */
export type FleetReport =
  | { readonly type: 'welcomed'; readonly deviceId: string }
  | { readonly type: 'refused'; readonly message: string };

function report(message: FleetReport): void {
  if (process.connected) process.send?.(message);
}

function play(order: FleetOrder): DeviceClient[] {
  const trace: Trace | null =
    order.traceFile === null ? null : parseTrace(readFileSync(order.traceFile, 'utf8'));
  return order.devices.map((plan) =>
    connectDevice(order.url, plan, order.tokens[plan.deviceId]!, measureOf(plan, trace), {
      welcomed: () => {
        report({ type: 'welcomed', deviceId: plan.deviceId });
      },
      refused: (message) => {
        report({ type: 'refused', message });
      },
    }),
  );
}

function measureOf(plan: DevicePlan, trace: Trace | null): Measure {
  if (plan.role === 'edge') return edgeServer(plan);
  const link =
    trace === null
      ? createModelLink(plan.link, plan.seed)
      : // Every device starts elsewhere in the recording, or all cuts would move together.
        createTraceLink(trace, (plan.seed % 97) * 17);
  return endDevice(plan, link);
}

// Ctrl-C reaches the whole process group; the parent decides when the fleet ends.
process.on('SIGINT', () => {
  // ended by the parent
});
process.once('message', (order: FleetOrder) => {
  const clients = play(order);
  process.once('disconnect', () => {
    for (const client of clients) client.stop();
    // A controller that no longer answers must not keep this process.
    setTimeout(() => process.exit(0), 500).unref();
  });
});
