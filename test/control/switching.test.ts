import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { DeviceView } from '../../src/control/deploymentContext.js';
import { DeploymentSession } from '../../src/control/deploymentSession.js';
import { costInForce, switchSecondsOf } from '../../src/control/switching.js';
import type { Context } from '../../src/core/context.js';
import { createPartitioner } from '../../src/core/createPartitioner.js';
import { endLayersOf } from '../../src/core/cut.js';
import type { Partitioner } from '../../src/core/partitioner.js';
import { DefaultPolicy } from '../../src/core/policy/defaultPolicy.js';
import { defaultParameters } from '../../src/core/policy/parameters.js';
import { replayPolicy } from '../../src/core/replay/replay.js';
import { buildStateGraph } from '../../src/core/stateGraph.js';
import { controlRig, deployed, endLayers, quickLink, slowLink, until } from '../support/controlRig.js';
import { smallImporter } from '../support/smallModel.js';

const imported = await smallImporter().import(`/${'a'.repeat(64)}.onnx`, {} as never, {});
const { graph } = imported;
const seconds = imported.profile.layers.map((layer) => layer.medianSeconds);
const tier = (ratio: number) => ({
  seconds: seconds.map((each) => each * ratio),
  source: { kind: 'scaled' as const, machineId: 'controller', computeRatio: ratio },
});
const partitioner = createPartitioner(buildStateGraph({ graph, tiers: [tier(4), tier(0.5)] }, 1000));
const deviceOnly = seconds.map(() => 0);

/** A session on a clock of the test, with searches counted. */
function session(switchSeconds: number | undefined) {
  let searches = 0;
  let nowNanoseconds = 0n;
  const counted: Partitioner = {
    stateCount: partitioner.stateCount,
    decide: (context, present, found) => {
      searches++;
      return partitioner.decide(context, present, found);
    },
    confirmed: (context, placement) => partitioner.confirmed(context, placement),
    predict: (context, placement) => partitioner.predict(context, placement),
    ranges: (context, decision) => partitioner.ranges(context, decision),
    thorough: (context, present) => partitioner.thorough(context, present),
    alternatives: (context, limit) => partitioner.alternatives(context, limit),
  };
  const one = new DeploymentSession(
    {
      id: 'd',
      modelId: 'm',
      end: { deviceId: 'camera' },
      edge: { deviceId: 'edge' },
      requirements: {},
      version: 0,
      cut: null,
      reported: { end: null, edge: null },
      lastGood: null,
      createdAtMs: 0,
      updatedAtMs: 0,
    },
    {
      id: 'm',
      name: 'small',
      sha256: 'a'.repeat(64),
      sizeBytes: 1,
      status: 'ready',
      error: null,
      graph,
      options: imported.profile.options,
      createdAtMs: 0,
    },
    null,
    0,
  );
  one.basis = {
    key: 'k',
    lease: { key: 'k', partitioner: Promise.resolve(counted), release: () => undefined } as never,
    partitioner: counted,
    sources: [tier(4).source, tier(0.5).source],
    wholeModelSeconds: [0.256, 0.032],
  };
  const view = (role: 'end' | 'edge', telemetry: DeviceView['telemetry'], connected = true) => ({
    description: { role, ...(switchSeconds === undefined ? {} : { switchSeconds }) },
    telemetry,
    connected,
    seenSinceStart: true,
  });
  return {
    one,
    get searches() {
      return searches;
    },
    /** One frame of the end device, a second after the one before. */
    frame(uplinkBitsPerSecond: number, connected = true) {
      nowNanoseconds += 1_000_000_000n;
      const link = { uplinkBitsPerSecond, downlinkBitsPerSecond: 1e8, rttSeconds: 0.01 };
      const around = {
        end: view('end', link),
        edge: view('edge', { queueLength: 0, slowdown: 1 }, connected),
        cloud: null,
        settling: false,
        clock: {
          nowMs: () => Number(nowNanoseconds / 1_000_000n),
          monotonicNanoseconds: () => nowNanoseconds,
        },
      };
      return { record: one.decide('telemetry', around), context: one.context(around)! };
    },
  };
}

const rate = fc.constantFrom(0, 1e4, 1e6, 3e6, 1e7, 1e8);
/** A link that holds for some seconds at each rate. */
const walk = fc
  .array(fc.record({ rate, times: fc.integer({ min: 1, max: 25 }) }), { minLength: 1, maxLength: 20 })
  .map((spells) => spells.flatMap(({ rate: each, times }) => Array.from({ length: times }, () => each)));

test('the service switches as the replay of the same link does, with as many searches as without a policy', () => {
  fc.assert(
    fc.property(walk, fc.constantFrom(0, 0.05, 0.6, 6), (rates, switchSeconds) => {
      const stated = session(switchSeconds);
      const unstated = session(undefined);
      const contexts: Context[] = [];
      const served = rates.map((each) => {
        contexts.push(stated.frame(each).context);
        unstated.frame(each);
        return stated.one.current.cut!.endLayers;
      });
      assert.equal(stated.searches, unstated.searches);
      const steps = replayPolicy(
        [...contexts, contexts.at(-1)!], // a decision on the last context shows one step later
        { deviceOnly, best: (c) => partitioner.decide(c), predict: (c, p) => partitioner.predict(c, p) },
        { switchSeconds, unansweredSeconds: defaultParameters.unansweredSeconds, chargeFirstCut: false },
        new DefaultPolicy((c, p) => partitioner.predict(c, p), deviceOnly, defaultParameters),
      );
      assert.deepEqual(
        served,
        steps.slice(1).map(({ placement }) => endLayersOf(placement)),
      );
    }),
    { numRuns: 50 },
  );
});

test('a better cut that is not worth the switch is on record beside the one that stays, each with its cost', () => {
  const here = session(6);
  for (let i = 0; i < 60; i++) here.frame(1e4);
  assert.deepEqual(here.one.current.cut!.endLayers, [0, 1, 2, 3]);
  const { version } = here.one.current;
  const { record, context } = here.frame(1e8);
  assert.equal(record!.switching!.reason, 'stay');
  assert.equal(record!.switching!.switchSeconds, 6);
  assert.equal(record!.switching!.kept!.why, 'not-worth-the-switch');
  assert.equal(record!.versionAfter, version);
  assert.deepEqual(record!.cutAfter.endLayers, [0, 1, 2, 3]);
  assert.notDeepEqual(record!.decision.endLayers, [0, 1, 2, 3]);
  assert.deepEqual(costInForce(record!).prediction, partitioner.predict(context, deviceOnly).prediction);
  assert.ok(record!.decision.objectiveValue < costInForce(record!).objectiveValue);
  // Nothing new is measured, and yet the time comes when staying has cost too much.
  const { searches } = here;
  let later: ReturnType<typeof here.frame>['record'] = null;
  for (let i = 0; i < 600 && later === null; i++) later = here.frame(1e8).record;
  assert.equal(later?.versionAfter, version + 1);
  assert.match(later?.switching?.reason ?? '', /^lasting-gain$/);
  assert.equal(later?.switching?.kept, null);
  assert.equal(here.searches, searches, 'the same context is not searched again');
});

test('an edge that is gone is left at once, however dear a switch is', () => {
  const here = session(3600);
  for (let i = 0; i < 60; i++) here.frame(1e8);
  assert.notDeepEqual(here.one.current.cut!.endLayers, [0, 1, 2, 3]);
  const { record } = here.frame(1e8, false);
  assert.equal(record!.switching!.reason, 'link-gone');
  assert.deepEqual(here.one.current.cut!.endLayers, [0, 1, 2, 3]);
});

test('where nobody states what a switch costs the best cut is followed, and nearly equal ones do not flap', () => {
  const here = session(undefined);
  // Sending after layer 1 and after layer 2 are level where 36 kB more on the link take as long as 20 ms * (4 - 0.5).
  const level = (36_000 * 8) / (0.02 * 3.5);
  here.frame(level * 1.1);
  const before = here.one.current.cut!.endLayers;
  const versions = new Set<number>();
  let nearEqual = 0;
  for (let i = 0; i < 100; i++) {
    const { record } = here.frame(level * (i % 2 === 0 ? 0.995 : 1.005));
    versions.add(here.one.current.version);
    if (record!.switching!.kept?.why === 'near-equal') nearEqual++;
  }
  assert.equal(versions.size, 1);
  assert.ok(nearEqual > 0);
  assert.deepEqual(here.one.current.cut!.endLayers, before);
  for (const each of [level * 0.7, 1e3, 1e9]) {
    const { record, context } = here.frame(each);
    assert.equal(record!.switching!.switchSeconds, null);
    assert.deepEqual(record!.cutAfter.endLayers, partitioner.decide(context).endLayers);
  }
});

test('what a switch costs: as asked of the deployment, else the slowest device, else unknown', () => {
  const device = (switchSeconds?: number): DeviceView => ({
    description: { role: 'end', ...(switchSeconds === undefined ? {} : { switchSeconds }) },
    telemetry: null,
    connected: true,
  });
  assert.equal(switchSecondsOf({}, device(0.2), device(0.5), null), 0.5);
  assert.equal(switchSecondsOf({}, device(), device(0), device(0.25)), 0.25);
  assert.equal(switchSecondsOf({}, device(), device(0), null), 0);
  assert.equal(switchSecondsOf({ switchSeconds: 3 }, device(0.2), device(), null), 3);
  assert.equal(switchSecondsOf({}, device(), { ...device(), description: null }, null), null);
});

test('devices that state their switch keep a cut through the service; what an operator asks is done at once', async () => {
  const rig = await controlRig();
  try {
    const { session: deployment, end } = await deployed(rig);
    const camera = rig.connect('camera', 'end', { switchSeconds: 6 });
    rig.control.fleet.telemetry('camera', camera, 1, slowLink);
    await until(() => deployment.lastDecision?.switching?.switchSeconds === 6);
    const all = [0, 1, 2, 3];
    assert.deepEqual(endLayers(deployment), all);
    const { version } = deployment.durable;
    rig.control.fleet.telemetry('camera', camera, 2, quickLink);
    await until(() => deployment.lastDecision?.switching?.kept?.why === 'not-worth-the-switch');
    assert.equal(deployment.durable.version, version);
    assert.ok(rig.recorded.of('decision').some(([{ kept }]) => kept === 'not-worth-the-switch'));
    const [row] = rig.control.operations.history(deployment.id, { limit: 1 });
    assert.equal(row!.switching!.kept!.why, 'not-worth-the-switch');
    assert.ok(row!.switching!.kept!.prediction.latencySeconds > row!.decision.prediction.latencySeconds);
    rig.control.operations.changeDeployment(deployment.id, { requirements: { latencySeconds: 0.2 } });
    await until(() => deployment.durable.version === version + 1);
    assert.equal(deployment.lastDecision?.switching?.reason, 'asked');
    assert.equal(end.closes.length, 1, 'the camera came back under the same name');
  } finally {
    await rig.dispose();
  }
});
