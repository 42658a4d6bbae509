/** The welcome: one, with all that the server will hold the device to. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Message } from '../inbox.js';
import { must, mustEqual } from '../outcome.js';
import type { Scenario } from '../scenario.js';
import type { ServerStage } from '../serverStage.js';

const promised = [
  'frameBytes',
  'jsonDepth',
  'framesPerSecond',
  'frameBurst',
  'outboxBytes',
  'deployments',
  'prepareMs',
  'helloMs',
  'tooFastMs',
  'hellosPerMinute',
  'helloBurst',
];

async function welcomeOf(stage: ServerStage, name: string): Promise<Message> {
  const peer = await stage.connect(name);
  peer.send(stage.hello(name));
  return peer.inbox.expect('welcome');
}

function mustBePositive(name: string, value: unknown): void {
  must(typeof value === 'number' && value > 0, `${name} must be a number above 0, not ${String(value)}`);
}

export const welcomeScenarios: readonly Scenario<ServerStage>[] = [
  {
    topic: 'welcome',
    name: 'verdict',
    promise: 'It names the protocol and says that the device is accepted.',
    play: async (stage) => {
      const { protocol, verdict } = await welcomeOf(stage, 'device');
      mustEqual([protocol, verdict], ['cutpoint.v1', 'accepted'], 'protocol and verdict');
    },
  },
  {
    topic: 'welcome',
    name: 'limits',
    promise: 'It says every limit that will be enforced.',
    play: async (stage) => {
      const { limits } = await welcomeOf(stage, 'device');
      const said = (limits ?? {}) as Record<string, unknown>;
      for (const name of promised) mustBePositive(`limits.${name}`, said[name]);
    },
  },
  {
    topic: 'welcome',
    name: 'intervals',
    promise: 'It says the heartbeat, the interval of telemetry and how long a cut before stays ready.',
    play: async (stage) => {
      const welcome = await welcomeOf(stage, 'device');
      for (const name of ['heartbeatMs', 'telemetryIntervalMs', 'previousCutMs']) {
        mustBePositive(name, welcome[name]);
      }
    },
  },
  {
    topic: 'welcome',
    name: 'server-time',
    promise: 'Its time is that of the server now: two welcomes differ by what passed between them.',
    play: async (stage) => {
      const startMs = performance.now();
      const first = Number((await welcomeOf(stage, 'first'))['serverTimeMs']);
      const gotMs = performance.now();
      await pause(300);
      const againMs = performance.now();
      const second = Number((await welcomeOf(stage, 'second'))['serverTimeMs']);
      const said = second - first;
      // between the answers lies at least the pause, and at most everything; clocks are read in whole ms
      must(
        said >= againMs - gotMs - 5 && said <= performance.now() - startMs + 5,
        `it says that ${said} ms passed, it were ${Math.round(againMs - gotMs)} to ${Math.round(performance.now() - startMs)}`,
      );
    },
  },
  {
    topic: 'welcome',
    name: 'first-and-once',
    promise: 'It is the first message, and comes once.',
    play: async (stage) => {
      const peer = await stage.device();
      await peer.fence();
      const { messages } = peer.inbox;
      mustEqual(messages[0]?.type, 'welcome', 'the first message');
      mustEqual(messages.filter(({ type }) => type === 'welcome').length, 1, 'number of welcomes');
    },
  },
  {
    topic: 'welcome',
    name: 'pipelined',
    promise: 'Frames that are sent right behind the hello are taken after the welcome.',
    play: async (stage) => {
      const peer = await stage.connect('device');
      peer.send(stage.hello('device'));
      peer.telemetry({ cpuLoad: 2 });
      await peer.inbox.expect('welcome');
      await peer.inbox.expect('error', { code: 'invalid-field', field: 'cpuLoad', sequence: 1 });
    },
  },
];
