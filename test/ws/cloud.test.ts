/* eslint-disable @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-argument, @typescript-eslint/no-unsafe-assignment, @typescript-eslint/no-unsafe-call -- answers are held against the OpenAPI document as they come, not against types */
import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { DeploymentSession } from '../../src/control/deploymentSession.js';
import { placementOfCut } from '../../src/control/storedCut.js';
import type { Context } from '../../src/core/context.js';
import type { Decision } from '../../src/core/decision.js';
import { scaledSeconds } from '../../src/core/profile.js';
import type { DecisionDocument } from '../../src/schema/decisionDocument.js';
import { graphDocument } from '../../src/schema/graphDocument.js';
import { quickLink, until } from '../support/controlRig.js';
import { restClient, type RestClient } from '../support/restClient.js';
import { runCutpoint } from '../support/runCutpoint.js';
import { edgeHello, endHello, serviceRig, type ServiceRig } from '../support/serviceRig.js';

type Device = Awaited<ReturnType<ServiceRig['device']>>;

const prepares = { capabilities: ['prepare'] };
const ratios = { end: 4, edge: 0.5, cloud: 0.05 };
const all = [0, 1, 2, 3];
const power = { computeWatts: 4, transmitWatts: 2, receiveWatts: 1, idleWatts: 0.5 };
const hellos = {
  end: { ...endHello, ...prepares, power, batteryCapacityJoules: 1_000 },
  edge: { ...edgeHello, ...prepares },
  cloud: { deviceId: 'cloud', role: 'cloud', computeRatio: ratios.cloud, ...prepares },
};

/** Links at which each tier has its share. */
const uplinks = {
  end: { uplinkBitsPerSecond: 5e7, downlinkBitsPerSecond: 5e7, rttSeconds: 0.001 },
  edge: { uplinkBitsPerSecond: 2e7, downlinkBitsPerSecond: 2e7, rttSeconds: 0.001 },
};

describe('a deployment on an end device, an edge and a cloud', () => {
  let rig: ServiceRig;
  let rest: RestClient;
  let end: Device;
  let edge: Device;
  let cloud: Device;
  let session: DeploymentSession;
  let modelId: string;
  const decided: { readonly context: Context; readonly decision: Decision }[] = [];
  const sequences = new Map<Device, number>();
  /** They load nothing. */
  const refusing = new Set<Device>();

  const measures = (device: Device, values: object) => {
    const sequence = (sequences.get(device) ?? 0) + 1;
    sequences.set(device, sequence);
    device.send({ type: 'telemetry', sequence, ...values });
  };
  /** Does as it is told. */
  const obeys = async (role: keyof typeof hellos, deviceId?: string): Promise<Device> => {
    const device = await rig.device({ ...hellos[role], ...(deviceId === undefined ? {} : { deviceId }) });
    device.socket.on('message', (data: Buffer) => {
      const { type, deploymentId, version, phase } = JSON.parse(data.toString()) as Record<string, unknown>;
      if (type !== 'cut') return;
      const answer = { deploymentId, version };
      if (phase !== 'prepare') device.send({ type: 'ack', ...answer });
      else if (!refusing.has(device)) device.send({ type: 'prepared', ...answer });
      else device.send({ type: 'nack', ...answer, code: 'no-memory' });
    });
    await device.next('welcome');
    return device;
  };
  const placed = () => {
    const cut = session.durable.cut;
    return cut === null ? null : { end: cut.endLayers, edge: cut.edgeLayers };
  };
  /** Waits for that cut to be active everywhere it has to be, and keeps the decision for comparison. */
  const settles = async (onEnd: readonly number[], onEdge: readonly number[]) => {
    const wanted = JSON.stringify({ end: onEnd, edge: onEdge });
    await until(
      () => JSON.stringify(placed()) === wanted,
      `${wanted} instead of ${JSON.stringify(placed())}`,
    );
    await until(() => session.rollout.phase === 'active', 'an active rollout');
    keeps();
  };
  /** Two layers on the end device, one on each of the others. */
  const onAllThree = async () => {
    measures(end, uplinks.end);
    measures(edge, uplinks.edge);
    measures(cloud, {});
    await settles([0, 1], [2]);
  };
  const keeps = () => {
    const { context, decision } = session.lastDecision!;
    decided.push({ context, decision });
  };

  before(async () => {
    rig = await serviceRig();
    rest = await restClient(rig.origin);
    const { id, done } = await rig.upload();
    await done;
    modelId = id;
    [end, edge, cloud] = await Promise.all([obeys('end'), obeys('edge'), obeys('cloud')]);
  });
  after(async () => {
    await rig.dispose();
    assert.deepEqual(rig.failures, [], 'nothing is thrown inside of socket callbacks');
  });

  it('is made of three devices, and of no two that are one', async () => {
    const good = {
      modelId,
      end: { deviceId: 'camera' },
      edge: { deviceId: 'edge' },
      cloud: { deviceId: 'cloud' },
    };
    const refused: [object, string][] = [
      [{ ...good, cloud: { deviceId: 'edge' } }, 'cloud.deviceId'],
      [{ ...good, cloud: { deviceId: 'camera' } }, 'cloud.deviceId'],
      [{ ...good, cloud: { deviceId: 'cloud', profileId: 'none' } }, 'cloud.profileId'],
      [{ ...good, requirements: { weightBytes: [1, 1, 1, 1] } }, 'requirements.weightBytes'],
      [{ ...good, cloud: undefined, requirements: { memoryBytes: [1, 1, 1] } }, 'requirements.memoryBytes'],
    ];
    for (const [body, field] of refused) {
      const { status, body: problem } = await rest.post('/v1/deployments', body);
      assert.ok(status === 400 || status === 422, JSON.stringify(problem));
      assert.deepEqual(
        problem.errors.map((error: { field: string }) => error.field),
        [field],
      );
    }
    const created = await rest.post('/v1/deployments', good);
    assert.equal(created.status, 201, JSON.stringify(created.body));
    session = rig.control.deployments.get(created.body.id as string);
    await settles(all, []);
    assert.deepEqual(session.lastDecision!.context.hops, [{ connected: true }, { connected: true }]);
    const { body: view } = await rest.get(`/v1/deployments/${session.id}`);
    assert.deepEqual([view.cloud, view.endLayerCount, view.edgeLayerCount], [{ deviceId: 'cloud' }, 4, 0]);
    assert.deepEqual(
      view.secondsSources.map((source: { computeRatio: number }) => source.computeRatio),
      [4, 0.5, 0.05],
    );
    for (const id of ['camera', 'edge', 'cloud']) {
      assert.deepEqual((await rest.get(`/v1/devices/${id}`)).body.deployments, [session.id]);
    }
    assert.deepEqual(rig.store.deployments()[0]?.cloud, { deviceId: 'cloud' });
  });

  it('moves from end device to edge to cloud and back as links and loads change', async () => {
    measures(end, quickLink);
    await settles([], all);
    measures(edge, quickLink);
    await settles([], []);
    assert.equal(session.rollout.tiers.cloud.reported, session.durable.version);
    measures(cloud, { slowdown: 200 });
    await settles([], all);
    measures(cloud, { slowdown: 1 });
    await settles([], []);
    measures(cloud, { queueLength: 50, meanServiceSeconds: 0.01 });
    await settles([], all);
    assert.equal(session.lastDecision!.context.hops[1]?.queueSeconds, 0.5);
  });

  it('tells each tier what runs there and what crosses', async () => {
    await onAllThree();
    const { version } = session.durable;
    for (const [tier, device] of Object.entries({ end, edge, cloud })) {
      const cut = device.of('cut').at(-1)!;
      assert.deepEqual([cut['tier'], cut['version'], cut['phase']], [tier, version, 'active']);
      assert.deepEqual([cut['endLayers'], cut['edgeLayers'], cut['layerCount']], [[0, 1], [2], 4]);
      const names = (list: unknown) => (list as { name: string }[]).map(({ name }) => name);
      assert.deepEqual([names(cut['tensors']), names(cut['edgeTensors'])], [['t2'], ['t3']]);
      const phases = device.of('cut').flatMap((one) => (one['version'] === version ? one['phase'] : []));
      assert.deepEqual(phases, ['prepare', 'active']);
    }
    // what is reported is shown when it is in the store
    await until(() => session.durable.reported.cloud === version && session.durable.reported.end === version);
    const { body: view } = await rest.get(`/v1/deployments/${session.id}`);
    assert.deepEqual([view.endLayerCount, view.edgeLayerCount, view.layerCount], [2, 1, 4]);
    assert.deepEqual(view.reported, { end: version, edge: version, cloud: version });
    assert.deepEqual(Object.keys(view.rollout.tiers as object), ['end', 'edge', 'cloud']);
  });

  it('needs an edge that only passes data on', async () => {
    measures(edge, { ...uplinks.edge, slowdown: 20 });
    await settles([0, 1], []);
    assert.equal(session.rollout.tiers.edge.reported, session.durable.version);
    assert.deepEqual(session.durable.cut!.edgeTensors, ['t2']);
    await onAllThree();
  });

  it('shows operators why, what else would cost, and from where to where it holds', async () => {
    const { body: cut } = await rest.get(`/v1/deployments/${session.id}/cut`);
    assert.deepEqual([cut.endLayers, cut.edgeLayers], [[0, 1], [2]]);
    assert.deepEqual(cut.edgeTensors, [{ name: 't3', bytes: 4_000 }]);
    assert.equal(cut.prediction.tierSeconds.length, 3);
    assert.ok(cut.why.cloudOnly.prediction.latencySeconds > cut.prediction.latencySeconds);
    assert.deepEqual([cut.why.cloudOnly.edgeLayers, cut.why.edgeOnly.edgeLayers], [[], all]);
    const { body: ranged } = await rest.get(`/v1/deployments/${session.id}/ranges`);
    const range = ranged.ranges.find(
      ({ value }: { value: string }) => value === 'hops[1].uplinkBitsPerSecond',
    );
    assert.ok(range.from > 0 && range.from < uplinks.edge.uplinkBitsPerSecond);
    const { body: listed } = await rest.get(`/v1/deployments/${session.id}/alternatives?limit=3`);
    assert.deepEqual(
      listed.alternatives.map(({ edgeLayers }: { edgeLayers: unknown }) => Array.isArray(edgeLayers)),
      [true, true, true],
    );
    const ask = (context: object) => rest.post(`/v1/deployments/${session.id}/what-if`, { context });
    const same = await ask(cut.context as object);
    assert.deepEqual([same.status, same.body.isPresentCut, same.body.edgeLayers], [200, true, [2]]);
    const [hop] = cut.context.hops;
    // the end device's half stays, only what is above it moves
    const closer = await ask({ ...cut.context, hops: [hop, { ...quickLink, rttSeconds: 1e-5 }] });
    assert.deepEqual([closer.body.endLayers, closer.body.edgeLayers], [[0, 1], []]);
    assert.equal(closer.body.isPresentCut, false);
    const two = await ask({ tiers: [{}, {}], hops: [hop], requirements: {} });
    assert.deepEqual([two.status, two.body.errors[0].field], [422, 'context']);
    const { body: history } = await rest.get(`/v1/deployments/${session.id}/decisions?limit=100`);
    assert.ok(history.decisions.some((row: { cutAfter: object }) => 'edgeLayers' in row.cutAfter));
  });

  it('is corrected by what the edge measures of the link to the cloud, and of the cloud', async () => {
    const { decision } = session.lastDecision!;
    const [, , cloudSeconds] = decision.prediction.tierSeconds;
    edge.send({
      type: 'measurement',
      deploymentId: session.id,
      version: session.durable.version,
      count: 3,
      cloudSeconds: 1.5 * cloudSeconds!,
      edgeUplinkSeconds: 1.5 * decision.prediction.uplinkSeconds[1]!,
      edgeDownlinkSeconds: 1.5 * decision.prediction.downlinkSeconds[1]!,
    });
    await until(() => session.lastDecision!.corrections?.cloud !== undefined);
    const expected = 1.5 ** (1 - 2 ** (-1 / 8));
    const { context, corrections } = session.lastDecision!;
    for (const stage of ['cloud', 'edgeUplink', 'edgeDownlink'] as const) {
      assert.ok(Math.abs(corrections![stage]! - expected) < 1e-9, stage);
    }
    assert.equal(context.tiers[2]!.slowdown, corrections!.cloud);
    const { uplinkBitsPerSecond } = uplinks.edge;
    assert.equal(context.hops[1]!.uplinkBitsPerSecond, uplinkBitsPerSecond / corrections!.edgeUplink!);
    const { body: view } = await rest.get(`/v1/deployments/${session.id}`);
    assert.deepEqual(view.corrections, corrections);
    keeps();
  });

  it('goes on with two tiers when the cloud is lost, and alone when the edge is', async () => {
    cloud.socket.terminate();
    await settles([0, 1], [2, 3]);
    assert.equal(session.lastDecision!.context.hops[1]!.connected, false);
    edge.socket.terminate();
    await settles(all, []);
    assert.equal(session.rollout.tiers.end.reported, session.durable.version);
    [edge, cloud] = await Promise.all([obeys('edge'), obeys('cloud')]);
    sequences.clear();
    sequences.set(end, 1_000);
    await settles([0, 1], [2]);
  });

  it('goes back to the last good cut when the cloud refuses, and tries again after a while', async () => {
    measures(cloud, { slowdown: 200 });
    await settles([0, 1], [2, 3]);
    const { version } = session.durable;
    refusing.add(cloud);
    measures(cloud, { slowdown: 1 });
    await until(() => session.durable.version === version + 2, 'the way back');
    assert.deepEqual(placed(), { end: [0, 1], edge: [2, 3] });
    const [row] = rig.control.operations.history(session.id, { limit: 1 });
    assert.deepEqual([row?.reason, row?.switching?.kept?.why], ['nack', 'set-aside']);
    const { body: view } = await rest.get(`/v1/deployments/${session.id}`);
    const [rejected] = view.rollout.rejected;
    assert.deepEqual([rejected.endLayerCount, rejected.edgeLayerCount, rejected.code], [2, 1, 'no-memory']);
    const asides = rig.recorded.of('cutSetAside').map(([{ role, code, count }]) => [role, code, count]);
    assert.deepEqual(asides, [['cloud', 'no-memory', 1]]);
    refusing.clear();
    await settles([0, 1], [2]);
    assert.equal(session.lastDecision!.reason, 'retry');
  });

  it('follows requirements at run time, every bound and objective, as a deployment of two tiers does', async () => {
    const { body: created } = await rest.post('/v1/deployments', {
      modelId,
      end: { deviceId: 'camera' },
      edge: { deviceId: 'edge' },
    });
    const twoTiers = rig.control.deployments.get(created.id as string);
    measures(end, { ...uplinks.end, battery: { level: 0.5, charging: false } });
    await until(() => [session, twoTiers].every((one) => one.lastDecision?.context.battery !== undefined));
    const asked: object[] = [
      { latencySeconds: 0.05 },
      { latencySeconds: null, energyJoulesPerInference: 0.25 },
      { energyJoulesPerInference: null, batteryLifetimeSeconds: 3_600, inferencesPerSecond: 1 },
      { batteryLifetimeSeconds: null, inferencesPerSecond: null, bytesSent: 10_000 },
      { bytesSent: null, accuracyLoss: 0 },
      { accuracyLoss: null, privacyDepth: 3 },
      { privacyDepth: null, weightBytes: [1e6, 2_000] },
      { weightBytes: null, memoryBytes: [1e9, 1e3] },
      { memoryBytes: null, switchSeconds: 0.2 },
      { switchSeconds: null, objective: 'energy' },
      { objective: 'throughput' },
      { objective: { perLatencySecond: 1, perEnergyJoule: 0.5, perBottleneckSecond: 2 } },
      { objective: 'latency' },
      { objective: null },
    ];
    let excludedCount = 0;
    for (const requirements of asked) {
      for (const one of [session, twoTiers]) {
        const { status, body } = await rest.patch(`/v1/deployments/${one.id}`, { requirements });
        assert.equal(status, 200, JSON.stringify(body));
        await until(() => one.lastDecision!.context.requirements === one.current.requirements);
        assert.equal(one.status.kind, 'active');
        const { context, decision } = one.lastDecision!;
        decided.push({ context, decision });
        if (one.current.requirements.bytesSent === undefined) continue; // holding answers against the document takes its time
        const shown = await rest.get(`/v1/deployments/${one.id}/cut`);
        assert.equal(shown.status, 200, JSON.stringify([requirements, shown.body]));
        excludedCount += shown.body.why.excluded.length;
      }
    }
    assert.ok(excludedCount > 0, 'bounds rule better cuts out, and operators see which');
    const ofThree = { requirements: { memoryBytes: [1e9, 1e9, 1e3] } };
    assert.equal((await rest.patch(`/v1/deployments/${twoTiers.id}`, ofThree)).status, 422);
    assert.equal((await rest.patch(`/v1/deployments/${session.id}`, ofThree)).status, 200);
    await settles([0, 1], [2, 3]);
    assert.equal(
      (await rest.patch(`/v1/deployments/${twoTiers.id}`, { cloud: { computeRatio: 1 } })).status,
      422,
    );
    const slower = await rest.patch(`/v1/deployments/${session.id}`, {
      cloud: { computeRatio: 3 },
      requirements: { memoryBytes: null },
    });
    assert.deepEqual(slower.body.cloud, { deviceId: 'cloud', computeRatio: 3 });
    await until(
      () => session.basis?.sources[2]?.kind === 'scaled' && session.basis.wholeModelSeconds[2]! > 0.1,
    );
    assert.equal((await rest.delete(`/v1/deployments/${twoTiers.id}`)).status, 204);
  });

  it('gets a cloud while it runs, another one, and loses it again', async () => {
    const { body: created } = await rest.post('/v1/deployments', {
      modelId,
      end: { deviceId: 'camera' },
      edge: { deviceId: 'edge' },
    });
    const other = session;
    session = rig.control.deployments.get(created.id as string);
    const patch = (cloudChange: object | null) =>
      rest.patch(`/v1/deployments/${session.id}`, { cloud: cloudChange });
    measures(edge, uplinks.edge);
    const settledOn = async (
      onEnd: readonly number[],
      onEdge: readonly number[],
      onCloud: readonly number[],
      isCompared = true,
    ) => {
      const wanted = onEnd
        .map(() => 0)
        .concat(
          onEdge.map(() => 1),
          onCloud.map(() => 2),
        )
        .join();
      const present = () => placementOfCut(session.durable.cut!).join();
      await until(() => session.durable.cut !== null && present() === wanted, wanted);
      await until(() => session.rollout.phase === 'active', 'an active rollout');
      if (isCompared) keeps();
    };
    await settledOn([0, 1], [2, 3], []);
    const refused: [object, string][] = [
      [{ computeRatio: 1 }, 'cloud.deviceId'],
      [{ deviceId: 'nobody' }, 'cloud.deviceId'],
      [{ deviceId: 'edge' }, 'cloud.deviceId'],
      [{ deviceId: 'cloud', profileId: 'none' }, 'cloud.profileId'],
      [{ deviceId: 7 }, 'cloud.deviceId'],
    ];
    for (const [change, field] of refused) {
      const { status, body } = await patch(change);
      assert.ok(status === 400 || status === 422, JSON.stringify(body));
      assert.equal(body.errors[0].field, field, JSON.stringify(body));
    }
    const before = cloud.of('cut').length;
    assert.deepEqual((await patch({ deviceId: 'cloud' })).body.cloud, { deviceId: 'cloud' });
    await settledOn([0, 1], [2], [3]);
    assert.ok(cloud.of('cut').length > before);
    await until(() => session.durable.lastGood?.cut.edgeLayers?.length === 1);

    const second = await obeys('cloud', 'cloud-2');
    const { version } = session.durable;
    const { body: moved } = await patch({ deviceId: 'cloud-2', computeRatio: 0.06 });
    assert.deepEqual(moved.cloud, { deviceId: 'cloud-2', computeRatio: 0.06 });
    await until(() => cloud.of('removed').some(({ deploymentId }) => deploymentId === session.id));
    const rows = rig.control.operations.history(session.id, { limit: 1_000 });
    const retreat = rows.find(({ reason }) => reason === 'tiers')!;
    assert.deepEqual([retreat.versionAfter, retreat.cutAfter.endLayers], [version + 1, all]);
    assert.equal(retreat.switching!.kept!.prediction.tierSeconds[2], 0);
    const told = rig.recorded.of('decision').filter(([{ reason }]) => reason === 'tiers');
    assert.deepEqual(
      told.map(([{ version: to, changed }]) => [to, changed]),
      [[version + 1, true]],
    );
    assert.ok(end.of('cut').some((cut) => cut['version'] === version + 1 && cut['phase'] === 'active'));
    await settledOn([0, 1], [2], [3], false);
    assert.ok(second.of('cut').some((cut) => cut['tier'] === 'cloud' && cut['phase'] === 'active'));
    assert.deepEqual((await rest.get('/v1/devices/cloud')).body.deployments, [other.id]);

    const { body: two } = await patch(null);
    assert.deepEqual(
      [two.cloud, two.reported.cloud, two.rollout.tiers.cloud],
      [undefined, undefined, undefined],
    );
    await settledOn([0, 1], [2, 3], []);
    assert.equal(session.lastDecision!.context.tiers.length, 2);
    assert.equal(rig.store.deployments().find(({ id }) => id === session.id)!.cloud, undefined);
    await until(() => second.of('removed').length === 1);
    assert.equal((await rest.delete(`/v1/deployments/${session.id}`)).status, 204);
    session = other;
  });

  it('decided all along what `cutpoint decide` decides in the same contexts', async () => {
    const graph = session.model.graph!;
    const { profile } = rig.control.profiles.ofModel(modelId)[0]!;
    const tierRatios = Object.values(ratios);
    for (const tierCount of [2, 3]) {
      const made = decided.filter(({ context }) => context.tiers.length === tierCount);
      assert.ok(made.length > 10);
      const file = join(rig.folder, `graph-${tierCount}.json`);
      const document = graphDocument({
        graph,
        modelSha256: profile.modelSha256,
        tiers: tierRatios.slice(0, tierCount).map((ratio) => scaledSeconds(profile, ratio)),
        machine: profile.machine,
        options: profile.options,
        wholeModel: profile.wholeModel,
        layerSpreads: profile.layers,
        states: { valid: null, kept: 0 },
      });
      await writeFile(file, JSON.stringify(document));
      const args = ['decide', file, '--context', '-', '--algorithm', 'exhaustive', '--json'];
      const ran = await runCutpoint(args, JSON.stringify(made.map(({ context }) => context)));
      assert.equal(ran.code, 0, ran.stderr);
      (JSON.parse(ran.stdout) as DecisionDocument[]).forEach((oracle, index) => {
        const { decision, context } = made[index]!;
        const what = JSON.stringify([context, oracle.endLayers, oracle.edgeLayers, decision.placement]);
        const gap = Math.abs(decision.objectiveValue - oracle.objectiveValue);
        assert.ok(gap <= 1e-9 * oracle.objectiveValue, what);
        assert.deepEqual(
          decision.violations.map(({ constraint }) => constraint),
          oracle.violations.map(({ constraint }) => constraint),
          what,
        );
      });
      await rm(file);
    }
  });

  it('is gone for the cloud too when it is deleted', async () => {
    assert.equal((await rest.delete(`/v1/deployments/${session.id}`)).status, 204);
    for (const device of [end, edge, cloud]) {
      assert.ok((await device.next('removed'))['deploymentId'] !== undefined);
      await until(() => device.of('removed').some(({ deploymentId }) => deploymentId === session.id));
    }
  });
});
