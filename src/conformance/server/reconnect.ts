/** Coming and going: after each close a device is welcome again, and what is gone leaves nothing behind. */
import { mustEqual, must } from '../outcome.js';
import type { Peer } from '../peer.js';
import type { Scenario } from '../scenario.js';
import type { ServerStage } from '../serverStage.js';

/** A connection that ends some way, after which the same device is welcome. */
function welcomeAfter(
  name: string,
  promise: string,
  end: (peer: Peer) => Promise<void>,
): Scenario<ServerStage> {
  return {
    topic: 'reconnect',
    name,
    promise,
    play: async (stage) => {
      await end(await stage.device());
      const again = await stage.device();
      await again.fence();
    },
  };
}

export const reconnectScenarios: readonly Scenario<ServerStage>[] = [
  welcomeAfter('after-a-close', 'After a close in order the device is welcome again.', (peer) => peer.end()),
  welcomeAfter(
    'after-a-break',
    'After a broken connection the device is welcome again at once.',
    async (peer) => {
      peer.socket.terminate();
      await peer.inbox.expectClose(1006);
    },
  ),
  welcomeAfter('after-a-violation', 'After 4004 the device is welcome with a right client.', async (peer) => {
    peer.send({ type: 'hello', deviceId: 'x', role: 'end' });
    await peer.closes('protocol-violation');
  }),
  {
    topic: 'reconnect',
    name: 'after-a-wrong-hello',
    promise: 'After 4003 the device is welcome with a right hello.',
    play: async (stage) => {
      const wrong = await stage.connect('device');
      wrong.send(stage.hello('device', { role: 'gateway' }));
      await wrong.closes('hello-invalid');
      await (await stage.device()).fence();
    },
  },
  {
    topic: 'reconnect',
    name: 'flapping',
    promise: 'A device that comes and goes many times is served the same each time.',
    play: async (stage) => {
      const times = Math.min(20, stage.limit('helloBurst') - 1);
      for (let i = 0; i < times; i++) {
        const peer = await stage.device();
        peer.socket.terminate();
      }
      await (await stage.device()).fence();
    },
  },
  {
    topic: 'reconnect',
    name: 'many-at-once',
    promise: 'Many devices that come at once are all welcome.',
    play: async (stage) => {
      const names = Array.from({ length: 10 }, (_, i) => `device-${i}`);
      const peers = await Promise.all(names.map((name) => stage.device(name)));
      await Promise.all(peers.map((peer) => peer.fence()));
    },
  },
  {
    topic: 'reconnect',
    name: 'close-is-answered',
    promise: 'A close of the device is answered with a close.',
    play: async (stage) => {
      const peer = await stage.device();
      peer.socket.close(1000);
      await peer.inbox.expectClose(1000);
    },
  },
  {
    topic: 'reconnect',
    name: 'presence',
    promise: 'Operators see a device as connected while it is, and not after.',
    play: async (stage) => {
      stage.needsOperator();
      const connected = async (): Promise<unknown> =>
        (await stage.operator.call('GET', `/v1/devices/${stage.deviceId('device')}`)).view.at('connected');
      const peer = await stage.device();
      mustEqual(await connected(), true, 'connected while it is');
      await peer.end();
      const endMs = performance.now() + 2_000;
      while ((await connected()) !== false)
        must(performance.now() < endMs, 'still connected 2 s after it went');
    },
  },
];
