/** One device of the demo: streams what it measures, and takes every cut, since a simulated device loads nothing. */
import { Device } from '../client/index.js';
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

/** A demo of half a minute has no time for the pauses of a fleet. */
const reconnect = { firstPauseMs: 200, longestPauseMs: 5_000 };
/** Simulated time that passes before the first measurement. */
const firstStepSeconds = 1;

/** @param url of the controller, `ws://host:port` @param token of this device */
export function connectDevice(
  url: string,
  plan: DevicePlan,
  token: string,
  measure: Measure,
  events: DeviceClientEvents,
): DeviceClient {
  const refused = (message: string): void => {
    events.refused(`${plan.deviceId}: ${message}`);
  };
  let measuredMs = performance.now() - firstStepSeconds * 1000;
  return new Device({
    url,
    token,
    identity: identityOf(plan),
    handlers: {
      prepare: () => Promise.resolve(),
      activate: () => undefined,
      fallBack: () => undefined,
    },
    telemetry: () => {
      const nowMs = performance.now();
      const seconds = (nowMs - measuredMs) / 1000;
      measuredMs = nowMs;
      return measure(seconds);
    },
    reconnect,
    events: {
      welcomed: events.welcomed,
      refused: (error) => refused(error.message),
      warned: (warning) => refused(warning.message),
      problem: (error) => refused(String(error)),
      disconnected: (ending) => {
        if (ending.type === 'failed') refused(ending.message);
        if (ending.type === 'refused') refused(`the controller answered the upgrade with ${ending.status}`);
      },
    },
  });
}

function identityOf(plan: DevicePlan) {
  return {
    deviceId: plan.deviceId,
    role: plan.role,
    computeRatio: plan.computeRatio,
    agent: 'cutpoint-demo',
    ...(plan.role === 'end' ? { power: plan.power, batteryCapacityJoules: plan.batteryCapacityJoules } : {}),
  };
}
