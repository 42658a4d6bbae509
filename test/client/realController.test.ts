import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { CutRefused, partOf } from '../../src/client/index.js';
import type { DeploymentSession } from '../../src/control/deploymentSession.js';
import { quickLink, slowLink, until } from '../support/controlRig.js';
import { serviceRig, type ServiceRig } from '../support/serviceRig.js';
import { playedDevice } from './scriptedController.js';

type Played = ReturnType<typeof playedDevice>;

/** Both devices run the version that is wanted. */
async function inStep({ durable }: DeploymentSession, ...devices: Played[]): Promise<void> {
  const isThere = ({ device }: Played): boolean =>
    device.running.some(({ version, fallback }) => version === durable.version && fallback !== true);
  await until(() => devices.every(isThere), `version ${durable.version} on all devices`);
}

describe('devices of the library and the real controller', () => {
  let rig: ServiceRig;
  let played: Played[];
  let link: object;
  /** Of the edge to the cloud. */
  let linkAbove: object;
  beforeEach(async () => {
    rig = await serviceRig({ hub: { telemetryIntervalMs: 10, previousCutMs: 20 } });
    played = [];
    link = quickLink;
    linkAbove = {};
  });
  afterEach(async () => {
    for (const { device } of played) device.stop();
    await rig.dispose();
    assert.deepEqual(rig.failures, []);
    for (const { problems, heard } of played) {
      assert.deepEqual(problems, []);
      assert.deepEqual(
        heard.filter((what) => what.startsWith('refused')),
        [],
        'the controller takes all that the library says',
      );
    }
  });

  async function connect(
    role: 'end' | 'edge' | 'cloud',
    more: Parameters<typeof playedDevice>[1] = {},
  ): Promise<Played> {
    const deviceId = role === 'end' ? 'camera' : role;
    const computeRatio = { end: 4, edge: 0.5, cloud: 0.05 }[role];
    const known = {
      end: () => link,
      edge: () => ({ cpuLoad: 0, ...linkAbove }),
      cloud: () => ({ cpuLoad: 0 }),
    };
    const one = playedDevice(rig.origin.replace('http', 'ws'), {
      token: await rig.deviceToken(deviceId),
      identity: { deviceId, role, computeRatio },
      telemetry: known[role],
      ...more,
    });
    played.push(one);
    await until(() => one.device.isWelcomed);
    return one;
  }

  async function deploy(more: object = {}): Promise<DeploymentSession> {
    const { id, done } = await rig.upload();
    await done;
    return rig.control.operations.deploy({
      modelId: id,
      end: { deviceId: 'camera' },
      edge: { deviceId: 'edge' },
      ...more,
      requirements: {},
    });
  }

  it('go from cut to cut together, and stop when the deployment is removed', async () => {
    const [end, edge] = [await connect('end'), await connect('edge')];
    const session = await deploy();
    await until(() => session.durable.cut?.endLayers.length === 0);
    await inStep(session, end, edge);
    link = slowLink;
    await until(() => session.durable.cut?.endLayers.length === 4);
    await inStep(session, end, edge);
    await until(() => session.durable.reported.end === session.durable.version);
    await until(() => session.durable.reported.edge === session.durable.version);
    rig.control.operations.removeDeployment(session.id);
    await until(() => [end, edge].every(({ done }) => done.at(-1) === 'removed'));
    const count = (played: Played, what: string) =>
      played.done.filter((step) => step.startsWith(what)).length;
    for (const device of [end, edge]) {
      assert.equal(count(device, 'activate'), count(device, 'release'), 'nothing stays loaded');
    }
  });

  it('share a model over three tiers, each with its part, and go on without the cloud', async () => {
    const [end, edge, cloud] = [await connect('end'), await connect('edge'), await connect('cloud')];
    const parts = (...devices: Played[]) => devices.map(({ active }) => partOf(active.at(-1)!).layers);
    link = { uplinkBitsPerSecond: 5e7, downlinkBitsPerSecond: 5e7, rttSeconds: 0.001 };
    linkAbove = { uplinkBitsPerSecond: 2e7, downlinkBitsPerSecond: 2e7, rttSeconds: 0.001 };
    const session = await deploy({ cloud: { deviceId: 'cloud' } });
    await until(() => session.durable.cut?.edgeLayers?.join() === '2');
    await inStep(session, end, edge, cloud);
    assert.deepEqual(parts(end, edge, cloud), [[0, 1], [2], [3]]);
    cloud.device.stop();
    await until(() => session.durable.cut?.edgeLayers?.join() === '2,3');
    await inStep(session, end, edge);
    assert.deepEqual(parts(end, edge), [
      [0, 1],
      [2, 3],
    ]);
  });

  it('resume after a broken connection without loading or switching again', async () => {
    const [end, edge] = [await connect('end'), await connect('edge')];
    const session = await deploy();
    await until(() => session.durable.cut?.endLayers.length === 0);
    await inStep(session, end, edge);
    const before = end.done.length;
    rig.control.devices.connection('camera')!.close('shutting-down');
    await until(() => end.heard.filter((what) => what === 'welcomed').length === 2);
    await until(
      () => rig.recorded.of('telemetryFrame').length > 0 && rig.control.devices.get('camera').connected,
    );
    await inStep(session, end, edge);
    assert.deepEqual(
      end.done.slice(before).filter((what) => !what.startsWith('release')),
      [],
    );
  });

  it('refuse a cut with their own code, which operators see', async () => {
    let isFull = false;
    const prepare = () => (isFull ? Promise.reject(new CutRefused('no-memory', 'full')) : Promise.resolve());
    link = slowLink;
    const [end, edge] = [await connect('end'), await connect('edge', { prepare })];
    const session = await deploy();
    await until(() => session.durable.cut?.endLayers.length === 4);
    await inStep(session, end);
    isFull = true;
    link = quickLink;
    await until(() => rig.recorded.of('cutAnswered').some(([{ kind }]) => kind === 'nack'));
    const [nack] = rig.recorded.of('cutAnswered').find(([{ kind }]) => kind === 'nack')!;
    assert.deepEqual([nack.deviceId, nack.code], ['edge', 'no-memory']);
    assert.ok(!edge.done.includes(`activate ${nack.version}`));
  });

  it('tell of the safe local cut and of the way back', async () => {
    const [end, edge] = [await connect('end'), await connect('edge')];
    const session = await deploy();
    await until(() => session.durable.cut?.endLayers.length === 0);
    await inStep(session, end, edge);
    const kinds = () =>
      rig.recorded
        .of('cutAnswered')
        .filter(([{ deviceId }]) => deviceId === 'camera')
        .map(([{ kind }]) => kind);
    end.device.edgeLost(session.id);
    await until(() => kinds().at(-1) === 'fallback');
    end.device.edgeBack(session.id);
    await until(() => kinds().at(-1) === 'ack');
    assert.ok(end.device.measured(session.id, session.durable.version, { latencySeconds: 0.2 }));
    await until(() => rig.recorded.of('telemetryFrame').length > 3);
  });

  it('fall back by themselves when the controller is silent for longer than a cut holds', async () => {
    await rig.dispose();
    rig = await serviceRig({ hub: { telemetryIntervalMs: 10, timeToLiveMs: 150, heartbeatMs: 60_000 } });
    const [end, edge] = [await connect('end'), await connect('edge')];
    const session = await deploy();
    await until(() => session.durable.cut?.endLayers.length === 0);
    await until(() => end.done.some((what) => what.endsWith('time-to-live')));
    assert.ok(!edge.done.some((what) => what.startsWith('fall back')));
    await until(() => rig.recorded.of('cutAnswered').some(([{ kind }]) => kind === 'fallback'));
  });
});
