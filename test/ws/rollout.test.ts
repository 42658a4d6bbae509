import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { DeploymentSession } from '../../src/control/deploymentSession.js';
import { bearer } from '../support/credentials.js';
import { quickLink, slowLink, testSettings, until } from '../support/controlRig.js';
import { restClient } from '../support/restClient.js';
import { edgeHello, endHello, serviceRig, type ServiceRig } from '../support/serviceRig.js';

const prepares = { capabilities: ['prepare', 'sing'] };
const decisions = { ...testSettings.decisions, prepareTimeoutMs: 800, retryMs: 500, maxRetryMs: 2_000 };

type Device = Awaited<ReturnType<ServiceRig['device']>>;

describe('a cut on its way to two devices', () => {
  let rig: ServiceRig;
  let end: Device;
  let edge: Device;
  let session: DeploymentSession;
  let deploymentId: string;
  let sequence = 0;

  beforeEach(async () => {
    rig = await serviceRig({ settings: { decisions } });
    const { id, done } = await rig.upload();
    await done;
    end = await rig.device({ ...endHello, ...prepares });
    edge = await rig.device({ ...edgeHello, ...prepares });
    await Promise.all([end.next('welcome'), edge.next('welcome')]);
    session = rig.control.operations.deploy({
      modelId: id,
      end: { deviceId: 'camera' },
      edge: { deviceId: 'edge' },
      requirements: {},
    });
    deploymentId = session.id;
    // the first cut has no link to use: all on the end device, in one frame, without a phase before
    assert.deepEqual(seen(await end.next('cut')), [1, 'active']);
    say(end, 'ack', 1);
    await until(() => session.rollout.phase === 'active');
  });
  afterEach(async () => {
    await rig.dispose();
    assert.deepEqual(rig.failures, [], 'nothing is thrown inside of socket callbacks');
  });

  const say = (device: Device, type: string, version: number, more: object = {}) =>
    device.send({ type, deploymentId, version, ...more });
  const seen = (cut: Record<string, unknown>) => [cut['version'], cut['phase']];
  const last = (device: Device) => {
    const cut = device.of('cut').at(-1);
    return cut === undefined ? null : seen(cut);
  };
  const hears = (device: Device, version: number, phase: string) =>
    until(() => String(last(device)) === `${version},${phase}`, `cut ${version} ${phase}`);
  const measures = (values: object) => end.send({ type: 'telemetry', sequence: ++sequence, ...values });
  const read = async (address: string): Promise<unknown> =>
    (await fetch(`${rig.origin}${address}`, { headers: bearer(rig.adminKey) })).json();
  const view = async () => {
    return (await read(`/v1/deployments/${deploymentId}`)) as {
      version: number;
      rollout: {
        phase: string;
        desired: number;
        lastGood: number;
        tiers: Record<
          'end' | 'edge',
          { reported: number | null; prepared: number | null; fallback: object | null }
        >;
        rejected: { endLayerCount: number; code: string; count: number; retryAtMs: number }[];
      };
      corrections: Record<string, number> | null;
    };
  };
  /** Everything on the edge, active as version 2. */
  const onEdge = async () => {
    measures(quickLink);
    for (const device of [end, edge]) await hears(device, 2, 'prepare');
    for (const device of [end, edge]) say(device, 'prepared', 2);
    for (const device of [end, edge]) await hears(device, 2, 'active');
    for (const device of [end, edge]) say(device, 'ack', 2);
    await until(() => session.rollout.phase === 'active');
  };

  it('is prepared on both before either is told to switch, and is the last good one then', async () => {
    measures(quickLink);
    await hears(end, 2, 'prepare');
    await hears(edge, 2, 'prepare');
    say(end, 'prepared', 2);
    await until(() => session.rollout.tiers.end.prepared);
    assert.deepEqual(
      [last(end), last(edge)],
      [
        [2, 'prepare'],
        [2, 'prepare'],
      ],
    );
    const preparing = (await view()).rollout;
    assert.deepEqual([preparing.phase, preparing.desired, preparing.lastGood], ['preparing', 2, 1]);
    assert.deepEqual(preparing.tiers.end, { reported: 1, prepared: 2, fallback: null });
    say(edge, 'prepared', 2);
    await hears(end, 2, 'active');
    await hears(edge, 2, 'active');
    for (const device of [end, edge]) say(device, 'ack', 2);
    await until(() => session.durable.lastGood?.version === 2);
    assert.equal(rig.store.deployments()[0]?.lastGood?.version, 2, 'in the database');
    assert.equal((await view()).rollout.phase, 'active');
  });

  it('gives way to the last good one when a device refuses it, and is tried again after a while', async () => {
    measures(quickLink);
    await hears(edge, 2, 'prepare');
    say(edge, 'nack', 2, { code: 'no-memory', message: 'too big' });
    await hears(end, 3, 'active');
    say(end, 'ack', 3);
    await until(() => session.rollout.lastGood?.version === 3);
    const { rollout } = await view();
    assert.equal(rollout.tiers.edge.reported, null, 'the nack named no version that still runs');
    const [refused] = rollout.rejected;
    assert.deepEqual([refused?.endLayerCount, refused?.code, refused?.count], [0, 'no-memory', 1]);
    const [back] = rig.control.operations.history(deploymentId, { limit: 1 });
    assert.deepEqual([back?.reason, back?.switching?.kept?.why], ['nack', 'set-aside']);
    assert.deepEqual(back?.cutAfter.endLayers, [0, 1, 2, 3]);
    assert.deepEqual(back?.decision.endLayers, [], 'what would be best is told all the same');
    measures({ ...quickLink, uplinkBitsPerSecond: 9e8 });
    await until(() => session.lastDecision?.context.hops[0]?.uplinkBitsPerSecond === 9e8);
    assert.equal(session.current.version, 3, 'the same cut would be best, and is left alone');
    await hears(edge, 4, 'prepare'); // no telemetry any more: the end of the wait is enough
    assert.equal(session.lastDecision?.reason, 'retry');
    for (const device of [end, edge]) say(device, 'prepared', 4);
    for (const device of [end, edge]) await hears(device, 4, 'active');
    for (const device of [end, edge]) say(device, 'ack', 4);
    await until(() => session.rollout.lastGood?.version === 4);
    assert.deepEqual((await view()).rollout.rejected, [], 'it works: nothing is held against it');
    const asides = rig.recorded.of('cutSetAside').map(([{ cause, waitMs }]) => [cause, waitMs]);
    assert.deepEqual(asides, [['nack', 500]]);
  });

  it('gives way when a device is silent, ever longer', async () => {
    measures(quickLink);
    await hears(end, 2, 'prepare');
    say(end, 'prepared', 2);
    await hears(end, 3, 'active');
    say(end, 'ack', 3);
    await hears(end, 4, 'prepare');
    say(end, 'prepared', 4);
    await hears(end, 5, 'active');
    const asides = rig.recorded.of('cutSetAside').map(([{ code, count, waitMs }]) => [code, count, waitMs]);
    assert.deepEqual(asides, [
      ['prepare-timeout', 1, 500],
      ['prepare-timeout', 2, 1_000],
    ]);
  });

  it('is sent again where there is nothing else, and says so meanwhile', async () => {
    await onEdge();
    edge.socket.terminate();
    await hears(end, 3, 'active');
    const before = end.of('cut').length;
    say(end, 'nack', 3, { code: 'busy', running: 2 });
    await until(() => session.rollout.phase === 'rejected');
    assert.equal((await view()).rollout.tiers.end.reported, 2);
    await end.next('cut', before + 1);
    assert.deepEqual(last(end), [3, 'active'], 'the same version');
    say(end, 'ack', 3);
    await until(() => session.rollout.phase === 'active');
    assert.equal(rig.recorded.of('cutSetAside').length, 0);
  });

  it('is sent again where no ack comes', async () => {
    await onEdge();
    measures(slowLink);
    await hears(end, 3, 'active');
    const before = end.of('cut').length;
    await end.next('cut', before + 1);
    assert.deepEqual(last(end), [3, 'active']);
    assert.ok(rig.recorded.of('cutSentAgain').length > 0);
  });

  it('gives way at once to a newer one; answers to the older change nothing', async () => {
    measures(quickLink);
    await hears(end, 2, 'prepare');
    measures(slowLink);
    await hears(end, 3, 'active');
    say(end, 'prepared', 2);
    say(edge, 'nack', 2, { code: 'late', running: 1 });
    say(end, 'ack', 3);
    await until(() => session.rollout.lastGood?.version === 3);
    assert.deepEqual(session.setAsides.list(), []);
  });

  it('stands while a device runs its safe local cut in place of it, and that is shown', async () => {
    await onEdge();
    say(end, 'fallback', 2, { reason: 'edge-lost' });
    await until(() => session.rollout.tiers.end.fallback !== null);
    assert.deepEqual((await view()).rollout.tiers.end.fallback, { version: 2, reason: 'edge-lost' });
    say(end, 'ack', 2);
    await until(() => session.rollout.tiers.end.fallback === null);
    await end.end();
    const running = [{ deploymentId, version: 2, fallback: true }];
    const back = await rig.device({ ...endHello, ...prepares, running });
    assert.deepEqual(seen(await back.next('cut')), [2, 'active']);
    const again = await rig.device({ ...endHello, ...prepares, running: [{ deploymentId, version: 2 }] });
    assert.equal((await again.next('current'))['version'], 2);
    assert.deepEqual(again.of('cut'), []);
  });

  it('is corrected by what devices measure of it, as long as it is the active one', async () => {
    await onEdge();
    const { prediction } = session.lastDecision!.decision;
    say(end, 'measurement', 1, { count: 5, uplinkSeconds: 50 });
    say(end, 'measurement', 2, {
      count: 5,
      edgeSeconds: 2 * prediction.tierSeconds[1]!,
      downlinkSeconds: null,
      latencySeconds: 1,
    });
    await until(() => session.correction.ratios !== null);
    const { corrections } = await view();
    assert.deepEqual(Object.keys(corrections!), ['edge'], 'of the version before nothing is learned');
    assert.ok(Math.abs(corrections!['edge']! - 2 ** (1 - 2 ** (-1 / 8))) < 1e-9);
    await until(() => session.lastDecision?.corrections !== null);
    assert.equal(session.lastDecision?.context.tiers[1]?.slowdown, corrections!['edge']);
    // the link is a hundred times slower in truth: soon nothing is worth sending
    for (let n = 0; n < 40 && session.current.version === 2; n++) {
      say(end, 'measurement', 2, { count: 1, uplinkSeconds: 100 * prediction.uplinkSeconds[0]! });
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await until(() => session.durable.version > 2);
    assert.equal(session.lastDecision?.reason, 'measurement');
    const [row] = rig.control.operations.history(deploymentId, { limit: 1 });
    assert.ok(row!.corrections!.uplink! > 2, 'the decision says by what it was corrected');
  });

  it('shows what a device says that it can do', async () => {
    const device = (await read('/v1/devices/camera')) as { capabilities: string[] };
    assert.deepEqual(device.capabilities, ['prepare', 'sing']);
    const rest = await restClient(rig.origin);
    await rest.get(`/v1/deployments/${deploymentId}`); // it is what the OpenAPI document says
  });
});
