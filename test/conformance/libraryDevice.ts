/** A device of the client library as a program: what `cutpoint conformance --device` starts in the tests. */
import { Device } from '../../src/client/index.js';

const { CUTPOINT_URL, CUTPOINT_DEVICE_ID, CUTPOINT_TOKEN } = process.env;

new Device({
  url: CUTPOINT_URL!,
  token: CUTPOINT_TOKEN!,
  identity: { deviceId: CUTPOINT_DEVICE_ID!, role: 'end', computeRatio: 2 },
  handlers: {
    prepare: () => Promise.resolve(),
    activate: () => undefined,
    fallBack: () => undefined,
  },
  telemetry: () => ({ cpuLoad: 0.2 }),
});
