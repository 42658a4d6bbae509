/** All scenarios about a device, and how they are run against one. */
import { deviceMessageSchemas } from '../protocol/messages.js';
import { DeviceBench } from './device/bench.js';
import { comeBackScenarios, stayAwayScenarios } from './device/comeBack.js';
import { aloneScenarios, deviceCutScenarios } from './device/cuts.js';
import { DeviceProcess } from './device/deviceProcess.js';
import { DeviceStage, type DeviceTarget } from './device/deviceStage.js';
import { greetingScenarios, ownGreetingScenarios } from './device/greetings.js';
import { messageCheck } from './messageCheck.js';
import { runScenarios, type Result } from './run.js';
import type { Scenario } from './scenario.js';

type DeviceScenario = Scenario<DeviceStage>;
type Done = (result: Result) => void;

/** One connection is enough for all of these. */
const onOneConnection: readonly DeviceScenario[] = [...greetingScenarios, ...deviceCutScenarios];

/** A device may wait long before it comes back, or stay away: these come last, or get a device each. */
const onTheirOwn: readonly DeviceScenario[] = [
  ...aloneScenarios,
  ...ownGreetingScenarios,
  ...comeBackScenarios,
  ...stayAwayScenarios,
];

export const deviceScenarios: readonly DeviceScenario[] = [...onOneConnection, ...onTheirOwn];

/** Devices that are started at once, besides the one that serves for many scenarios. */
const atOnce = 4;

/**
 * Plays scenarios against a device that the runner starts: one for all that one connection is enough for, one for
 * each of the others.
 * @param command the program and its arguments; it gets CUTPOINT_URL, CUTPOINT_DEVICE_ID and CUTPOINT_TOKEN
 * @param done told of each result as soon as it is there
 */
export async function checkStartedDevice(
  target: DeviceTarget,
  command: readonly [string, ...string[]],
  scenarios: readonly DeviceScenario[],
  done: Done,
): Promise<Result[]> {
  const check = messageCheck(deviceMessageSchemas);
  const start = (bench: DeviceBench): DeviceProcess =>
    DeviceProcess.start(command, { url: bench.url, ...target });
  const together = async (): Promise<Result[]> => {
    const shared = scenarios.filter((scenario) => onOneConnection.includes(scenario));
    if (shared.length === 0) return [];
    const bench = await DeviceBench.listen(0, target);
    const started = { process: start(bench), isOwn: false };
    const results = await runScenarios({
      scenarios: shared,
      atOnce: 1,
      stage: (_, transcript, signal) => new DeviceStage(target, bench, started, check, transcript, signal),
      done,
    });
    await started.process.stop();
    await bench.close();
    return results;
  };
  const apart = runScenarios({
    scenarios: scenarios.filter((scenario) => onTheirOwn.includes(scenario)),
    atOnce,
    stage: async (_, transcript, signal) => {
      const bench = await DeviceBench.listen(0, target);
      const started = { process: start(bench), isOwn: true };
      return new DeviceStage(target, bench, started, check, transcript, signal);
    },
    done,
  });
  return (await Promise.all([together(), apart])).flat();
}

/** Plays scenarios one after the other against whatever device connects to the bench. */
export function checkConnectedDevice(
  target: DeviceTarget,
  bench: DeviceBench,
  scenarios: readonly DeviceScenario[],
  done: Done,
): Promise<Result[]> {
  const check = messageCheck(deviceMessageSchemas);
  return runScenarios({
    scenarios,
    atOnce: 1,
    stage: (_, transcript, signal) => new DeviceStage(target, bench, null, check, transcript, signal),
    done,
  });
}
