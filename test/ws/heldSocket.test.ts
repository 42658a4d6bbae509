/** What a device may count on while nothing is read from it. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket, WebSocketServer } from 'ws';
import type { Fleet } from '../../src/control/fleet.js';
import { createDecoder } from '../../src/ws/codec.js';
import { CutTexts } from '../../src/ws/cutTexts.js';
import { DeviceSocket } from '../../src/ws/deviceSocket.js';
import { until } from '../support/controlRig.js';
import { recordedEvents } from '../support/recordedEvents.js';
import { testHubSettings } from '../support/serviceRig.js';

const frameBurst = 5;
const framesPerSecond = 100;

/** A greeted device, its socket on both sides, and the sequences that were read of it. */
async function greeted(t: TestContext) {
  const read: number[] = [];
  const recorded = recordedEvents();
  const fleet: Partial<Fleet> = {
    connect: () => undefined,
    disconnect: () => undefined,
    telemetry(_deviceId, _connection, sequence) {
      read.push(sequence);
      return 'accepted';
    },
  };
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  const connected = once(server, 'connection') as Promise<[WebSocket]>;
  const { port } = server.address() as AddressInfo;
  const client = new WebSocket(`ws://127.0.0.1:${port}`, { autoPong: false });
  const [accepted] = await connected;
  const socket = new DeviceSocket(
    accepted,
    null,
    {
      fleet: fleet as Fleet,
      access: { maySpeakFor: () => true },
      events: recorded.events,
      decode: createDecoder(testHubSettings.jsonDepth),
      cutTexts: new CutTexts(testHubSettings.timeToLiveMs),
      nowMs: Date.now,
      defer: () => false,
      failed: (error) => assert.fail(String(error)),
    },
    { ...testHubSettings, frameBurst, framesPerSecond },
  );
  t.after(async () => {
    client.terminate();
    accepted.terminate();
    await new Promise((resolve) => server.close(resolve));
  });
  await once(client, 'open');
  const welcome = once(client, 'message');
  client.send(JSON.stringify({ type: 'hello', deviceId: 'camera', role: 'end', computeRatio: 1 }));
  await welcome;
  const tell = (sequence: number): void =>
    client.send(JSON.stringify({ type: 'telemetry', sequence, cpuLoad: 0.5 }));
  return { client, accepted, socket, read, recorded, tell };
}

test('all that it sends at its rate meanwhile is read afterwards', async (t) => {
  const { socket, read, recorded, tell } = await greeted(t);
  await sleep((1_000 * frameBurst) / framesPerSecond);
  socket.hold();
  const heldAtMs = performance.now();
  const sent: number[] = [];
  for (let sequence = 1; sequence <= 4 * frameBurst; sequence++) {
    sent.push(sequence);
    tell(sequence);
    await sleep(1_000 / framesPerSecond);
  }
  assert.deepEqual(read, []);
  socket.release(performance.now() - heldAtMs);
  await until(() => read.length === sent.length);
  assert.deepEqual(read, sent);
  assert.deepEqual(recorded.of('dropped'), []);
});

test('it is not taken for dead for pongs that nobody read', async (t) => {
  const { client, socket } = await greeted(t);
  const closed = once(client, 'close') as Promise<[number]>;
  socket.hold();
  for (let i = 0; i < 10; i++) socket.beat();
  socket.release(0);
  client.pong();
  socket.beat();
  await sleep(20);
  assert.equal(client.readyState, WebSocket.OPEN);
  for (let i = 0; i < 4; i++) socket.beat();
  assert.equal((await closed)[0], 4007, 'but for those that it owes');
});

test('it is closed as any other, with its answer to the close', async (t) => {
  const { client, accepted, socket } = await greeted(t);
  const terminate = t.mock.method(accepted, 'terminate');
  const closed = Promise.all([once(accepted, 'close'), once(client, 'close')]);
  socket.hold();
  socket.close('taken-over');
  await closed;
  assert.equal(terminate.mock.callCount(), 0, 'nobody had to be cut off');
});
