import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { DeviceBench } from '../../src/conformance/device/bench.js';
import { DeviceProcess } from '../../src/conformance/device/deviceProcess.js';
import {
  checkConnectedDevice,
  checkStartedDevice,
  deviceScenarios,
} from '../../src/conformance/deviceScenarios.js';
import { resultLines } from '../../src/conformance/report.js';
import type { Result } from '../../src/conformance/run.js';
import { nameOf } from '../../src/conformance/scenario.js';
import { notComingTo } from '../support/playedAgain.js';

const target = { deviceId: 'camera-7', token: 'secret-of-camera-7' };
/** A program beside this file. */
function commandOf(name: string, ...args: readonly string[]): [string, ...string[]] {
  return [process.execPath, fileURLToPath(new URL(`./${name}.js`, import.meta.url)), ...args];
}

function played(
  command: readonly [string, ...string[]],
  names: readonly string[],
  patience = 1,
): Promise<Result[]> {
  const scenarios = deviceScenarios.filter((scenario) => names.includes(nameOf(scenario)));
  assert.equal(scenarios.length, names.length, `one of ${names.join(', ')} does not exist`);
  return checkStartedDevice({ ...target, patience }, command, scenarios, () => undefined);
}

/** What there is to say of scenarios that the device does not pass. */
async function notPassed(
  command: readonly [string, ...string[]],
  names: readonly string[],
): Promise<string[]> {
  const results = await played(command, names, 4); // other tests run on the same machine
  return results.flatMap((result) => (result.verdict === 'pass' ? [] : resultLines(result, true)));
}

/** Each flaw with the scenarios that must find it. */
const flaws: Readonly<Record<string, readonly string[]>> = {
  'wrong-token': ['identity/sends-its-token'],
  'other-id': ['identity/says-its-id'],
  'hello-again': ['hello/first-and-once'],
  early: ['hello/nothing-before-the-welcome'],
  silent: ['telemetry/keeps-coming'],
  'stands-still': ['telemetry/sequence-rises'],
  restarts: ['telemetry/same-boot-goes-on'],
  'not-a-number': ['telemetry/keeps-coming', 'two-phases/retreat'],
  floods: ['backpressure/keeps-the-rate'],
  'no-pongs': ['heartbeat/answers-pings'],
  strict: ['data-safety/unknown-type'],
  fragile: ['data-safety/survives-rubbish'],
  'does-not-prepare': ['two-phases/prepare', 'two-phases/switch', 'ack-and-nack/answers-in-time'],
  hasty: ['two-phases/prepare'],
  'once-only': ['cut/active-twice'],
  'goes-back': ['cut/never-back'],
  'never-falls-back': ['offline/time-to-live', 'offline/says-fallback'],
  'deaf-to-pings': ['offline/pings-renew'],
  shouts: ['offline/time-to-live'],
  'hides-fallback': ['offline/says-fallback'],
  'tells-nothing': ['resume/says-what-runs'],
  keeps: ['resume/says-nothing-of-removed'],
  'gives-up': ['reconnect/after-a-break'],
  'at-once': ['reconnect/after-shutting-down', 'reconnect/backs-off'],
  insists: [
    'reconnect/stays-away-after-taken-over',
    'reconnect/comes-later-after-too-fast',
    'identity/not-insisting',
  ],
};

describe('the conformance scenarios about a device', { concurrency: 2 }, () => {
  it('all pass with a device of the client library', async () => {
    assert.deepEqual(await notPassed(commandOf('libraryDevice'), deviceScenarios.map(nameOf)), []);
  });

  it('find each flaw, and nothing in the same device without it', async () => {
    const finders = [...new Set(Object.values(flaws).flat())];
    assert.deepEqual(await notPassed(commandOf('brokenDevice'), finders), []);
    const missed: string[] = [];
    const todo = Object.entries(flaws);
    const worker = async (): Promise<void> => {
      for (let next = todo.shift(); next !== undefined; next = todo.shift()) {
        const [flaw, names] = next;
        const command = commandOf('brokenDevice', flaw);
        // a device that is held up may break its promise after the scenario has looked
        const left = await notComingTo('fail', names, (some) => played(command, some));
        missed.push(...left.map(({ name }) => `${flaw}: ${name}`));
      }
    };
    await Promise.all([worker(), worker(), worker()]);
    assert.deepEqual(missed, []);
  });

  it('can be played with a device that was started by somebody else', async () => {
    const patient = { ...target, patience: 4 };
    const bench = await DeviceBench.listen(0, patient);
    const device = DeviceProcess.start(commandOf('libraryDevice'), {
      url: bench.url,
      ...target,
    });
    try {
      const names = ['identity/says-its-id', 'cut/active-twice', 'reconnect/backs-off'];
      const scenarios = deviceScenarios.filter((scenario) => names.includes(nameOf(scenario)));
      const results = await checkConnectedDevice(patient, bench, scenarios, () => undefined);
      assert.deepEqual(
        results.map(({ name, verdict }) => [name, verdict]),
        [
          ['identity/says-its-id', 'pass'],
          ['cut/active-twice', 'pass'],
          ['reconnect/backs-off', 'skipped'],
        ],
      );
    } finally {
      await device.stop();
      await bench.close();
    }
  });
});
