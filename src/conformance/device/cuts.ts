/** What a device does with cuts: two phases, each idempotent, the newest only, the safe local cut when left alone. */
import { setTimeout as pause } from 'node:timers/promises';
import { must, mustEqual, show } from '../outcome.js';
import type { Scenario } from '../scenario.js';
import { limits, type DeviceStage } from './deviceStage.js';
import type { DeviceWire } from './deviceWire.js';

/** A cut's time to live in scenarios that wait for its end: more than three heartbeats, ms. */
const shortMs = ({ heartbeatMs }: DeviceStage): number => 4 * heartbeatMs;

function running(
  stage: DeviceStage,
  wire: DeviceWire,
  deploymentId: string,
): Record<string, unknown> | undefined {
  const list = (stage.helloOf(wire)['running'] ?? []) as Record<string, unknown>[];
  return list.find((entry) => entry['deploymentId'] === deploymentId);
}

/**
 * Waits until the device tells that version 1 fell back: by a message, or, where it gave the silent connection up, in
 * the hello of the next one, which is not taken before the time to live is over.
 * @returns the connection that it told it on
 */
async function fallsBack(stage: DeviceStage, wire: DeviceWire, deploymentId: string): Promise<DeviceWire> {
  stage.bench.refuseWith = 503;
  const about = { deploymentId, version: 1, reason: 'time-to-live' };
  const told = await wire.inbox.expect('fallback', about, shortMs(stage) + 2_000).then(
    () => true,
    (error: unknown) => {
      if (wire.inbox.closed === null) throw error;
      return false;
    },
  );
  if (!told) await pause(shortMs(stage));
  stage.bench.refuseWith = null;
  if (told) return wire;
  const next = await stage.device();
  const said = running(stage, next, deploymentId);
  mustEqual([said?.['version'], said?.['fallback']], [1, true], 'version and fallback of the next hello');
  return next;
}

const phases: readonly Scenario<DeviceStage>[] = [
  {
    topic: 'two-phases',
    name: 'prepare',
    promise: 'A cut to prepare is answered with prepared or nack, and is not active yet.',
    play: async (stage) => {
      const wire = await stage.device();
      const about = { deploymentId: stage.deployment(), version: 1 };
      wire.send(stage.cut(wire, about.deploymentId, 1, { phase: 'prepare' }));
      await stage.answer(wire, 'prepared', about);
      await wire.inbox.expectNone('ack', about, 300, 'nothing was said of switching');
    },
  },
  {
    topic: 'two-phases',
    name: 'switch',
    promise: 'What is prepared and then active is acknowledged.',
    play: async (stage) => {
      const wire = await stage.device();
      await stage.activate(wire, stage.deployment(), 1);
    },
  },
  {
    topic: 'two-phases',
    name: 'retreat',
    promise: 'The cut with all layers on the end device is taken at once, without a phase before.',
    play: async (stage) => {
      const wire = await stage.device();
      const about = { deploymentId: stage.deployment(), version: 1 };
      wire.send(stage.safeCut(wire, about.deploymentId, 1));
      await stage.answer(wire, 'ack', about);
    },
  },
  {
    topic: 'two-phases',
    name: 'prepare-twice',
    promise: 'The same cut to prepare may come twice and is answered twice.',
    play: async (stage) => {
      const wire = await stage.device();
      const about = { deploymentId: stage.deployment(), version: 1 };
      const prepare = stage.cut(wire, about.deploymentId, 1, { phase: 'prepare' });
      wire.send(prepare);
      await stage.answer(wire, 'prepared', about);
      wire.send(prepare);
      await stage.answer(wire, 'prepared', about);
    },
  },
  {
    topic: 'cut',
    name: 'active-twice',
    promise: 'The same active cut may come twice and is acknowledged twice.',
    play: async (stage) => {
      const wire = await stage.device();
      const about = { deploymentId: stage.deployment(), version: 1 };
      await stage.activate(wire, about.deploymentId, 1);
      wire.send(stage.cut(wire, about.deploymentId, 1));
      await stage.answer(wire, 'ack', about);
    },
  },
  {
    topic: 'cut',
    name: 'superseded',
    promise: 'A newer version supersedes one that is being prepared.',
    play: async (stage) => {
      const wire = await stage.device();
      const deploymentId = stage.deployment();
      wire.send(stage.cut(wire, deploymentId, 1, { phase: 'prepare' }));
      wire.send(stage.cut(wire, deploymentId, 2, { phase: 'prepare', endLayers: [0, 1] }));
      await stage.answer(wire, 'prepared', { deploymentId, version: 2 });
      wire.send(stage.cut(wire, deploymentId, 2, { endLayers: [0, 1] }));
      await stage.answer(wire, 'ack', { deploymentId, version: 2 });
      await wire.inbox.expectNone('ack', { deploymentId, version: 1 }, 300, 'version 1 was superseded');
    },
  },
  {
    topic: 'cut',
    name: 'never-back',
    promise: 'An older version than the one that is active is never switched to.',
    play: async (stage) => {
      const wire = await stage.device();
      const deploymentId = stage.deployment();
      await stage.activate(wire, deploymentId, 5);
      wire.send(stage.cut(wire, deploymentId, 3));
      await wire.inbox.expectNone('ack', { deploymentId, version: 3 }, 400, 'versions only rise');
    },
  },
  {
    topic: 'cut',
    name: 'one-after-the-other',
    promise: 'One deployment goes through many versions, each acknowledged.',
    play: async (stage) => {
      const wire = await stage.device();
      const deploymentId = stage.deployment();
      for (const version of [1, 2, 3])
        await stage.activate(wire, deploymentId, version, { endLayers: [0, 1].slice(0, version % 3) });
    },
  },
  {
    topic: 'cut',
    name: 'deployments-apart',
    promise: 'Deployments do not disturb each other.',
    play: async (stage) => {
      const wire = await stage.device();
      const [one, other] = [stage.deployment(), stage.deployment()];
      await stage.activate(wire, one, 7);
      await stage.activate(wire, other, 2);
      await stage.activate(wire, one, 8);
    },
  },
  {
    topic: 'cut',
    name: 'removed',
    promise: 'A removed deployment is let go of; the same id may come again later.',
    play: async (stage) => {
      const wire = await stage.device();
      const deploymentId = stage.deployment();
      await stage.activate(wire, deploymentId, 1);
      wire.send({ type: 'removed', deploymentId });
      await wire.inbox.expectOpen(200, 'a removal ends nothing');
      for (const type of ['ack', 'nack', 'fallback']) {
        await wire.inbox.expectNone(type, { deploymentId }, 50, 'nothing is said of a removed deployment');
      }
    },
  },
  {
    topic: 'cut',
    name: 'removed-unknown',
    promise: 'The removal of a deployment that it never had does no harm.',
    play: async (stage) => {
      const wire = await stage.device();
      wire.send({ type: 'removed', deploymentId: 'never-had' });
      await wire.inbox.expectOpen(300, 'that is no reason to go');
    },
  },
  {
    topic: 'ack-and-nack',
    name: 'answers-in-time',
    promise: 'A cut is answered within limits.prepareMs, with prepared or a nack that has its code.',
    play: async (stage) => {
      const wire = await stage.device();
      const about = { deploymentId: stage.deployment(), version: 1 };
      wire.send(stage.cut(wire, about.deploymentId, 1, { phase: 'prepare' }));
      const answered = await Promise.race(
        ['prepared', 'nack'].map((type) => wire.inbox.expect(type, about, limits.prepareMs)),
      );
      if (answered.type === 'nack') must(typeof answered['code'] === 'string', 'the nack has no code');
    },
  },
  {
    topic: 'resume',
    name: 'current',
    promise: 'current needs no answer, and the cut goes on.',
    play: async (stage) => {
      const wire = await stage.device();
      const about = { deploymentId: stage.deployment(), version: 1 };
      await stage.activate(wire, about.deploymentId, 1);
      wire.send({ type: 'current', ...about });
      for (const type of ['nack', 'fallback'])
        await wire.inbox.expectNone(type, about, 200, 'what runs is wanted');
    },
  },
];

const alone: readonly Scenario<DeviceStage>[] = [
  {
    topic: 'offline',
    name: 'pings-renew',
    promise: 'Pings alone keep a cut alive beyond its time to live.',
    timeLimitMs: () => 10_000,
    play: async (stage) => {
      const wire = await stage.device();
      stage.needsEndDevice(wire);
      const deploymentId = stage.deployment();
      await stage.activate(wire, deploymentId, 1, { timeToLiveMs: shortMs(stage) });
      await wire.inbox.expectNone(
        'fallback',
        { deploymentId },
        shortMs(stage) * 2,
        'every ping is a sign of life',
      );
    },
  },
  {
    topic: 'offline',
    name: 'time-to-live',
    promise:
      'Without any sign of life the safe local cut takes over after the time to live, and that is told.',
    timeLimitMs: () => 12_000,
    play: async (stage) => {
      const wire = await stage.device();
      stage.needsEndDevice(wire);
      const deploymentId = stage.deployment();
      await stage.activate(wire, deploymentId, 1, { timeToLiveMs: shortMs(stage) });
      wire.silence();
      await wire.inbox.expectNone('fallback', {}, shortMs(stage) * 0.7, 'the cut still holds');
      await fallsBack(stage, wire, deploymentId);
    },
  },
  {
    topic: 'offline',
    name: 'returns',
    promise: 'When the controller is back and says the cut again, the device returns to it and acknowledges.',
    timeLimitMs: () => 14_000,
    play: async (stage) => {
      const wire = await stage.device();
      stage.needsEndDevice(wire);
      const about = { deploymentId: stage.deployment(), version: 1 };
      await stage.activate(wire, about.deploymentId, 1, { timeToLiveMs: shortMs(stage) });
      wire.silence();
      const now = await fallsBack(stage, wire, about.deploymentId);
      now.beat(stage.heartbeatMs);
      now.send(stage.cut(now, about.deploymentId, 1, { timeToLiveMs: shortMs(stage) }));
      await now.inbox.expect('ack', about);
    },
  },
  {
    topic: 'resume',
    name: 'says-what-runs',
    promise: 'After a reconnect the hello says the version that runs.',
    timeLimitMs: () => 8_000,
    play: async (stage) => {
      const deploymentId = stage.deployment();
      const first = await stage.device();
      await stage.activate(first, deploymentId, 3);
      first.close('shutting-down');
      const second = await stage.device();
      const said = running(stage, second, deploymentId);
      mustEqual(said?.['version'], 3, 'the version in running');
      must(said?.['fallback'] !== true, 'it says fallback, and the cut still holds');
    },
  },
  {
    topic: 'resume',
    name: 'says-nothing-of-removed',
    promise: 'After a reconnect the hello does not name what was removed.',
    timeLimitMs: () => 8_000,
    play: async (stage) => {
      const deploymentId = stage.deployment();
      const first = await stage.device();
      await stage.activate(first, deploymentId, 1);
      first.send({ type: 'removed', deploymentId });
      await pause(200);
      first.close('shutting-down');
      mustEqual(running(stage, await stage.device(), deploymentId), undefined, 'the removed deployment');
    },
  },
  {
    topic: 'resume',
    name: 'prepared-is-not-running',
    promise: 'What was only prepared is not said to run.',
    timeLimitMs: () => 8_000,
    play: async (stage) => {
      const deploymentId = stage.deployment();
      const first = await stage.device();
      await stage.activate(first, deploymentId, 1);
      first.send(stage.cut(first, deploymentId, 2, { phase: 'prepare', endLayers: [0, 1] }));
      await stage.answer(first, 'prepared', { deploymentId, version: 2 });
      first.drop();
      mustEqual(running(stage, await stage.device(), deploymentId)?.['version'], 1, 'the version in running');
    },
  },
  {
    topic: 'offline',
    name: 'says-fallback',
    promise: 'When the time to live ends while it is disconnected, the next hello says fallback.',
    timeLimitMs: () => 15_000,
    play: async (stage) => {
      const deploymentId = stage.deployment();
      const first = await stage.device();
      stage.needsEndDevice(first);
      await stage.activate(first, deploymentId, 1, { timeToLiveMs: shortMs(stage) });
      stage.bench.refuseWith = 503;
      first.drop();
      await pause(shortMs(stage) + 300);
      stage.bench.refuseWith = null;
      const said = running(stage, await stage.device(), deploymentId);
      mustEqual([said?.['version'], said?.['fallback']], [1, true], `version and fallback in ${show(said)}`);
    },
  },
];

export const deviceCutScenarios = phases;
export const aloneScenarios = alone;
