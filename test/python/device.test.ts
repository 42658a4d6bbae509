import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { cutMessage } from '../client/cutMessages.js';
import { scriptedController, welcome } from '../client/scriptedController.js';
import { quickLink, slowLink, until } from '../support/controlRig.js';
import { startPythonDevice, withoutPython } from '../support/pythonDevice.js';
import { serviceRig, type ServiceRig } from '../support/serviceRig.js';

type PythonDevice = ReturnType<typeof startPythonDevice>;

describe('a device in Python and the real controller', { skip: withoutPython }, () => {
  let rig: ServiceRig;
  const devices: PythonDevice[] = [];
  beforeEach(async () => {
    rig = await serviceRig();
  });
  afterEach(async () => {
    for (const device of devices.splice(0)) await device.stop();
    await rig.dispose();
    assert.deepEqual(rig.failures, []);
  });

  async function start(role: 'end' | 'edge', ...args: string[]): Promise<PythonDevice> {
    const deviceId = role === 'end' ? 'camera' : 'edge';
    const device = startPythonDevice(rig.origin.replace('http', 'ws'), {
      deviceId,
      role,
      token: await rig.deviceToken(deviceId),
      args: ['--compute-ratio', role === 'end' ? '4' : '0.5', ...args],
    });
    devices.push(device);
    await device.next('welcomed');
    return device;
  }

  it('goes from cut to cut, falls back, resumes after a break, and stops when it is removed', async () => {
    const [end, edge] = await Promise.all([start('end'), start('edge')]);
    const { id, done } = await rig.upload();
    await done;
    const session = rig.control.operations.deploy({
      modelId: id,
      end: { deviceId: 'camera' },
      edge: { deviceId: 'edge' },
      requirements: {},
    });
    end.command({ do: 'telemetry', values: quickLink });
    await until(() => session.durable.cut?.endLayers.length === 0);
    const reported = async (): Promise<void> => {
      const { durable } = session;
      await until(() => session.durable.reported.end === durable.version, 'the report of the end device');
      await until(() => session.durable.reported.edge === durable.version, 'the report of the edge');
    };
    await reported();
    assert.equal(end.of('active').at(-1)?.['version'], session.durable.version);

    const kinds = () => rig.recorded.of('cutAnswered').filter(([{ deviceId }]) => deviceId === 'camera');
    end.command({ do: 'edge-lost', deploymentId: session.id });
    await until(() => kinds().at(-1)?.[0].kind === 'fallback');
    end.command({ do: 'edge-back', deploymentId: session.id });
    await until(() => kinds().at(-1)?.[0].kind === 'ack');

    const switches = end.of('active').length;
    rig.control.devices.connection('camera')!.close('shutting-down');
    await end.next('welcomed', 2);
    end.command({ do: 'telemetry', values: slowLink });
    await until(() => session.durable.cut?.endLayers.length === 4);
    await reported();
    await until(() => end.of('active').at(-1)?.['version'] === session.durable.version);
    assert.equal(end.of('active').length, switches + 1, 'what it ran is not switched to again');

    rig.control.operations.removeDeployment(session.id);
    await Promise.all([end.next('removed'), edge.next('removed')]);
    assert.deepEqual([...end.of('error'), ...edge.of('error')], []);
  });

  it('refuses with its own code', async () => {
    const [end, edge] = await Promise.all([start('end'), start('edge', '--refuse', 'no-memory')]);
    const { id, done } = await rig.upload();
    await done;
    rig.control.operations.deploy({
      modelId: id,
      end: { deviceId: 'camera' },
      edge: { deviceId: 'edge' },
      requirements: {},
    });
    end.command({ do: 'telemetry', values: quickLink });
    const isRefused = () =>
      rig.recorded
        .of('cutAnswered')
        .some(([{ deviceId, code }]) => deviceId === 'edge' && code === 'no-memory');
    await until(isRefused);
    assert.deepEqual(edge.of('active'), []);
  });

  it('stays away for good when its token is revoked', async () => {
    const end = await start('end');
    rig.control.devices.connection('camera')!.close('revoked');
    assert.equal((await end.next('ended'))['code'], 4009);
  });
});

describe('a device in Python left alone', { skip: withoutPython }, () => {
  it('runs the safe local cut when the time is over, says so when it is back, and returns', async () => {
    const controller = await scriptedController();
    const device = startPythonDevice(controller.url, { deviceId: 'camera', role: 'end', token: 't' });
    try {
      const visit = await controller.visit();
      assert.equal(visit.headers.authorization, 'Bearer t');
      await visit.next('hello');
      visit.send(welcome);
      visit.send(cutMessage(1, 'prepare', { timeToLiveMs: 200 }));
      await visit.next('prepared');
      visit.send(cutMessage(1, 'active', { timeToLiveMs: 200 }));
      await visit.next('ack');
      visit.socket.terminate();
      assert.equal((await device.next('fallback'))['reason'], 'time-to-live');
      const again = await controller.visit(2);
      const hello = await again.next('hello');
      assert.deepEqual(hello['running'], [{ deploymentId: 'd', version: 1, fallback: true }]);
      again.send(welcome);
      again.send({ type: 'current', deploymentId: 'd', version: 1 });
      await again.next('ack');
      assert.equal(device.of('active').length, 2);
    } finally {
      await device.stop();
      await controller.dispose();
    }
  });
});
