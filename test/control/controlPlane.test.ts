import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  controlRig,
  deployed,
  endLayers,
  KeptConnection,
  quickLink,
  slowLink,
  until,
  type Rig,
} from '../support/controlRig.js';

describe('control', () => {
  let rig: Rig;
  beforeEach(async () => {
    rig = await controlRig();
  });
  afterEach(() => rig.dispose());

  it('gives a deployment without a measured link the cut that needs none', async () => {
    const { end, edge, session } = await deployed(rig);
    assert.deepEqual(endLayers(session), [0, 1, 2, 3]);
    assert.equal(session.lastDecision?.reason, 'deployed');
    assert.deepEqual(
      [end.cuts, edge.cuts].map((cuts) => cuts.map(({ version, tier }) => [version, tier])),
      [[[1, 'end']], [[1, 'edge']]],
    );
  });

  it('moves the cut with the link, raises the version, tells both sides, and repeats nothing', async () => {
    const { end, edge, session } = await deployed(rig);
    assert.equal(rig.control.fleet.telemetry('camera', end, 1, quickLink), 'accepted');
    await until(() => session.durable.version === 2);
    assert.deepEqual(endLayers(session), []);
    assert.deepEqual(
      end.cuts.at(-1)!.tensors.map(({ name, bytes }) => [name, bytes]),
      [['t0', 600_000]],
    );
    assert.equal(edge.cuts.at(-1)!.version, 2);
    rig.control.fleet.telemetry('camera', end, 2, { ...quickLink, uplinkBitsPerSecond: 1.01e9 });
    await until(() => session.lastDecision?.context.hops[0]?.uplinkBitsPerSecond === 1.01e9);
    assert.equal(session.durable.version, 2, 'decided again, with the same cut');
    assert.equal(end.cuts.length, 2);
    assert.deepEqual(
      rig.control.operations
        .history(session.id, { limit: 9 })
        .map((row) => [row.versionBefore, row.versionAfter]),
      [
        [2, 2],
        [1, 2],
        [0, 1],
      ],
    );
  });

  it('drops frames that are old or repeated', async () => {
    const { end } = await deployed(rig);
    const send = (sequence: number) => rig.control.fleet.telemetry('camera', end, sequence, slowLink);
    assert.deepEqual([send(5), send(5), send(4), send(6)], ['accepted', 'stale', 'stale', 'accepted']);
    assert.deepEqual(rig.recorded.of('telemetryFrame').flat(), ['accepted', 'stale', 'stale', 'accepted']);
  });

  it('takes a frame for all that the device knows: what it does not name is not known any more', async () => {
    const { end } = await deployed(rig);
    const telemetry = () => rig.control.devices.get('camera').telemetry;
    rig.control.fleet.telemetry('camera', end, 1, { ...quickLink, freeMemoryBytes: 5 });
    rig.control.fleet.telemetry('camera', end, 2, { rttSeconds: 0.5 });
    assert.deepEqual(telemetry(), { rttSeconds: 0.5 });
    const again = rig.connect('camera', 'end');
    assert.deepEqual(end.closes, ['taken-over']);
    assert.equal(
      rig.control.fleet.telemetry('camera', end, 4, slowLink),
      'unexpected',
      'of the older connection',
    );
    rig.control.fleet.telemetry('camera', again, 1, { cpuLoad: 0.5 });
    assert.deepEqual(telemetry(), { cpuLoad: 0.5 });
  });

  it('decides many frames that come at once as one, on the latest', async () => {
    const { end, session } = await deployed(rig);
    const before = rig.recorded.of('searchDone').length;
    for (let sequence = 1; sequence <= 100; sequence++) {
      rig.control.fleet.telemetry('camera', end, sequence, {
        ...quickLink,
        uplinkBitsPerSecond: 1e8 + sequence,
      });
    }
    await until(() => session.durable.version === 2);
    assert.equal(session.lastDecision?.context.hops[0]?.uplinkBitsPerSecond, 1e8 + 100);
    assert.equal(rig.recorded.of('searchDone').length - before, 1);
    assert.equal(rig.recorded.of('dropped').filter(([what]) => what === 'superseded-telemetry').length, 99);
  });

  it('falls back to the device when the edge goes, and returns to the edge with it', async () => {
    const { end, edge, session } = await deployed(rig);
    rig.control.fleet.telemetry('camera', end, 1, quickLink);
    await until(() => session.durable.version === 2);
    rig.control.fleet.disconnect('edge', edge);
    await until(() => session.durable.version === 3);
    assert.deepEqual(endLayers(session), [0, 1, 2, 3]);
    assert.equal(session.lastDecision?.reason, 'device-disconnected');
    assert.equal(end.cuts.at(-1)!.version, 3);
    rig.connect('edge', 'edge');
    await until(() => session.durable.version === 4);
    assert.deepEqual(endLayers(session), []);
    assert.equal(session.lastDecision?.reason, 'device-connected');
  });

  it('tells a device that comes back the latest cut where it runs another, and what is gone', async () => {
    const { end, session } = await deployed(rig);
    rig.control.fleet.telemetry('camera', end, 1, quickLink);
    await until(() => session.durable.version === 2);
    const hello = { deviceId: 'camera', description: { role: 'end', computeRatio: 4 } } as const;
    const current = new KeptConnection();
    rig.control.fleet.connect(hello, [{ deploymentId: session.id, version: 2 }], current);
    assert.deepEqual(current.cuts, []);
    const behind = new KeptConnection();
    const running = [
      { deploymentId: session.id, version: 1 },
      { deploymentId: 'gone', version: 7 },
    ];
    rig.control.fleet.connect(hello, running, behind);
    assert.deepEqual(
      behind.cuts.map((cut) => cut.version),
      [2],
    );
    assert.deepEqual(behind.removed, ['gone']);
  });

  it('keeps what the devices report beside what is desired', async () => {
    const { session } = await deployed(rig);
    const { fleet } = rig.control;
    assert.equal(fleet.answer('camera', { type: 'ack', deploymentId: session.id, version: 1 }), null);
    assert.equal(
      fleet.answer('edge', { type: 'nack', deploymentId: session.id, version: 1, code: 'no-memory' }),
      null,
    );
    await until(() => session.durable.reported.end === 1);
    assert.equal(session.durable.reported.edge, null);
    assert.equal(session.nacks.edge?.code, 'no-memory');
    assert.equal(
      fleet.answer('camera', { type: 'ack', deploymentId: session.id, version: 2 }),
      'unknown-version',
    );
    assert.equal(
      fleet.answer('stranger', { type: 'ack', deploymentId: session.id, version: 1 }),
      'unknown-deployment',
    );
  });

  it('says what a deployment waits for, and decides when it is there', async () => {
    const { id, done } = await rig.upload();
    await done;
    const session = rig.control.operations.deploy({
      modelId: id,
      end: { deviceId: 'camera' },
      edge: { deviceId: 'edge', computeRatio: 0.5 },
      requirements: {},
    });
    assert.equal(session.status.kind, 'waiting');
    assert.match(JSON.stringify(session.status), /device camera has not connected yet/);
    rig.connect('camera', 'end');
    await until(() => session.durable.version === 1);
    assert.deepEqual(session.lastDecision?.secondsSources, [
      { kind: 'scaled', machineId: 'controller', computeRatio: 4 },
      { kind: 'scaled', machineId: 'controller', computeRatio: 0.5 },
    ]);
  });

  it('shares one state graph between devices of different speeds', async () => {
    const { modelId, session } = await deployed(rig);
    rig.connect('tablet', 'end', { computeRatio: 7 });
    const other = rig.control.operations.deploy({
      modelId,
      end: { deviceId: 'tablet' },
      edge: { deviceId: 'edge' },
      requirements: {},
    });
    await until(() => other.durable.version === 1);
    assert.equal(other.basis!.lease.partitioner, session.basis!.lease.partitioner);
    const seconds = (of: typeof session) => of.lastDecision!.decision.prediction.tierSeconds[0]!;
    assert.ok(Math.abs(seconds(other) / seconds(session) - 7 / 4) < 1e-12);
    assert.deepEqual(other.lastDecision!.secondsSources[0], {
      kind: 'scaled',
      machineId: 'controller',
      computeRatio: 7,
    });
  });

  it('uses the profile of a machine as soon as it is uploaded', async () => {
    const { modelId, end, session } = await deployed(rig);
    rig.control.fleet.telemetry('camera', end, 1, slowLink);
    const model = rig.control.models.get(modelId);
    const [own] = rig.control.profiles.ofModel(modelId);
    rig.connect('camera', 'end', { machineId: 'camera-machine' });
    await until(() => session.lastDecision?.reason === 'device-connected');
    const profile = { ...own!.profile, machine: { ...own!.profile.machine, id: 'camera-machine' } };
    rig.control.operations.addProfile(model.id, profile);
    await until(() => session.lastDecision?.secondsSources[0]?.kind === 'measured');
    assert.equal(session.lastDecision?.reason, 'profile');
  });

  it('decides anew when the requirements change', async () => {
    const { end, session } = await deployed(rig);
    rig.control.fleet.telemetry('camera', end, 1, { ...quickLink, freeStorageBytes: 1e9 });
    await until(() => session.durable.version === 2);
    const changed = rig.control.operations.changeDeployment(session.id, {
      requirements: { latencySeconds: 0.000_001 },
    });
    await until(() => changed.lastDecision?.reason === 'requirements');
    assert.equal(changed.lastDecision?.decision.violations[0]?.constraint, 'latencySeconds');
    rig.control.operations.changeDeployment(session.id, { requirements: { latencySeconds: null } });
    await until(() => changed.lastDecision?.decision.violations.length === 0);
    assert.deepEqual(rig.store.deployments()[0]?.requirements, {});
  });

  it('tells both devices that a deployment is gone, and keeps no trace of it', async () => {
    const { end, edge, session, modelId } = await deployed(rig);
    await assert.rejects(rig.control.operations.removeModel(modelId), /used by deployment/);
    rig.control.operations.removeDeployment(session.id);
    assert.deepEqual([end.removed, edge.removed], [[session.id], [session.id]]);
    assert.deepEqual(rig.store.deployments(), []);
    await rig.control.operations.removeModel(modelId);
    assert.deepEqual(rig.store.modelSummaries(), []);
  });

  it('refuses more than its caps, names them, and counts that', async () => {
    const { modelId } = await deployed(rig);
    const deploy = (end: string, edge: string) =>
      rig.control.operations.deploy({
        modelId,
        end: { deviceId: end },
        edge: { deviceId: edge },
        requirements: {},
      });
    deploy('camera', 'e2');
    deploy('camera', 'e3');
    assert.throws(() => deploy('camera', 'e4'), /maxDeploymentsPerDevice/);
    deploy('c2', 'edge');
    assert.throws(() => deploy('c3', 'e5'), /maxDeployments\b/);
    rig.connect('d3', 'end');
    rig.connect('d4', 'end');
    assert.throws(() => rig.connect('d5', 'end'), /maxDevices/);
    const [own] = rig.control.profiles.ofModel(modelId);
    const add = (id: string) =>
      rig.control.operations.addProfile(modelId, {
        ...own!.profile,
        machine: { ...own!.profile.machine, id },
      });
    add('m1');
    add('m2');
    assert.throws(() => add('m3'), /maxProfilesPerModel/);
    const caps = rig.recorded.of('capHit').map(([cap]) => cap);
    assert.deepEqual(caps, ['deploymentsPerDevice', 'deployments', 'devices', 'profilesPerModel']);
  });
});

describe('control after a restart', () => {
  it('goes on where it was, and does not touch a cut before its devices had the time to come back', async () => {
    const first = await controlRig();
    const { end, session } = await deployed(first);
    first.control.fleet.telemetry('camera', end, 1, quickLink);
    await until(() => session.durable.version === 2);
    first.control.fleet.answer('camera', { type: 'ack', deploymentId: session.id, version: 2 });
    first.control.fleet.answer('edge', { type: 'ack', deploymentId: session.id, version: 2 });
    await first.halt();
    assert.deepEqual(end.closes, ['shutting-down']);

    const second = await controlRig({ folder: first.folder });
    try {
      const restored = second.control.deployments.get(session.id);
      assert.deepEqual([restored.durable.version, restored.durable.reported.end], [2, 2]);
      assert.equal(restored.lastDecision?.versionAfter, 2);
      const back = second.connect('camera', 'end');
      assert.deepEqual(
        back.cuts.map((cut) => cut.version),
        [2],
      );
      second.control.fleet.telemetry('camera', back, 1, quickLink);
      await until(() => restored.status.kind === 'holding');
      await sleep(20);
      assert.equal(restored.durable.version, 2, 'the edge is not back yet');
      second.connect('edge', 'edge');
      await until(() => restored.status.kind === 'active');
      assert.equal(restored.durable.version, 2);
    } finally {
      await second.halt();
      await rm(first.folder, { recursive: true, force: true });
    }
  });

  it('waits for a cloud and for the link to it as well, where there is one', async () => {
    const first = await controlRig();
    const { id, done } = await first.upload();
    await done;
    const join = (rig: typeof first) => {
      const devices = { camera: rig.connect('camera', 'end'), edge: rig.connect('edge', 'edge') };
      rig.control.fleet.telemetry('camera', devices.camera, 1, quickLink);
      return devices;
    };
    const bind = (deviceId: string) => ({ deviceId });
    const { id: deploymentId } = first.control.operations.deploy({
      modelId: id,
      end: bind('camera'),
      edge: bind('edge'),
      cloud: bind('cloud'),
      requirements: {},
    });
    const { edge } = join(first);
    first.connect('cloud', 'cloud', { computeRatio: 0.05 });
    first.control.fleet.telemetry('edge', edge, 1, quickLink);
    const made = first.control.deployments.get(deploymentId);
    await until(() => made.durable.cut?.edgeLayers?.length === 0 && endLayers(made).length === 0);
    await until(() => made.lastDecision?.context.hops[1]?.uplinkBitsPerSecond !== undefined);
    const { version, cut } = made.durable;
    await first.halt();

    const second = await controlRig({ folder: first.folder });
    try {
      const restored = second.control.deployments.get(deploymentId);
      assert.deepEqual(restored.durable.cut, cut);
      const missing = () => (restored.status.kind === 'holding' ? restored.status.missing : []);
      const devices = join(second);
      await until(() => missing().length === 2);
      assert.deepEqual(missing(), ['telemetry of edge edge', 'cloud cloud to connect again']);
      second.connect('cloud', 'cloud', { computeRatio: 0.05 });
      await until(() => missing().length === 1);
      second.control.fleet.telemetry('edge', devices.edge, 1, quickLink);
      await until(() => restored.status.kind === 'active');
      assert.deepEqual([restored.durable.version, restored.durable.cut], [version, cut]);
    } finally {
      await second.halt();
      await rm(first.folder, { recursive: true, force: true });
    }
  });

  it('goes on with the end device alone where the cut has layers in a cloud that was taken away', async () => {
    const first = await controlRig();
    const { id, done } = await first.upload();
    await done;
    const bind = (deviceId: string, computeRatio: number) => ({ deviceId, computeRatio });
    const session = first.control.operations.deploy({
      modelId: id,
      end: bind('camera', 4),
      edge: bind('edge', 0.5),
      cloud: bind('cloud', 0.05),
      requirements: {},
    });
    const devices = { camera: first.connect('camera', 'end'), edge: first.connect('edge', 'edge') };
    first.connect('cloud', 'cloud');
    first.control.fleet.telemetry('camera', devices.camera, 1, quickLink);
    first.control.fleet.telemetry('edge', devices.edge, 1, quickLink);
    await until(() => session.durable.cut?.edgeLayers?.length === 0 && endLayers(session).length === 0);
    const { cloud: _cloud, ...record } = session.durable;
    await first.control.stop();
    // as a process leaves it that ends between the change and the cut that follows from it
    const { cloud: _reported, ...reported } = record.reported;
    first.store.saveDeployment({ ...record, reported });
    first.store.close();

    const second = await controlRig({ folder: first.folder });
    try {
      const { durable, rollout } = second.control.deployments.get(session.id);
      assert.deepEqual([durable.version, durable.cloud], [record.version + 1, undefined]);
      assert.deepEqual([durable.cut!.endLayers, rollout.roles.length], [[0, 1, 2, 3], 2]);
      const [row] = second.control.operations.history(session.id, { limit: 1 });
      assert.deepEqual([row?.reason, row?.versionAfter], ['tiers', durable.version]);
      const back = second.connect('camera', 'end');
      assert.deepEqual(
        back.cuts.map(({ version, phase }) => [version, phase]),
        [[durable.version, 'active']],
      );
    } finally {
      await second.halt();
      await rm(first.folder, { recursive: true, force: true });
    }
  });

  it('takes the edge for gone when the time to come back is over', async () => {
    const first = await controlRig();
    const { end, session } = await deployed(first);
    first.control.fleet.telemetry('camera', end, 1, quickLink);
    await until(() => session.durable.version === 2);
    await first.halt();
    const second = await controlRig({ folder: first.folder, settings: { restartGraceMs: 300 } });
    try {
      const restored = second.control.deployments.get(session.id);
      const back = second.connect('camera', 'end');
      second.control.fleet.telemetry('camera', back, 1, quickLink);
      await until(() => restored.durable.version === 3);
      assert.deepEqual(endLayers(restored), [0, 1, 2, 3]);
      assert.equal(restored.lastDecision?.reason, 'restart');
    } finally {
      await second.halt();
      await rm(first.folder, { recursive: true, force: true });
    }
  });
});
