import assert from 'node:assert/strict';
import { it } from 'node:test';
import { checkStartedDevice, deviceScenarios } from '../../src/conformance/deviceScenarios.js';
import { resultLines } from '../../src/conformance/report.js';
import { pythonDeviceCommand, withoutPython } from '../support/pythonDevice.js';

it(
  'the device in Python passes all conformance scenarios about a device',
  { skip: withoutPython },
  async () => {
    const target = { deviceId: 'camera-7', token: 'secret-of-camera-7' };
    const results = await checkStartedDevice(target, pythonDeviceCommand(), deviceScenarios, () => undefined);
    const others = results.filter(({ verdict }) => verdict !== 'pass');
    assert.deepEqual(
      others.flatMap((result) => resultLines(result, true)),
      [],
    );
    assert.equal(results.length, deviceScenarios.length);
  },
);
