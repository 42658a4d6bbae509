/** How a device connects and says hello, and what it sends by itself. */
import { setTimeout as pause } from 'node:timers/promises';
import { must, mustEqual, show } from '../outcome.js';
import type { Scenario } from '../scenario.js';
import { limits, telemetryIntervalMs, type DeviceStage } from './deviceStage.js';

export const greetingScenarios: readonly Scenario<DeviceStage>[] = [
  {
    topic: 'version',
    name: 'offers-the-version',
    promise: 'The device asks for the subprotocol cutpoint.v1.',
    play: async (stage) => {
      const { attempt } = await stage.device();
      must(attempt.protocols.includes('cutpoint.v1'), `it offered ${show(attempt.protocols)}`);
    },
  },
  {
    topic: 'identity',
    name: 'sends-its-token',
    promise: 'Its token goes with the upgrade, as Authorization: Bearer.',
    play: async (stage) => {
      const { attempt } = await stage.device();
      must(attempt.authorization === `Bearer ${stage.target.token}`, 'Authorization is not its bearer token');
    },
  },
  {
    topic: 'identity',
    name: 'says-its-id',
    promise: 'It says hello under the id that its token is for.',
    play: async (stage) => {
      const wire = await stage.device();
      mustEqual(stage.helloOf(wire)['deviceId'], stage.target.deviceId, 'deviceId');
    },
  },
  {
    topic: 'hello',
    name: 'first-and-once',
    promise: 'The hello is the first message, and comes once.',
    play: async (stage) => {
      const { inbox } = await stage.device();
      await inbox.expectNone('hello', {}, 300, 'a hello comes once');
      mustEqual(inbox.messages[0]?.type, 'hello', 'the first message');
      // one that came right behind the first may have been there before this looked
      mustEqual(inbox.messages.filter(({ type }) => type === 'hello').length, 1, 'hellos of the connection');
    },
  },
  {
    topic: 'telemetry',
    name: 'keeps-coming',
    promise: 'After the welcome telemetry comes in about the interval that was asked for.',
    play: async (stage) => {
      const { inbox } = await stage.device();
      await inbox.expect('telemetry', {}, telemetryIntervalMs * 5);
      await inbox.expect('telemetry', {}, telemetryIntervalMs * 5);
    },
  },
  {
    topic: 'telemetry',
    name: 'sequence-rises',
    promise: 'Sequences rise from frame to frame.',
    play: async (stage) => {
      const { inbox } = await stage.device();
      for (let i = 0; i < 4; i++) await inbox.expect('telemetry', {}, telemetryIntervalMs * 5);
      const all = inbox.messages.filter(({ type }) => type === 'telemetry').map((m) => Number(m['sequence']));
      must(
        all.every((sequence, i) => i === 0 || sequence > all[i - 1]!),
        `sequences were ${show(all)}`,
      );
    },
  },
  {
    topic: 'backpressure',
    name: 'keeps-the-rate',
    promise: 'It stays below the frames per second that the welcome allows.',
    play: async (stage) => {
      const { inbox } = await stage.device();
      const before = inbox.messages.length;
      await pause(1_500);
      const frames = inbox.messages.length - before;
      must(frames <= limits.framesPerSecond * 1.5, `it sent ${frames} frames in 1.5 s`);
    },
  },
  {
    topic: 'heartbeat',
    name: 'answers-pings',
    promise: 'Pings are answered.',
    play: async (stage) => {
      const wire = await stage.device();
      wire.pongs.length = 0;
      wire.ping();
      await pause(1_000 * stage.patience);
      must(wire.pongs.length > 0, `no pong within ${stage.patience} s`);
    },
  },
  {
    topic: 'data-safety',
    name: 'unknown-field',
    promise: 'Fields that it does not know are ignored.',
    play: async (stage) => {
      const wire = await stage.device();
      const id = stage.deployment();
      wire.send(stage.safeCut(wire, id, 1, { colour: 'blue', hints: { anything: [1, 2, 3] } }));
      await stage.answer(wire, 'ack', { deploymentId: id, version: 1 });
    },
  },
  {
    topic: 'data-safety',
    name: 'unknown-type',
    promise: 'Messages of a type that it does not know are ignored.',
    play: async (stage) => {
      const wire = await stage.device();
      wire.send({ type: 'greetings', from: 'a later version' });
      await wire.inbox.expectOpen(400, 'an unknown message is ignored');
      await wire.inbox.expect('telemetry');
    },
  },
  {
    topic: 'data-safety',
    name: 'error-and-warning',
    promise: 'An error and a warning are no reason to go away.',
    play: async (stage) => {
      const wire = await stage.device();
      wire.send({
        type: 'error',
        code: 'invalid-field',
        message: 'cpuLoad must be < 1',
        field: 'cpuLoad',
        sequence: 1,
      });
      wire.send({ type: 'warning', code: 'too-fast', message: 'slow down' });
      await wire.inbox.expectOpen(400, 'neither ends the connection');
      await wire.inbox.expect('telemetry');
    },
  },
];

/** Those that need a connection of their own. */
export const ownGreetingScenarios: readonly Scenario<DeviceStage>[] = [
  {
    topic: 'hello',
    name: 'nothing-before-the-welcome',
    promise: 'Until it is welcomed the device sends nothing but its hello.',
    play: async (stage) => {
      const { wire } = await stage.greeting();
      await pause(500);
      mustEqual(
        wire.inbox.messages.map(({ type }) => type),
        ['hello'],
        'messages before the welcome',
      );
      await stage.welcome(wire);
      await wire.inbox.expect('telemetry', {}, 2_000);
    },
  },
  {
    topic: 'telemetry',
    name: 'same-boot-goes-on',
    promise:
      'With the same boot epoch sequences go on over a reconnect; with another or none they may start anew.',
    play: async (stage) => {
      const first = await stage.device();
      const { sequence: last } = await first.inbox.expect('telemetry');
      const before = stage.helloOf(first)['bootEpoch'];
      first.close('shutting-down');
      const second = await stage.device();
      const { sequence } = await second.inbox.expect('telemetry');
      if (before === undefined || stage.helloOf(second)['bootEpoch'] !== before) return;
      must(Number(sequence) > Number(last), `the sequence went from ${show(last)} to ${show(sequence)}`);
    },
  },
];
