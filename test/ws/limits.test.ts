import assert from 'node:assert/strict';
import { deflateRawSync } from 'node:zlib';
import { describe, it } from 'node:test';
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { bearer } from '../support/credentials.js';
import { testSettings, until } from '../support/controlRig.js';
import { deviceClient, endHello, serviceRig, type ServiceRigOptions } from '../support/serviceRig.js';

async function withRig(
  options: ServiceRigOptions,
  body: (rig: Awaited<ReturnType<typeof serviceRig>>) => Promise<void>,
): Promise<void> {
  const rig = await serviceRig(options);
  try {
    await body(rig);
    assert.deepEqual(rig.failures, []);
  } finally {
    await rig.dispose();
  }
}

describe('limits of a connection', () => {
  it('warns who sends too fast, drops what is above, then closes', () =>
    withRig({ hub: { framesPerSecond: 1, frameBurst: 10 } }, async (rig) => {
      const device = await rig.device(endHello);
      await device.next('welcome');
      for (let sequence = 1; sequence <= 15; sequence++)
        device.send({ type: 'telemetry', sequence, cpuLoad: 0.5 });
      const warning = await device.next('warning');
      assert.equal(warning['code'], 'too-fast');
      await until(
        () => rig.recorded.of('dropped').filter(([what]) => what === 'too-fast-frame').length === 6,
      );
      assert.equal(rig.control.devices.get('camera').lastSequence, 9, 'nine beside the hello');
      assert.equal(device.closed, null);
      for (let sequence = 16; sequence <= 30; sequence++) device.send({ type: 'telemetry', sequence });
      assert.deepEqual(await device.closing(), { code: 4008, reason: 'too-fast' });
      assert.equal(device.of('warning').length, 1);
      assert.equal(rig.recorded.of('capHit').filter(([cap]) => cap === 'framesPerSecond').length, 1);
    }));

  it('takes so many hellos of a device id, then leaves it its connection; and again after a while', async () => {
    let passedNanoseconds = 0n;
    const clock = {
      nowMs: Date.now,
      monotonicNanoseconds: () => process.hrtime.bigint() + passedNanoseconds,
    };
    const limits = { ...testSettings.limits, hellosPerMinute: 1, helloBurst: 3 };
    await withRig({ clock, settings: { limits } }, async (rig) => {
      const taken = [];
      for (let i = 0; i < 3; i++) {
        taken.push(await rig.device(endHello));
        await taken[i]!.next('welcome');
      }
      const fourth = await rig.device(endHello);
      assert.deepEqual(await fourth.closing(), { code: 4011, reason: 'too-many-hellos' });
      const [error] = fourth.of('error');
      assert.equal(error?.['code'], 'too-many-hellos');
      assert.deepEqual(fourth.of('welcome'), []);
      assert.deepEqual(rig.recorded.of('capHit'), [['hellosPerMinute', { deviceId: 'camera', cap: 1 }]]);
      taken[2]!.send({ type: 'telemetry', sequence: 1, cpuLoad: 0.5 });
      await until(() => rig.control.devices.get('camera').lastSequence === 1);
      const other = await rig.device({ ...endHello, deviceId: 'other' });
      await other.next('welcome');
      passedNanoseconds = 60_000_000_000n;
      const later = await rig.device(endHello);
      await later.next('welcome');
      assert.deepEqual(await taken[2]!.closing(), { code: 4001, reason: 'taken-over' });
    });
  });

  it('refuses what is nested too deeply, names the limit, and goes on', () =>
    withRig({ hub: { jsonDepth: 4 } }, async (rig) => {
      const device = await rig.device(endHello);
      device.sendText('{"type":"telemetry","sequence":1,"battery":[[[[1]]]]}');
      const error = await device.next('error');
      assert.equal(error['code'], 'too-deep');
      assert.match(String(error['message']), /limits\.jsonDepth/);
      device.sendText('{"type":"telemetry","sequence":1,"cpuLoad":[[[1]]]}');
      assert.equal((await device.next('error', 2))['code'], 'invalid-field');
    }));

  it('takes null for what is not known, in every message', () =>
    withRig({}, async (rig) => {
      const unknown = {
        machineId: null,
        power: null,
        running: null,
        capabilities: null,
        switchSeconds: null,
      };
      const device = await rig.device({ ...endHello, ...unknown });
      await device.next('welcome');
      device.send({ type: 'telemetry', sequence: 1, cpuLoad: null, battery: null, rttSeconds: 0.1 });
      await until(() => rig.control.devices.get('camera').telemetry !== null);
      assert.deepEqual(rig.control.devices.get('camera').telemetry, { rttSeconds: 0.1 });
      assert.deepEqual(rig.control.devices.get('camera').description, { role: 'end', computeRatio: 4 });
      device.send({ type: 'measurement', deploymentId: 'd', version: 1, count: 1, endSeconds: null });
      assert.equal((await device.next('error'))['field'], 'endSeconds');
    }));

  it('takes compressed frames only where that is switched on, and counts what comes out of them', async () => {
    const offer = async (rig: Awaited<ReturnType<typeof serviceRig>>) => {
      const headers = bearer(await rig.deviceToken('camera'));
      const url = `${rig.origin.replace('http', 'ws')}/v1/devices`;
      const socket = new WebSocket(url, 'cutpoint.v1', { headers, perMessageDeflate: { threshold: 0 } });
      socket.on('error', () => {
        // a close follows
      });
      await once(socket, 'open');
      return socket;
    };
    await withRig({}, async (rig) => {
      const socket = await offer(rig);
      assert.equal(socket.extensions, '');
      socket.terminate();
    });
    await withRig({ hub: { compression: 'on' } }, async (rig) => {
      const socket = await offer(rig);
      assert.match(socket.extensions, /permessage-deflate/);
      socket.send(JSON.stringify({ type: 'hello', ...endHello }));
      await once(socket, 'message');
      const bomb = `{"type":"telemetry","agent":"${'x'.repeat(1_000_000)}"}`;
      assert.ok(deflateRawSync(bomb).length < 4_096, 'small on the wire');
      const closed = once(socket, 'close') as Promise<[number]>;
      socket.send(bomb);
      assert.equal((await closed)[0], 1009);
      assert.ok(rig.recorded.of('capHit').some(([cap]) => cap === 'frameBytes'));
    });
  });
});

describe('when all connections are in use', () => {
  it('a device that is connected may still replace its own, once, and nobody else comes in', () =>
    withRig({ hub: { maxConnections: 2 } }, async (rig) => {
      const token = await rig.deviceToken('camera');
      const half = await deviceClient(rig.origin, endHello, token);
      const edge = await deviceClient(rig.origin, { deviceId: 'edge', role: 'edge' });
      await Promise.all([half.next('welcome'), edge.next('welcome')]);
      await assert.rejects(deviceClient(rig.origin, { ...endHello, deviceId: 'lamp' }), /503/);
      // its own connection was cut without a word, as the controller sees it
      const again = await deviceClient(rig.origin, null, token);
      await assert.rejects(deviceClient(rig.origin, null, token), /503/, 'one replacement at a time');
      again.send({ type: 'hello', ...endHello });
      await again.next('welcome');
      assert.equal((await half.closing()).code, 4001);
      await until(() => rig.hub.connectionCount === 2);
      const third = await deviceClient(rig.origin, endHello, token);
      await third.next('welcome');
      assert.equal(edge.closed, null);
      await Promise.all([third.end(), edge.end()]);
    }));
});
