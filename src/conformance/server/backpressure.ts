/** Who sends too fast is warned, then closed, and troubles nobody else. */
import { setTimeout as pause } from 'node:timers/promises';
import { must, NotPlayable } from '../outcome.js';
import type { Peer } from '../peer.js';
import type { Scenario } from '../scenario.js';
import type { ServerStage } from '../serverStage.js';

/** A larger budget of hellos is not used up within the time of a scenario. */
const mostHellos = 100;

export const backpressureScenarios: readonly Scenario<ServerStage>[] = [
  {
    topic: 'backpressure',
    name: 'burst',
    promise: 'As many frames as limits.frameBurst may come at once.',
    play: async (stage) => {
      const peer = await stage.device();
      const frames = stage.limit('frameBurst') - 5; // the hello and the fence are frames, too
      await peer.unanswered(() => {
        for (let i = 0; i < frames; i++) peer.telemetry({ cpuLoad: 0.1 });
      }, 'a burst within the limit is not answered');
    },
  },
  {
    topic: 'backpressure',
    name: 'too-fast-is-warned',
    promise: 'Who sends above the burst is warned once and keeps the connection.',
    play: async (stage) => {
      const peer = await stage.device();
      const burst = stage.limit('frameBurst');
      for (let i = 0; i < burst * 1.2; i++) peer.telemetry({ cpuLoad: 0.1 });
      await peer.inbox.expect('warning', { code: 'too-fast' });
      await peer.inbox.expectNone('warning', {}, 300, 'it is warned once');
      await peer.inbox.expectOpen(0, 'a first excess is warned');
      await pause(Math.min(2_000, (1_000 * 10) / stage.limit('framesPerSecond')));
      await peer.fence(); // in measure again, it is heard again
    },
  },
  {
    topic: 'backpressure',
    name: 'too-fast-is-closed',
    promise: 'Who goes on too fast is closed with 4008, after a warning.',
    timeLimitMs: () => 15_000,
    play: async (stage) => {
      const peer = await stage.device();
      const perTick = Math.ceil(stage.limit('framesPerSecond') / 5); // 4 times too fast
      const timer = setInterval(() => {
        for (let i = 0; i < perTick; i++)
          peer.socket.send('{"type":"telemetry","sequence":1}', () => undefined);
      }, 50);
      try {
        await peer.inbox.expect('warning', { code: 'too-fast' }, 8_000);
        await peer.closes('too-fast', 12_000);
      } finally {
        clearInterval(timer);
      }
    },
  },
  {
    topic: 'backpressure',
    name: 'others-go-on',
    promise: 'While one device is too fast, others are served.',
    play: async (stage) => {
      const fast = await stage.device('fast');
      const calm = await stage.device('calm');
      for (let i = 0; i < stage.limit('frameBurst') * 2; i++) fast.telemetry({});
      await calm.unanswered(() => calm.telemetry({ cpuLoad: 0.1 }), 'a calm device is not warned');
    },
  },
  {
    topic: 'backpressure',
    name: 'hellos-are-bounded',
    promise: 'Who says hello too often is closed with 4011, and the connection before stays.',
    play: async (stage) => {
      const [atOnce, perMinute] = [stage.limit('helloBurst'), stage.limit('hellosPerMinute')];
      if (atOnce > mostHellos || perMinute > mostHellos) {
        throw new NotPlayable(`needs helloBurst and hellosPerMinute of at most ${mostHellos}`);
      }
      const sinceMs = performance.now();
      let before: Peer | null = null;
      for (let taken = 0; ; taken++) {
        const most = atOnce + ((performance.now() - sinceMs) * perMinute) / 60_000;
        must(taken <= most, `${taken} hellos were taken, at most ${Math.floor(most)} may be`);
        const next = await stage.connect('device');
        next.send(stage.hello('device'));
        if ((await next.inbox.next()).type !== 'welcome') {
          await next.inbox.expect('error', { code: 'too-many-hellos' });
          await next.closes('too-many-hellos');
          break;
        }
        before = next;
      }
      must(before !== null, 'the first hello must be taken');
      await before.fence();
    },
  },
];
