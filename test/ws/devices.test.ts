import assert from 'node:assert/strict';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { WebSocket } from 'ws';
import { quickLink, until } from '../support/controlRig.js';
import { deviceClient, edgeHello, endHello, serviceRig, type ServiceRig } from '../support/serviceRig.js';

describe('the device protocol', () => {
  let rig: ServiceRig;
  beforeEach(async () => {
    rig = await serviceRig();
  });
  afterEach(async () => {
    await rig.dispose();
    assert.deepEqual(rig.failures, [], 'nothing is thrown inside of socket callbacks');
  });

  it('welcomes a device with its limits, and the connection is there until it closes', async () => {
    const device = await rig.device(endHello);
    const welcome = await device.next('welcome');
    assert.equal(welcome['protocol'], 'cutpoint.v1');
    assert.equal(welcome['verdict'], 'accepted');
    assert.deepEqual(welcome['limits'], {
      frameBytes: 4096,
      jsonDepth: 8,
      framesPerSecond: 1000,
      frameBurst: 1000,
      outboxBytes: 65536,
      deployments: 3,
      prepareMs: 5000,
      helloMs: 5000,
      tooFastMs: 5000,
      hellosPerMinute: 600,
      helloBurst: 100,
    });
    assert.equal(rig.control.devices.get('camera').connected, true);
    await device.end();
    await until(() => !rig.control.devices.get('camera').connected);
    assert.deepEqual(rig.recorded.of('deviceConnected').flat(), [{ deviceId: 'camera', role: 'end' }]);
    assert.equal(rig.recorded.of('deviceDisconnected').length, 1);
  });

  it('refuses an upgrade without the subprotocol, before it is made', async () => {
    for (const protocols of [[], ['cutpoint.v0'], ['mqtt', 'cutpoint']]) {
      const socket = new WebSocket(`${rig.origin.replace('http', 'ws')}/v1/devices`, protocols);
      const [, response] = (await once(socket, 'unexpected-response')) as [unknown, { statusCode: number }];
      assert.equal(response.statusCode, 400);
      socket.on('error', () => {}); // of the abort
      socket.terminate();
    }
    assert.equal(rig.hub.connectionCount, 0);
    assert.deepEqual(rig.recorded.of('refused')[0]?.slice(0, 2), ['connection', 'subprotocol-missing']);
  });

  const wrongFirsts: [string, string, string | undefined, number][] = [
    ['{"type":"telemetry","sequence":1}', 'hello-first', 'type', 4004],
    ['{"type":"hello","role":"end"}', 'invalid-field', 'deviceId', 4003],
    ['{"type":"hello","deviceId":"-x","role":"end"}', 'invalid-field', 'deviceId', 4003],
    ['{"type":"hello","deviceId":"x","role":"fog"}', 'invalid-field', 'role', 4003],
    ['{"type":"hello","deviceId":"x","role":"end","computeRatio":0}', 'invalid-field', 'computeRatio', 4003],
    ['{"type":"hello","deviceId":"x","role":"end","token":"t"}', 'invalid-field', 'token', 4003],
    ['{"type":"hallo"}', 'unknown-type', 'type', 4004],
    ['[]', 'unknown-type', 'type', 4004],
    ['null', 'unknown-type', 'type', 4004],
    ['{', 'not-json', undefined, 4004],
  ];
  for (const [text, code, field, closeCode] of wrongFirsts) {
    it(`answers a first message ${text} with ${code} and closes with ${closeCode}`, async () => {
      const device = await rig.device(null);
      device.sendText(text);
      assert.equal((await device.closing()).code, closeCode);
      const [error] = device.of('error');
      assert.deepEqual([error?.['code'], error?.['field']], [code, field]);
      assert.equal(rig.control.devices.list().length, 0);
    });
  }

  const wrongTelemetry: [string, string][] = [
    ['"uplinkBitsPerSecond":-1', 'uplinkBitsPerSecond'],
    ['"uplinkBitsPerSecond":"5"', 'uplinkBitsPerSecond'],
    ['"rttSeconds":1e999', 'rttSeconds'],
    ['"cpuLoad":1', 'cpuLoad'],
    ['"slowdown":0', 'slowdown'],
    ['"battery":{"level":1.1,"charging":true}', 'battery.level'],
    ['"battery":{"level":1}', 'battery.charging'],
    ['"speed":1', 'speed'],
    ['"__proto__":{}', '__proto__'],
    ['"queueLength":[1]', 'queueLength'],
  ];
  it('answers telemetry with a wrong value with the field, counts it, takes none of it, and goes on', async () => {
    const device = await rig.device(endHello);
    for (const [i, [member, field]] of wrongTelemetry.entries()) {
      device.sendText(`{"type":"telemetry","sequence":${i},"freeMemoryBytes":1,${member}}`);
      const error = await device.next('error', i + 1);
      assert.deepEqual(
        [error['code'], error['field'], error['sequence']],
        ['invalid-field', field, i],
        member,
      );
    }
    assert.equal(rig.control.devices.get('camera').telemetry, null);
    device.send({
      type: 'telemetry',
      sequence: 0,
      rttSeconds: 0.1,
      battery: { level: 0.5, charging: false },
    });
    await until(() => rig.control.devices.get('camera').telemetry?.rttSeconds === 0.1);
    const outcomes = rig.recorded.of('telemetryFrame').flat();
    assert.deepEqual(outcomes, [...wrongTelemetry.map(() => 'invalid'), 'accepted']);
  });

  it('answers binary frames and what is no JSON, and goes on', async () => {
    const device = await rig.device(endHello);
    device.socket.send(Buffer.from('{}'));
    assert.equal((await device.next('error', 1))['code'], 'not-text');
    device.sendText('{"type":');
    assert.equal((await device.next('error', 2))['code'], 'not-json');
    device.sendText('['.repeat(2_000));
    assert.equal((await device.next('error', 3))['code'], 'too-deep');
    assert.equal(device.closed, null);
  });

  it('ends a connection that says hello twice', async () => {
    const device = await rig.device(endHello);
    device.send({ type: 'hello', ...endHello });
    assert.equal((await device.closing()).code, 4004);
    await until(() => !rig.control.devices.get('camera').connected);
  });

  it('ends a connection with a frame that is too large, by the code of the WebSocket protocol', async () => {
    const device = await rig.device(endHello);
    await device.next('welcome');
    device.sendText(`"${'x'.repeat(5_000)}"`);
    assert.equal((await device.closing()).code, 1009);
    assert.ok(rig.recorded.of('capHit').some(([cap]) => cap === 'frameBytes'));
  });

  it('lets a second connection of a device take over', async () => {
    const first = await rig.device(endHello);
    await first.next('welcome');
    const second = await rig.device(endHello);
    await second.next('welcome');
    assert.deepEqual(await first.closing(), { code: 4001, reason: 'taken-over' });
    assert.equal(rig.control.devices.get('camera').connected, true);
  });

  it('turns devices away above its caps, and says so', async () => {
    const devices = [];
    for (let i = 0; i < 4; i++) devices.push(await rig.device({ ...endHello, deviceId: `d${i}` }));
    const fifth = await rig.device({ ...endHello, deviceId: 'd5' });
    assert.equal((await fifth.closing()).code, 4005);
    assert.equal(fifth.of('error')[0]?.['code'], 'too-many-devices');
    for (let i = 0; i < 4; i++) devices.push(await rig.device(null));
    await until(() => rig.hub.connectionCount === 8);
    await assert.rejects(deviceClient(rig.origin, null), /503/);
  });

  it('carries a cut to both sides, takes their answers, and resumes without a replay', async () => {
    const { id, done } = await rig.upload();
    await done;
    const end = await rig.device(endHello);
    const edge = await rig.device(edgeHello);
    await Promise.all([end.next('welcome'), edge.next('welcome')]);
    const session = rig.control.operations.deploy({
      modelId: id,
      end: { deviceId: 'camera' },
      edge: { deviceId: 'edge' },
      requirements: {},
    });
    end.send({ type: 'telemetry', sequence: 1, ...quickLink });
    await until(() => session.durable.cut?.endLayers.length === 0);
    const { version } = session.durable;
    await until(() => end.of('cut').at(-1)?.['version'] === version && edge.of('cut').length > 0);
    const cut = edge.of('cut').at(-1)!;
    assert.deepEqual(cut['model'], { id, name: 'a model', sha256: session.model.sha256 });
    assert.deepEqual(cut['tensors'], [{ name: 't0', type: 'float32', shape: [150_000], bytes: 600_000 }]);
    assert.deepEqual([cut['tier'], cut['layerCount'], cut['endLayers']], ['edge', 4, []]);
    assert.ok((cut['predictedLatencySeconds'] as number) > 0);
    end.send({ type: 'ack', deploymentId: session.id, version });
    end.send({ type: 'ack', deploymentId: session.id, version: version + 1 });
    assert.equal((await end.next('error'))['code'], 'unknown-version');
    edge.send({ type: 'ack', deploymentId: session.id, version });
    await until(() => session.durable.lastGood?.version === version);
    await end.end();
    const back = await rig.device({ ...endHello, running: [{ deploymentId: session.id, version }] });
    assert.equal((await back.next('current'))['version'], version);
    rig.control.operations.removeDeployment(session.id);
    assert.equal((await back.next('removed'))['deploymentId'], session.id);
    assert.deepEqual(back.of('cut'), []);
  });

  it('closes with its own code when it stops', async () => {
    const device = await rig.device(endHello);
    await device.next('welcome');
    await rig.app.close();
    assert.deepEqual(await device.closing(), { code: 4000, reason: 'shutting-down' });
  });
});

describe('time limits of connections', () => {
  it('ends a connection without a hello', async () => {
    const rig = await serviceRig({ hub: { helloTimeoutMs: 30 } });
    try {
      const silent = await rig.device(null);
      assert.deepEqual(await silent.closing(), { code: 4002, reason: 'hello-timeout' });
    } finally {
      await rig.dispose();
    }
  });

  it('takes a device for dead after three heartbeats without any frame, not before', async () => {
    const rig = await serviceRig({ hub: { heartbeatMs: 40 } });
    try {
      const alive = await rig.device(endHello);
      const dead = await rig.device(edgeHello);
      await dead.next('welcome');
      dead.socket.pause(); // reads nothing any more, so it answers no ping
      await until(() => rig.recorded.of('deviceDisconnected').length === 1);
      const gone = rig.recorded.of('deviceDisconnected')[0]![0];
      assert.deepEqual([gone.deviceId, gone.code], ['edge', 4007]);
      assert.equal(alive.closed, null);
      dead.socket.terminate();
    } finally {
      await rig.dispose();
    }
  });
});

describe('a device that does not read', () => {
  it('is closed as a slow consumer instead of filling the memory', async () => {
    const rig = await serviceRig({ hub: { outboxBytes: 4_096, frameBurst: 200_000 } });
    try {
      const device = await rig.device(endHello);
      await device.next('welcome');
      device.socket.pause();
      for (let round = 0; round < 200 && rig.recorded.of('deviceDisconnected').length === 0; round++) {
        for (let i = 0; i < 500; i++) device.sendText('{"type":"unknown"}'); // each is answered
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      assert.equal(rig.recorded.of('deviceDisconnected')[0]?.[0].code, 4006);
      assert.equal(rig.recorded.of('capHit')[0]?.[0], 'outboxBytes');
      device.socket.terminate();
    } finally {
      await rig.dispose();
    }
  });
});
