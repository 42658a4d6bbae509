/** Real sockets on a hub behind which decisions do not keep up. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket, WebSocketServer } from 'ws';
import type { Fleet } from '../../src/control/fleet.js';
import { protocolName } from '../../src/protocol/messages.js';
import { Backlog } from '../../src/ws/backlog.js';
import { DeviceHub, type HubSettings } from '../../src/ws/deviceHub.js';
import { DeviceSocket } from '../../src/ws/deviceSocket.js';
import { until } from '../support/controlRig.js';
import { FragmentList } from '../../src/ws/fragmentList.js';
import { recordedEvents } from '../support/recordedEvents.js';
import { testHubSettings } from '../support/serviceRig.js';

const holdOf = Object.getOwnPropertyDescriptor(DeviceSocket.prototype, 'hold')!.value as () => void;
const releaseOf = Object.getOwnPropertyDescriptor(DeviceSocket.prototype, 'release')!.value as (
  heldMs: number,
) => void;

const roundMs = 20;
/** What can be decided in a round. */
const perRound = 8;

/** A hub for devices without tokens, whose decisions are behind as soon as `perRound` frames were read in a round. */
async function hubOf(t: TestContext, more: Partial<HubSettings> = {}, monotonicMs = () => performance.now()) {
  let left = perRound;
  let isUnlimited = false;
  let isStuck = false;
  const read = new Map<string, number[]>();
  const answered: string[] = [];
  const failures: unknown[] = [];
  const fleet = {
    get isBehind() {
      return left <= 0;
    },
    connect() {},
    disconnect() {},
    telemetry(deviceId, _connection, sequence) {
      if (!isUnlimited) left--;
      read.set(deviceId, [...(read.get(deviceId) ?? []), sequence]);
      return 'accepted';
    },
    answer(deviceId) {
      answered.push(deviceId);
      return null;
    },
  } satisfies Partial<Fleet>;
  const recorded = recordedEvents();
  const hub = new DeviceHub(
    {
      fleet: fleet as unknown as Fleet,
      access: { maySpeakFor: () => true },
      events: recorded.events,
      nowMs: Date.now,
      monotonicMs,
      failed: (error) => failures.push(error),
    },
    { ...testHubSettings, framesPerSecond: 10_000, frameBurst: 100_000, maxConnections: 100, ...more },
  );
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, ...hub.serverOptions });
  server.on('connection', (socket) => hub.accept(socket, null));
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const rounds = setInterval(() => {
    if (!isStuck) left = perRound;
  }, roundMs);
  const devices: WebSocket[] = [];
  t.after(async () => {
    clearInterval(rounds);
    hub.stop();
    for (const device of devices) device.terminate();
    await new Promise((resolve) => server.close(resolve));
  });
  return {
    hub,
    read,
    answered,
    failures,
    shed: () => recorded.of('dropped').filter(([what]) => what === 'shed-telemetry').length,
    stop(): void {
      isStuck = true;
      left = 0;
    },
    /** So many frames are read, after `stop`, and then none again. */
    allow(frames: number): void {
      left = frames;
    },
    go(): void {
      isStuck = false;
    },
    unlimited(): void {
      isUnlimited = true;
      left = perRound;
    },
    async device(deviceId: string) {
      const socket = new WebSocket(`ws://127.0.0.1:${port}`, protocolName);
      devices.push(socket);
      await once(socket, 'open');
      const welcome = once(socket, 'message');
      socket.send(JSON.stringify({ type: 'hello', deviceId, role: 'end', computeRatio: 1 }));
      await welcome;
      let sequence = 0;
      return {
        deviceId,
        socket,
        get sent() {
          return sequence;
        },
        tell: () => socket.send(JSON.stringify({ type: 'telemetry', sequence: ++sequence, cpuLoad: 0.5 })),
      };
    },
  };
}

test('devices that flood are held until their turn: nothing but telemetry is lost, and who speaks rarely waits for nobody', async (t) => {
  const rig = await hubOf(t);
  const hold = t.mock.method(DeviceSocket.prototype, 'hold');
  const reuse = t.mock.method(FragmentList.prototype, 'reuse');
  const rare = await rig.device('rare');
  const floods = await Promise.all(Array.from({ length: 30 }, (_, i) => rig.device(`flood-${i}`)));
  const leaving = floods[29]!;
  for (let i = 0; i < 300; i++) {
    for (const flood of floods) if (flood !== leaving || i < 150) flood.tell();
    if (i % 30 === 0) rare.tell();
    if (i === 149) {
      floods[0]!.socket.send(JSON.stringify({ type: 'ack', deploymentId: 'd', version: 1 }));
      leaving.socket.close(1000);
    }
    await sleep(5);
  }
  assert.ok(hold.mock.callCount() > 50, `${hold.mock.callCount()} times`);
  assert.deepEqual(rig.read.get('rare'), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 'none of it was replaced');
  assert.deepEqual(rig.answered, ['flood-0'], 'an answer comes through');
  assert.equal(rig.hub.connectionCount, 30, 'who left while it was held is gone');
  rig.unlimited();
  const last = (deviceId: string): number => rig.read.get(deviceId)!.at(-1)!;
  for (const flood of floods) {
    if (flood === leaving) continue;
    await until(() => last(flood.deviceId) === flood.sent, 'the latest of each is read in the end');
    const sequences = rig.read.get(flood.deviceId)!;
    assert.deepEqual(
      sequences,
      sequences.toSorted((a, b) => a - b),
    );
    assert.ok(sequences.length > 5, `${flood.deviceId} had ${sequences.length} turns`);
  }
  const taken = [...rig.read.values()].reduce((sum, { length }) => sum + length, 0);
  const sent = [rare, ...floods].reduce((sum, device) => sum + device.sent, 0);
  assert.equal(taken + rig.shed(), sent, 'each frame was read or is counted as shed');
  assert.ok(reuse.mock.callCount() > sent, 'no frame stays in a list');
  assert.deepEqual(rig.failures, []);
});

test('where nothing is decided at all, nobody stays held: frames are replaced as they come', async (t) => {
  const rig = await hubOf(t);
  const devices = await Promise.all(Array.from({ length: 30 }, (_, i) => rig.device(`flood-${i}`)));
  const held = new Set<unknown>();
  t.mock.method(DeviceSocket.prototype, 'hold', function (this: DeviceSocket) {
    held.add(this);
    return holdOf.call(this);
  });
  t.mock.method(DeviceSocket.prototype, 'release', function (this: DeviceSocket, heldMs: number) {
    held.delete(this);
    return releaseOf.call(this, heldMs);
  });
  const flood = setInterval(() => devices.forEach((device) => device.tell()), 5);
  t.after(() => clearInterval(flood));
  await until(() => held.size > 0, 'somebody is held');
  rig.stop();
  await until(() => held.size === 0, 'all are released');
  const shed = rig.shed();
  await until(() => rig.shed() > shed + 50 * devices.length, 'frames are read, and replaced');
  assert.equal(held.size, 0);
  rig.go();
  await until(() => held.size > 0, 'and again');
  assert.deepEqual(rig.failures, []);
});

for (const { prepareTimeoutMs, longestMs } of [
  { prepareTimeoutMs: 400, longestMs: 100 },
  { prepareTimeoutMs: 30_000, longestMs: 1_000 },
])
  test(`with ${prepareTimeoutMs} ms to prepare a cut nobody is held for more than ${longestMs} ms, and as long where others are due`, async (t) => {
    let nowMs = 0;
    const rig = await hubOf(t, { maxConnections: 300, prepareTimeoutMs }, () => nowMs);
    const devices = await Promise.all(Array.from({ length: 300 }, (_, i) => rig.device(`flood-${i}`)));
    const hold = t.mock.method(DeviceSocket.prototype, 'hold');
    const release = t.mock.method(DeviceSocket.prototype, 'release');
    const callUp = t.mock.method(Backlog.prototype, 'callUp');
    const speak = () => devices.forEach((device) => device.tell());
    /** Until rounds have begun and ended that saw the clock as it is now. */
    const rounds = async () => {
      const { length } = callUp.mock.calls;
      await until(() => callUp.mock.callCount() >= length + 3, 'three rounds');
    };
    rig.stop();
    speak();
    speak();
    await until(() => rig.shed() === 300, 'each has lost a frame');
    // all but one are read, as where nothing waits nobody is held
    rig.allow(299);
    await until(() => rig.read.size === 299, 'all but one are read');
    speak();
    await until(() => hold.mock.callCount() === 299, 'they are held');
    await rounds();
    // 256 are called up to be read next
    assert.equal(release.mock.callCount(), 256);
    assert.equal(rig.hub.heldCount, 43);
    nowMs = longestMs - 1;
    await rounds();
    assert.equal(release.mock.callCount(), 256);
    nowMs = longestMs;
    await rounds();
    const longest = release.mock.calls.slice(256).map((call) => call.arguments[0]);
    assert.deepEqual(longest, Array<number>(43).fill(longestMs));
    rig.unlimited();
    await until(() => rig.hub.heldCount === 0, 'nobody is held');
    assert.deepEqual(rig.failures, []);
  });
