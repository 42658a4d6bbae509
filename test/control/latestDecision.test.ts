import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DeploymentSession } from '../../src/control/deploymentSession.js';
import { rowOf } from '../../src/control/history.js';
import type { DecisionRecord } from '../../src/control/records.js';
import type { Surroundings } from '../../src/control/surroundings.js';
import { costInForce } from '../../src/control/switching.js';
import { createPartitioner } from '../../src/core/createPartitioner.js';
import { buildStateGraph } from '../../src/core/stateGraph.js';
import type { Requirements } from '../../src/core/context.js';
import { smallImporter } from '../support/smallModel.js';

const imported = await smallImporter().import(`/${'a'.repeat(64)}.onnx`, {} as never, {});
const { graph, profile } = imported;
const tier = (ratio: number) => ({
  seconds: profile.layers.map((layer) => layer.medianSeconds * ratio),
  source: { kind: 'scaled' as const, machineId: 'controller', computeRatio: ratio },
});
const partitioner = createPartitioner(buildStateGraph({ graph, tiers: [tier(4), tier(0.5)] }, 1000));

function session(requirements: Requirements): DeploymentSession {
  const [createdAtMs, updatedAtMs] = [0, 0];
  const tiers = { end: { deviceId: 'camera' }, edge: { deviceId: 'edge' } };
  const stands = { version: 0, cut: null, reported: { end: null, edge: null }, lastGood: null };
  const { options } = profile;
  const one = new DeploymentSession(
    { id: 'd', modelId: 'm', ...tiers, requirements, ...stands, createdAtMs, updatedAtMs },
    {
      ...{ id: 'm', name: 'small', sha256: 'a'.repeat(64), sizeBytes: 1, status: 'ready', error: null },
      ...{ graph, options, createdAtMs },
    },
    null,
    0,
  );
  one.basis = {
    key: 'k',
    lease: { key: 'k', partitioner: Promise.resolve(partitioner), release: () => undefined } as never,
    partitioner,
    sources: [tier(4).source, tier(0.5).source],
    wholeModelSeconds: [0.256, 0.032],
  };
  return one;
}

interface Frame {
  readonly uplinkBitsPerSecond: number;
  readonly rttSeconds: number;
  readonly connected: boolean;
}

function around({ connected, ...link }: Frame, atMs: number): Surroundings {
  const seenSinceStart = true;
  const telemetry = { ...link, downlinkBitsPerSecond: 1e8, cpuLoad: 0.25 };
  return {
    end: { description: { role: 'end' }, telemetry, connected: true, seenSinceStart },
    edge: { description: { role: 'edge' }, telemetry: { queueLength: 1 }, connected, seenSinceStart },
    cloud: null,
    settling: false,
    clock: { nowMs: () => 1e12 + atMs, monotonicNanoseconds: () => BigInt(atMs) * 1_000_000n },
  };
}

/** What the decider does with a decision, all being durable at once. */
function take(one: DeploymentSession, frame: Frame, atMs: number, keptRowMs: number): DecisionRecord | null {
  const now = around(frame, atMs);
  if (one.confirm(now, keptRowMs) !== null) return null;
  const record = one.decide('telemetry', now);
  if (record === null) return null;
  one.latestRow = rowOf(record, one.decidedAtMs);
  one.keptSinceRow = 0;
  one.durable = one.current;
  one.show(record, one.decisionCount);
  return record;
}

function costOf(record: DecisionRecord): object {
  const { objectiveValue, prediction, violations } = costInForce(record);
  return { objectiveValue, prediction, violations };
}

/** Uplinks at which another cut becomes the best: around them two are nearly equal. */
const turns = turningPoints(1e4, 1e8);

function turningPoints(from: number, to: number): number[] {
  const bestAt = (uplinkBitsPerSecond: number): string => {
    const one = session({});
    return take(
      one,
      { uplinkBitsPerSecond, rttSeconds: 0.01, connected: true },
      0,
      0,
    )!.decision.endLayers.join();
  };
  if (bestAt(from) === bestAt(to)) return [];
  const middle = Math.sqrt(from * to);
  return to / from < 1.001 ? [middle] : [...turningPoints(from, middle), ...turningPoints(middle, to)];
}

const rate = fc.constantFrom(0, 1e4, 1e6, 3e6, 1e7, 1e8, ...turns);
const frame = fc.record({
  uplinkBitsPerSecond: fc
    .tuple(rate, fc.double({ min: 0.98, max: 1.02, noNaN: true }))
    .map(([r, factor]) => r * factor),
  rttSeconds: fc.constantFrom(0.01, 0.011),
  connected: fc.constantFrom(true, true, true, false),
});
const requirements: fc.Arbitrary<Requirements> = fc.constantFrom(
  {},
  { latencySeconds: 0.15 },
  { bytesSent: 5_000 },
  { objective: 'throughput' as const },
);

test('what telemetry confirms is what a decision would say, in force and in words', () => {
  let confirmed = 0;
  fc.assert(
    fc.property(fc.array(frame, { minLength: 2, maxLength: 40 }), requirements, (frames, asked) => {
      const [quick, thorough] = [session(asked), session(asked)];
      frames.forEach((each, i) => {
        take(quick, each, 1_000 * i, 5_000);
        take(thorough, each, 1_000 * i, 0);
        assert.deepEqual(quick.current, thorough.current);
        assert.equal(quick.decisionCount, thorough.decisionCount, 'no decision goes unmentioned');
        assert.equal(quick.isViolating, thorough.isViolating);
        confirmed += quick.keptSinceRow > 0 ? 1 : 0;
        if (i % 3 > 0) return; // one that nobody looked at is written over
        const [ours, theirs] = [quick.lastDecision!, thorough.lastDecision!];
        assert.deepEqual(ours.context, theirs.context);
        assert.deepEqual(ours.decision.endLayers, theirs.decision.endLayers);
        assert.deepEqual(costOf(ours), costOf(theirs));
        assert.deepEqual([ours.atMs, ours.reason], [theirs.atMs, theirs.reason]);
        assert.equal(quick.lastDecision, ours, 'put into words once');
      });
    }),
  );
  assert.ok(confirmed > 100, `${confirmed} confirmed`);
});

test('a decision of which only parts were kept is, in words, the one that was made', () => {
  let kept = 0;
  let changed = 0;
  fc.assert(
    fc.property(fc.array(frame, { minLength: 2, maxLength: 40 }), requirements, (frames, asked) => {
      const one = session(asked);
      frames.forEach((each, i) => {
        const record = take(one, each, 1_000 * i, 0);
        if (record === null) return;
        assert.equal(one.isViolating, costInForce(record).violations.length > 0);
        assert.equal(one.predictedLatencySeconds, costInForce(record).prediction.latencySeconds);
        kept += record.switching?.kept === null ? 0 : 1;
        changed += record.versionAfter > record.versionBefore ? 1 : 0;
        if (i % 4 === 0) one.forgetContext();
        assert.deepEqual(one.lastDecision, record);
      });
    }),
  );
  assert.ok(kept > 5 && changed > 100, `${kept} kept another cut than the best, ${changed} changed it`);
});

test('a decision that cannot be made of parts again is kept as it is', () => {
  const one = session({});
  const frame = { uplinkBitsPerSecond: 1e8, rttSeconds: 0.01, connected: true };
  const record = take(one, frame, 0, 0)!;
  const others: DecisionRecord[] = [
    { ...record, decision: { ...record.decision, algorithm: 'min-cut' } }, // a search of milliseconds
    { ...record, switching: null },
    { ...record, secondsSources: [...record.secondsSources] }, // it stood on something else
  ];
  for (const other of others) {
    one.show(other, ++one.decisionCount);
    assert.equal(one.lastDecision, other);
  }
  one.show(record, one.decisionCount - 1);
  assert.equal(one.lastDecision, others[2], 'one of before is no news');
});

test('telemetry confirms nothing where more than the context has changed', () => {
  const still = { uplinkBitsPerSecond: 1e8, rttSeconds: 0.01, connected: true };
  const settled = (): DeploymentSession => {
    const one = session({});
    take(one, still, 0, 5_000);
    take(one, { ...still, rttSeconds: 0.011 }, 1, 5_000);
    return one;
  };
  const next = around({ ...still, rttSeconds: 0.012 }, 2);
  assert.equal(typeof settled().confirm(next, 5_000), 'number');
  assert.equal(settled().confirm(around({ ...still, rttSeconds: 0.011 }, 2), 5_000), 'unchanged');
  assert.equal(settled().confirm(next, 0), null, 'each is a row');
  assert.equal(
    settled().confirm(around({ ...still, rttSeconds: 0.012 }, 5_000), 5_000),
    null,
    'a row is due',
  );
  const changes: ((one: DeploymentSession) => void)[] = [
    (one) => (one.current = { ...one.current, requirements: {} }),
    (one) => one.forgetContext(),
    (one) => (one.basis = { ...one.basis!, partitioner: { ...partitioner } }),
    (one) => (one.status = { kind: 'failed', message: 'x' }),
    (one) => (one.durable = { ...one.durable, version: 0 }),
    (one) =>
      one.setAsides.add(one.current.cut!, 'no', 2, 2, { retryMs: 1_000, maxRetryMs: 1_000, maxSetAside: 1 }),
  ];
  for (const change of changes) {
    const one = settled();
    change(one);
    assert.equal(one.confirm(next, 5_000), null, change.toString());
  }
  const stated = { ...next, end: { ...next.end, description: { role: 'end' as const, switchSeconds: 1 } } };
  assert.equal(settled().confirm(stated, 5_000), null, 'a switch has a price now');
});
