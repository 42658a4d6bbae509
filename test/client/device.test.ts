import assert from 'node:assert/strict';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { Device, CutRefused } from 'cutpoint/client';
import { Device as HomeDevice } from '../../src/client/index.js';
import { closes } from '../../src/protocol/closeCodes.js';
import { createDecoder } from '../../src/ws/codec.js';
import { until } from '../support/controlRig.js';
import { cutMessage } from './cutMessages.js';
import { FakeClock } from './fakeClock.js';
import { scriptedController, welcome, type Visit } from './scriptedController.js';

type Controller = Awaited<ReturnType<typeof scriptedController>>;

/** No pause of these devices is longer. */
const longestPauseMs = 20;

/** Sends a ping and waits until the device has seen it. */
async function pinged({ socket }: Visit): Promise<void> {
  const answered = once(socket, 'pong');
  socket.ping();
  await answered;
}

describe('a device', () => {
  let controller: Controller;
  let status: number | null;
  beforeEach(async () => {
    status = null;
    controller = await scriptedController(() => status);
  });
  afterEach(() => controller.dispose());

  it('is what the package exports', () => {
    assert.equal(Device, HomeDevice);
    assert.equal(new CutRefused('no-memory', '').code, 'no-memory');
  });

  it('shows its token at the upgrade and says hello once, with what it can do', async () => {
    controller.device({ token: 'secret' });
    const visit = await controller.visit();
    const { bootEpoch, ...hello } = await visit.next('hello');
    assert.equal(visit.headers.authorization, 'Bearer secret');
    assert.equal(visit.headers['sec-websocket-protocol'], 'cutpoint.v1');
    assert.equal(visit.headers['sec-websocket-extensions'], undefined, 'no compression');
    assert.ok(Number.isSafeInteger(bootEpoch));
    assert.deepEqual(hello, {
      type: 'hello',
      deviceId: 'camera',
      role: 'end',
      computeRatio: 4,
      capabilities: ['prepare'],
      running: [],
    });
  });

  it('sends nothing but the hello before the welcome, then telemetry', async () => {
    const { device } = controller.device({ telemetry: () => ({ cpuLoad: 0.25, rttSeconds: undefined }) });
    const visit = await controller.visit();
    await visit.next('hello');
    visit.send(cutMessage(1, 'active'));
    await pinged(visit); // the cut was before it
    assert.deepEqual(
      visit.frames.map(({ type }) => type),
      ['hello'],
    );
    visit.send(welcome);
    assert.deepEqual(await visit.next('telemetry'), { type: 'telemetry', sequence: 1, cpuLoad: 0.25 });
    assert.equal(device.isWelcomed, true);
  });

  it('goes through both phases, reports what it measures, and says in the next hello what runs', async () => {
    const { device, done } = controller.device();
    const visit = await controller.visit();
    visit.send({ ...welcome, telemetryIntervalMs: 1 });
    visit.send(cutMessage(1, 'prepare'));
    await visit.next('prepared');
    visit.send(cutMessage(1, 'active'));
    await visit.next('ack');
    assert.equal(device.measured('d', 2, { latencySeconds: 1 }), false);
    for (const latencySeconds of [0.1, 0.3]) assert.ok(device.measured('d', 1, { latencySeconds }));
    const measurement = await visit.next('measurement');
    assert.deepEqual(measurement, {
      type: 'measurement',
      deploymentId: 'd',
      version: 1,
      count: 2,
      latencySeconds: 0.2,
    });
    visit.socket.terminate();
    const again = await controller.visit(2);
    assert.deepEqual((await again.next('hello'))['running'], [{ deploymentId: 'd', version: 1 }]);
    again.send(welcome);
    again.send({ type: 'current', deploymentId: 'd', version: 1 });
    again.send({ type: 'removed', deploymentId: 'd' });
    await until(() => done.includes('removed'));
    assert.deepEqual(done, ['activate 1', 'release 1', 'removed']);
    // everything it ever said is what a controller takes
    const decode = createDecoder(8);
    for (const frame of [...visit.frames, ...again.frames]) {
      assert.ok(decode(Buffer.from(JSON.stringify(frame)), false).ok, JSON.stringify(frame));
    }
    assert.deepEqual(
      [...visit.frames, ...again.frames]
        .filter(({ type }) => type === 'telemetry')
        .map((frame) => frame['sequence']),
      [...visit.frames, ...again.frames]
        .filter(({ type }) => type === 'telemetry')
        .map((_, index) => index + 1),
      'sequences go on over a reconnect',
    );
  });

  for (const [name, { code, comeBack }] of Object.entries(closes)) {
    it(`${comeBack === 'no' ? 'stays away' : 'comes back'} after ${code} ${name}`, async () => {
      const { heard } = controller.device();
      (await controller.visit()).socket.close(code, name);
      if (comeBack === 'no') {
        await until(() => heard.length > 0);
        await pause(60); // longer than any pause of this device
        assert.equal(controller.attempts.length, 1);
        assert.deepEqual(heard, [`closed ${code}, for good`]);
      } else {
        await controller.visit(2);
        assert.deepEqual(heard, [`closed ${code}`]);
      }
    });
  }

  it('comes back while upgrades are refused with 503 and 401, and gives up at 400', async () => {
    status = 503;
    const { heard } = controller.device();
    await until(() => controller.attempts.length >= 3);
    status = 401;
    await until(() => heard.includes('refused 401'));
    const before = controller.attempts.length;
    await until(() => controller.attempts.length > before);
    status = 400;
    await until(() => heard.includes('refused 400, for good'));
    const { length } = controller.attempts;
    await pause(60);
    assert.equal(controller.attempts.length, length);
  });

  it('stays away as long as a refusal asks for', async () => {
    const clock = new FakeClock();
    const busy = await scriptedController(() => 503, 7);
    try {
      const { heard } = busy.device({ clock, random: () => 0 });
      await until(() => heard.length === 1);
      clock.advance(6_999);
      assert.equal(clock.timerCount, 1, 'it still waits');
      clock.advance(1);
      await until(() => heard.length === 2);
      assert.equal(busy.attempts.length, 2);
    } finally {
      await busy.dispose();
    }
  });

  it('comes back when nobody listens', async () => {
    const other = await scriptedController();
    await other.dispose();
    const { heard } = controller.device({ url: other.url });
    await until(() => heard.filter((what) => what.startsWith('failed')).length >= 2);
  });

  it('gives up a connection without a welcome, or without a sign of life', async () => {
    const clock = new FakeClock();
    const { device, heard } = controller.device({ clock, welcomeTimeoutMs: 30 });
    await controller.visit();
    clock.advance(30);
    await until(() => heard.length === 1);
    clock.advance(longestPauseMs);
    const second = await controller.visit(2);
    second.send({ ...welcome, heartbeatMs: 15 });
    await until(() => device.isWelcomed);
    clock.advance(4 * 15);
    await until(() => heard.length === 3);
    clock.advance(longestPauseMs);
    const third = await controller.visit(3);
    third.send({ ...welcome, heartbeatMs: 15 });
    await until(() => device.isWelcomed);
    for (let i = 0; i < 10; i++) {
      await pinged(third);
      clock.advance(2 * 15);
    }
    assert.equal(device.isWelcomed, true, 'pings are signs of life');
    assert.deepEqual(heard, ['failed ', 'welcomed', 'failed ', 'welcomed']);
  });

  it('runs the safe local cut when its connection is gone for longer than the cut holds, and says so', async () => {
    const clock = new FakeClock();
    const { done, heard } = controller.device({ clock, reconnect: { firstPauseMs: 200 } });
    const visit = await controller.visit();
    visit.send(welcome);
    visit.send(cutMessage(1, 'active', { timeToLiveMs: 60 }));
    await visit.next('ack');
    visit.socket.terminate();
    await until(() => heard.length === 2);
    clock.advance(60);
    await until(() => done.includes('fall back from 1: time-to-live'));
    clock.advance(200);
    const again = await controller.visit(2);
    const hello = await again.next('hello');
    assert.deepEqual(hello['running'], [{ deploymentId: 'd', version: 1, fallback: true }]);
    again.send(welcome);
    await pinged(again);
    assert.equal(
      done.at(-1),
      'fall back from 1: time-to-live',
      'not before the controller says what it wants',
    );
    again.send({ type: 'current', deploymentId: 'd', version: 1 });
    await again.next('ack');
    assert.equal(done.at(-1), 'activate 1');
  });

  it('keeps its cut while pings come', async () => {
    const clock = new FakeClock();
    const { done } = controller.device({ clock });
    const visit = await controller.visit();
    visit.send(welcome);
    visit.send(cutMessage(1, 'active', { timeToLiveMs: 80 }));
    await visit.next('ack');
    for (let i = 0; i < 10; i++) {
      await pinged(visit);
      clock.advance(60);
    }
    assert.deepEqual(done, ['activate 1']);
    clock.advance(80);
    assert.equal((await visit.next('fallback'))['reason'], 'time-to-live');
  });

  it('tells of a lost edge and of its return', async () => {
    const { device, done } = controller.device();
    const visit = await controller.visit();
    visit.send(welcome);
    visit.send(cutMessage(1, 'active'));
    await visit.next('ack');
    device.edgeLost('d');
    assert.equal((await visit.next('fallback'))['reason'], 'edge-lost');
    device.edgeBack('d');
    await visit.next('ack', 2);
    assert.deepEqual(done, ['activate 1', 'fall back from 1: edge-lost', 'activate 1']);
  });

  it('has no capability prepare without something to load, and switches at once', async () => {
    controller.device({ prepare: null });
    const visit = await controller.visit();
    assert.deepEqual((await visit.next('hello'))['capabilities'], []);
    visit.send(welcome);
    visit.send(cutMessage(1, 'active'));
    await visit.next('ack');
  });

  it('leaves what a later controller says, and names what breaks the protocol', async () => {
    const { heard, problems } = controller.device();
    const visit = await controller.visit();
    visit.send({ ...welcome, news: { of: 'tomorrow' } });
    visit.send({ type: 'weather', rain: true });
    for (const wrong of ['{', '[]', JSON.stringify({ ...cutMessage(1, 'active'), version: 0 })]) {
      visit.socket.send(wrong);
    }
    visit.socket.send(Buffer.from('{}'));
    visit.send({ type: 'error', code: 'invalid-field', message: '' });
    visit.send({ type: 'warning', code: 'too-fast', message: '' });
    await until(() => heard.length === 3);
    assert.deepEqual(heard, ['welcomed', 'refused invalid-field', 'warned too-fast']);
    assert.deepEqual(
      problems.map((error) => (error as Error).message),
      [
        'the controller sent a frame that is not JSON',
        'the controller sent a frame without a type',
        'the controller sent cut: version must be >= 1, not 0',
        'the controller sent a binary frame',
      ],
    );
  });

  it('gives a connection up when the controller reads nothing', async () => {
    const { device, heard } = controller.device({ maxBufferedBytes: 200_000 });
    const visit = await controller.visit();
    visit.send(welcome);
    visit.send(cutMessage(1, 'active', { timeToLiveMs: 60_000 }));
    await visit.next('ack');
    visit.socket.pause();
    for (let i = 0; i < 200_000 && device.isWelcomed; i++) {
      device.edgeLost('d');
      device.edgeBack('d');
      if (i % 1_000 === 0) await pause(0);
    }
    await until(() => heard.some((what) => what.startsWith('failed')), 'the end of the connection');
  });

  it('stops for good, also in a pause', async () => {
    const { device, heard } = controller.device({ reconnect: { firstPauseMs: 30 } });
    (await controller.visit()).socket.terminate();
    await until(() => heard.length === 1);
    device.stop();
    await pause(60);
    assert.equal(controller.visits.length, 1);
  });
});
