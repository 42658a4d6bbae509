/** Signs of life: pings, and what counts as one. */
import { must, NotPlayable } from '../outcome.js';
import type { Scenario } from '../scenario.js';
import type { ServerStage } from '../serverStage.js';

/** Scenarios that wait for heartbeats take this long at most; with slower ones they are not played. */
const longestWaitMs = 50_000;

/** Time for `beats` heartbeats. @throws NotPlayable where that takes too long */
function waitOf(stage: ServerStage, beats: number): number {
  const waitMs = stage.heartbeatMs * beats;
  if (waitMs > longestWaitMs) {
    throw new NotPlayable(`needs a server with a heartbeat of at most ${longestWaitMs / beats / 1000} s`);
  }
  return waitMs;
}

function heartbeatLimit(stage: ServerStage): number {
  const heartbeatMs = Number(stage.facts.welcome['heartbeatMs'] ?? 0);
  return Math.min(longestWaitMs, heartbeatMs * 4.6) + 5_000;
}

export const heartbeatScenarios: readonly Scenario<ServerStage>[] = [
  {
    topic: 'heartbeat',
    name: 'pings',
    promise: 'The server pings in every heartbeat.',
    timeLimitMs: heartbeatLimit,
    play: async (stage) => {
      const waitMs = waitOf(stage, 3.2);
      const peer = await stage.device();
      await peer.inbox.expectOpen(waitMs, 'a device that answers pings stays');
      must(peer.pings.length >= 3, `expected 3 pings in 3.2 heartbeats, there were ${peer.pings.length}`);
    },
  },
  {
    topic: 'heartbeat',
    name: 'dead-after-three',
    promise: 'A device without any sign of life is closed with 4007 after three heartbeats, not after one.',
    timeLimitMs: heartbeatLimit,
    play: async (stage) => {
      const patienceMs = waitOf(stage, 2.5);
      const peer = await stage.device('device', {}, { socket: { autoPong: false } });
      await peer.inbox.expectOpen(patienceMs, 'missing two heartbeats must not end it');
      await peer.closes('heartbeat-missed', waitOf(stage, 4.5) - patienceMs);
    },
  },
  {
    topic: 'heartbeat',
    name: 'any-frame-counts',
    promise: 'Any frame is a sign of life, also where pings are not answered.',
    timeLimitMs: heartbeatLimit,
    play: async (stage) => {
      const waitMs = waitOf(stage, 4.3);
      const peer = await stage.device('device', {}, { socket: { autoPong: false } });
      const timer = setInterval(() => peer.telemetry({}), stage.heartbeatMs / 2);
      try {
        await peer.inbox.expectOpen(waitMs, 'telemetry is a sign of life');
      } finally {
        clearInterval(timer);
      }
    },
  },
];
