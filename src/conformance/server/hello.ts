/** The hello: first, once, within its time, and checked field by field. */
import type { Scenario } from '../scenario.js';
import type { ServerStage } from '../serverStage.js';

/** Servers may wait so long for a hello; longer is no deadline. */
const longestHelloTimeoutMs = 15_000;

/** A first message that is no hello, or is one that cannot be taken. */
function wrongFirst(
  name: string,
  promise: string,
  first: (stage: ServerStage) => object | string,
  answer: { readonly code: string; readonly field?: string },
  close: 'hello-invalid' | 'protocol-violation',
): Scenario<ServerStage> {
  return {
    topic: 'hello',
    name,
    promise,
    play: async (stage) => {
      const peer = await stage.connect('device');
      const message = first(stage);
      if (typeof message === 'string') peer.sendText(message);
      else if (Buffer.isBuffer(message)) peer.sendBinary(message);
      else peer.send(message);
      await peer.inbox.expect('error', answer);
      await peer.closes(close);
    },
  };
}

/** A hello with a field that is wrong. */
function wrongField(name: string, promise: string, field: string, fields: object): Scenario<ServerStage> {
  const hello = (stage: ServerStage): object => stage.hello('device', fields);
  return wrongFirst(name, promise, hello, { code: 'invalid-field', field }, 'hello-invalid');
}

function accepted(name: string, promise: string, fields: object): Scenario<ServerStage> {
  return {
    topic: 'hello',
    name,
    promise,
    play: async (stage) => {
      const peer = await stage.device('device', fields);
      await peer.fence();
    },
  };
}

const power = { computeWatts: 4, transmitWatts: 2.5, receiveWatts: 1.5, idleWatts: 0.8 };

const hellos: readonly Scenario<ServerStage>[] = [
  accepted('minimal', 'Id and role are enough.', {}),
  accepted('complete', 'A hello with every field is taken.', {
    bootEpoch: 1_718_000_000,
    machineId: 'conformance-machine',
    computeRatio: 4.2,
    power,
    batteryCapacityJoules: 40_000,
    agent: 'conformance',
    capabilities: ['prepare'],
    models: ['0'.repeat(64)],
    switchSeconds: 0.25,
    running: [],
  }),
  accepted('role-edge', 'An edge is welcome.', { role: 'edge' }),
  accepted('role-cloud', 'A cloud is welcome.', { role: 'cloud' }),
  accepted('unknown-capability', 'A capability that the server does not know does no harm.', {
    capabilities: ['prepare', 'levitation'],
  }),
  {
    topic: 'hello',
    name: 'deadline',
    promise: 'A connection without a hello is closed with 4002.',
    timeLimitMs: () => longestHelloTimeoutMs + 2_000,
    play: async (stage) => {
      const peer = await stage.connect('device');
      await peer.closes('hello-timeout', longestHelloTimeoutMs);
    },
  },
  {
    topic: 'hello',
    name: 'deadline-in-spite-of-pings',
    promise: 'Pings do not put the deadline of the hello off.',
    timeLimitMs: () => longestHelloTimeoutMs + 2_000,
    play: async (stage) => {
      const peer = await stage.connect('device');
      const timer = setInterval(() => peer.socket.ping(), 200);
      try {
        await peer.closes('hello-timeout', longestHelloTimeoutMs);
      } finally {
        clearInterval(timer);
      }
    },
  },
  {
    topic: 'hello',
    name: 'twice',
    promise: 'A second hello gets hello-again and 4004.',
    play: async (stage) => {
      const peer = await stage.device();
      peer.send(stage.hello('device'));
      await peer.inbox.expect('error', { code: 'hello-again' });
      await peer.closes('protocol-violation');
    },
  },
];

const wrongHellos: readonly Scenario<ServerStage>[] = [
  wrongFirst(
    'telemetry-first',
    'Telemetry before the hello gets hello-first and 4004.',
    () => ({ type: 'telemetry', sequence: 1 }),
    { code: 'hello-first' },
    'protocol-violation',
  ),
  wrongFirst(
    'ack-first',
    'An ack before the hello gets hello-first and 4004.',
    () => ({ type: 'ack', deploymentId: 'd', version: 1 }),
    { code: 'hello-first' },
    'protocol-violation',
  ),
  wrongFirst(
    'unknown-type-first',
    'A first message of unknown type ends the connection with 4004.',
    () => ({ type: 'hallo' }),
    { code: 'unknown-type', field: 'type' },
    'protocol-violation',
  ),
  wrongFirst(
    'no-json',
    'A first message that is no JSON ends the connection with 4004.',
    () => '{',
    { code: 'not-json' },
    'protocol-violation',
  ),
  wrongFirst(
    'binary',
    'A binary first message gets not-text and 4004.',
    (stage) => Buffer.from(JSON.stringify(stage.hello('device'))),
    { code: 'not-text' },
    'protocol-violation',
  ),
  wrongFirst(
    'no-id',
    'A hello without an id is refused by that field, with 4003.',
    () => ({ type: 'hello', role: 'end' }),
    { code: 'invalid-field', field: 'deviceId' },
    'hello-invalid',
  ),
  wrongField('malformed-id', 'A malformed id is refused.', 'deviceId', { deviceId: '-x y' }),
  wrongField('long-id', 'An id of 129 characters is refused.', 'deviceId', { deviceId: 'x'.repeat(129) }),
  wrongField('unknown-role', 'An unknown role is refused.', 'role', { role: 'gateway' }),
  wrongField('unknown-field', 'An unknown field is refused by its name.', 'token', { token: 'secret' }),
  wrongField('zero-ratio', 'A ratio of 0 is refused: unknown is absent.', 'computeRatio', {
    computeRatio: 0,
  }),
  wrongField('half-power', 'Power without one of its values is refused.', 'power.idleWatts', {
    power: { ...power, idleWatts: undefined },
  }),
  wrongField('fractional-epoch', 'A boot epoch is a whole number.', 'bootEpoch', { bootEpoch: 1.5 }),
  wrongField('capability-name', 'Capabilities are kebab-case.', 'capabilities[0]', {
    capabilities: ['Prepare!'],
  }),
  wrongField('many-capabilities', 'More than 32 capabilities are refused.', 'capabilities', {
    capabilities: Array.from({ length: 33 }, (_, i) => `c${i}`),
  }),
  wrongField('model-hash', 'Models are SHA-256 in hex.', 'models[0]', { models: ['xyz'] }),
  wrongField('switch-seconds', 'A switch of more than an hour is refused.', 'switchSeconds', {
    switchSeconds: 3601,
  }),
  wrongField('running-version', 'Versions that run are whole numbers from 1.', 'running[0].version', {
    running: [{ deploymentId: 'd', version: 0 }],
  }),
];

export const helloScenarios = [...hellos, ...wrongHellos];
