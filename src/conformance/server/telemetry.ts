/** Telemetry: silent where it is right, answered by field where it is not, the newest value wins. */
import type { View } from '../operator.js';
import { mustEqual, Unmet } from '../outcome.js';
import type { Scenario } from '../scenario.js';
import type { ServerStage } from '../serverStage.js';

/** Telemetry in which `member` is wrong; text, because JSON cannot write some of it. */
function wrong(name: string, promise: string, member: string, field: string): Scenario<ServerStage> {
  return {
    topic: 'telemetry',
    name,
    promise,
    play: async (stage) => {
      const peer = await stage.device();
      peer.sendText(`{"type":"telemetry","sequence":7,"rttSeconds":0.01,${member}}`);
      await peer.inbox.expect('error', { code: 'invalid-field', field, sequence: 7 });
      await peer.fence(); // and the connection goes on
    },
  };
}

function silent(name: string, promise: string, values: object): Scenario<ServerStage> {
  return {
    topic: 'telemetry',
    name,
    promise,
    play: async (stage) => {
      const peer = await stage.device();
      await peer.unanswered(() => peer.telemetry(values), 'telemetry that is right is not answered');
    },
  };
}

/** A scenario about what operators see of a device. */
function seen(
  name: string,
  promise: string,
  play: (stage: ServerStage) => Promise<void>,
): Scenario<ServerStage> {
  return { topic: 'telemetry', name, promise, play };
}

/** What the server keeps of the device. @throws NotPlayable without operator REST */
async function kept(stage: ServerStage): Promise<View> {
  stage.needsOperator();
  const { status, view } = await stage.operator.call('GET', `/v1/devices/${stage.deviceId('device')}`);
  if (status !== 200) throw new Unmet(`the device is not known to operators: ${status}`);
  return view;
}

const everything = {
  uplinkBitsPerSecond: 24e6,
  downlinkBitsPerSecond: 90e6,
  rttSeconds: 0.018,
  cpuLoad: 0.35,
  slowdown: 1.2,
  freeMemoryBytes: 1e9,
  freeStorageBytes: 4e9,
  battery: { level: 0.81, charging: false },
  temperatureCelsius: 41,
  queueLength: 0,
  meanServiceSeconds: 0.02,
};

const wrongValues: readonly Scenario<ServerStage>[] = [
  wrong(
    'negative',
    'A negative rate is refused by its field.',
    '"uplinkBitsPerSecond":-1',
    'uplinkBitsPerSecond',
  ),
  wrong(
    'infinite',
    'A number beyond all doubles is refused.',
    '"downlinkBitsPerSecond":1e999',
    'downlinkBitsPerSecond',
  ),
  wrong('out-of-range', 'A CPU load of 1 is refused.', '"cpuLoad":1', 'cpuLoad'),
  wrong('zero-slowdown', 'A slowdown of 0 is refused.', '"slowdown":0', 'slowdown'),
  wrong('number-in-quotes', 'Text is no number.', '"freeMemoryBytes":"5"', 'freeMemoryBytes'),
  wrong('number-in-array', 'An array is no number.', '"queueLength":[1]', 'queueLength'),
  wrong('true-is-no-number', 'true is no number.', '"temperatureCelsius":true', 'temperatureCelsius'),
  wrong(
    'nested-field',
    'A field inside is named by its path.',
    '"battery":{"level":1.1,"charging":true}',
    'battery.level',
  ),
  wrong(
    'nested-missing',
    'A missing field inside is named by its path.',
    '"battery":{"level":1}',
    'battery.charging',
  ),
  wrong('unknown-field', 'An unknown field is refused by its name.', '"speed":1', 'speed'),
  wrong(
    'prototype',
    'The name of an inherited field is an unknown field, too.',
    '"__proto__":{}',
    '__proto__',
  ),
  {
    topic: 'telemetry',
    name: 'not-a-number',
    promise: 'NaN is no JSON.',
    play: async (stage) => {
      const peer = await stage.device();
      peer.sendText('{"type":"telemetry","sequence":1,"cpuLoad":NaN}');
      await peer.inbox.expect('error', { code: 'not-json' });
      await peer.fence();
    },
  },
  {
    topic: 'telemetry',
    name: 'no-sequence',
    promise: 'Telemetry without a sequence is refused by that field.',
    play: async (stage) => {
      const peer = await stage.device();
      peer.send({ type: 'telemetry', cpuLoad: 0.1 });
      await peer.inbox.expect('error', { code: 'invalid-field', field: 'sequence' });
    },
  },
];

const keptValues: readonly Scenario<ServerStage>[] = [
  seen('newest-wins', 'The newest values are those that count.', async (stage) => {
    const peer = await stage.device();
    for (const rttSeconds of [0.1, 0.2, 0.3]) peer.telemetry({ rttSeconds });
    await peer.fence();
    mustEqual((await kept(stage)).at('telemetry', 'rttSeconds'), 0.3, 'rttSeconds kept');
  }),
  seen('bad-frame-takes-nothing', 'Of a frame with a wrong value nothing is taken.', async (stage) => {
    const peer = await stage.device();
    peer.telemetry({ rttSeconds: 0.1 });
    peer.telemetry({ rttSeconds: 0.2, cpuLoad: -1 });
    await peer.fence();
    mustEqual((await kept(stage)).at('telemetry', 'rttSeconds'), 0.1, 'rttSeconds kept');
  }),
  seen(
    'old-is-dropped',
    'A frame that is older than the last is dropped, without an answer.',
    async (stage) => {
      const peer = await stage.device();
      peer.send({ type: 'telemetry', sequence: 10, rttSeconds: 0.1 });
      await peer.unanswered(
        () => peer.send({ type: 'telemetry', sequence: 9, rttSeconds: 0.2 }),
        'an old frame is dropped and not answered',
      );
      mustEqual((await kept(stage)).at('telemetry', 'rttSeconds'), 0.1, 'rttSeconds kept');
    },
  ),
  seen(
    'duplicate-is-dropped',
    'A sequence that comes again is dropped, without an answer.',
    async (stage) => {
      const peer = await stage.device();
      peer.send({ type: 'telemetry', sequence: 10, rttSeconds: 0.1 });
      await peer.unanswered(
        () => peer.send({ type: 'telemetry', sequence: 10, rttSeconds: 0.2 }),
        'a duplicate is dropped and not answered',
      );
      mustEqual((await kept(stage)).at('telemetry', 'rttSeconds'), 0.1, 'rttSeconds kept');
    },
  ),
  seen('absent-is-unknown', 'A frame is a snapshot: what it leaves out is unknown.', async (stage) => {
    const peer = await stage.device();
    peer.telemetry({ rttSeconds: 0.1, cpuLoad: 0.5 });
    peer.telemetry({ rttSeconds: 0.2 });
    await peer.fence();
    const telemetry = (await kept(stage)).at('telemetry') as Record<string, unknown>;
    mustEqual(
      [telemetry['rttSeconds'], telemetry['cpuLoad'] ?? null],
      [0.2, null],
      'rttSeconds and cpuLoad kept',
    );
  }),
  seen('null-is-unknown', 'null says the same as absent, and is never 0.', async (stage) => {
    const peer = await stage.device();
    peer.telemetry({ rttSeconds: 0.1, cpuLoad: null });
    await peer.fence();
    const telemetry = (await kept(stage)).at('telemetry') as Record<string, unknown>;
    mustEqual(
      [telemetry['rttSeconds'], telemetry['cpuLoad'] ?? null],
      [0.1, null],
      'rttSeconds and cpuLoad kept',
    );
  }),
  seen('same-boot-goes-on', 'With the same boot epoch, sequences go on over a reconnect.', async (stage) => {
    const bootEpoch = Date.now();
    const first = await stage.device('device', { bootEpoch });
    first.send({ type: 'telemetry', sequence: 10, rttSeconds: 0.1 });
    await first.fence();
    await first.end();
    const second = await stage.device('device', { bootEpoch });
    second.send({ type: 'telemetry', sequence: 10, rttSeconds: 0.2 });
    second.send({ type: 'telemetry', sequence: 11, rttSeconds: 0.3 });
    second.send({ type: 'telemetry', sequence: 9, rttSeconds: 0.4 });
    await second.fence();
    mustEqual((await kept(stage)).at('telemetry', 'rttSeconds'), 0.3, 'rttSeconds kept');
  }),
  seen('new-boot-starts-anew', 'With another boot epoch, sequences start anew.', async (stage) => {
    const bootEpoch = Date.now();
    const first = await stage.device('device', { bootEpoch });
    first.send({ type: 'telemetry', sequence: 10, rttSeconds: 0.1 });
    await first.fence();
    await first.end();
    const second = await stage.device('device', { bootEpoch: bootEpoch + 1 });
    second.send({ type: 'telemetry', sequence: 1, rttSeconds: 0.2 });
    await second.fence();
    mustEqual((await kept(stage)).at('telemetry', 'rttSeconds'), 0.2, 'rttSeconds kept');
  }),
];

export const telemetryScenarios: readonly Scenario<ServerStage>[] = [
  silent('complete', 'Telemetry with every field is taken, without an answer.', everything),
  silent('empty', 'Telemetry that knows nothing is taken.', {}),
  silent('bounds', 'The ends of the ranges are inside of them.', {
    uplinkBitsPerSecond: 0,
    downlinkBitsPerSecond: 1e15,
    rttSeconds: 3600,
    cpuLoad: 0.999_999,
    temperatureCelsius: -100,
    battery: { level: 0, charging: true },
  }),
  ...wrongValues,
  ...keptValues,
];
