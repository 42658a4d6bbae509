import assert from 'node:assert/strict';
import { it } from 'node:test';
import { checkStartedDevice, deviceScenarios } from '../../src/conformance/deviceScenarios.js';
import { resultLines } from '../../src/conformance/report.js';
import { nameOf } from '../../src/conformance/scenario.js';
import { notComingTo } from '../support/playedAgain.js';
import { pythonDeviceCommand, withoutPython } from '../support/pythonDevice.js';

it(
  'the device in Python passes all conformance scenarios about a device',
  { skip: withoutPython },
  async () => {
    const target = { deviceId: 'camera-7', token: 'secret-of-camera-7' };
    const play = (names: readonly string[]) => {
      const some = deviceScenarios.filter((scenario) => names.includes(nameOf(scenario)));
      return checkStartedDevice(target, pythonDeviceCommand(), some, () => undefined);
    };
    const left = await notComingTo('pass', deviceScenarios.map(nameOf), play);
    assert.deepEqual(
      left.flatMap((result) => resultLines(result, true)),
      [],
    );
  },
);
