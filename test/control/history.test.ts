import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, it } from 'node:test';
import { firstRowOf } from '../../src/control/history.js';
import {
  controlRig,
  deployed,
  quickLink,
  slowLink,
  testSettings,
  until,
  type Rig,
} from '../support/controlRig.js';

/** A time of day that can be set. What measures durations is another clock, which nobody sets. */
function settableClock() {
  let offsetMs = 0;
  return {
    clock: { nowMs: () => Date.now() + offsetMs, monotonicNanoseconds: () => process.hrtime.bigint() },
    jump: (ms: number) => {
      offsetMs += ms;
    },
  };
}

/** A rig in which decisions that keep the cut have a row at most this often. */
function rigWith(keptRowMs: number): Promise<Rig> {
  return controlRig({ settings: { decisions: { ...testSettings.decisions, keptRowMs } } });
}

describe('the history', () => {
  it('spreads the rows of deployments that started together over half of the time between two', () => {
    const record = (deploymentId: string) => ({ deploymentId, decision: { violations: [] } }) as never;
    const places = new Set<number>();
    for (let i = 0; i < 1_000; i++) {
      const { decidedAtMs } = firstRowOf(record(randomUUID()), 0, 1_000);
      assert.ok(decidedAtMs > -500 && decidedAtMs <= 0);
      places.add(Math.floor(decidedAtMs / 50));
    }
    assert.ok(places.size >= 10, 'each tenth of it has some');
    assert.deepEqual(firstRowOf(record('a'), 7, 0), { decidedAtMs: 7, broken: '' });
  });

  it('has a row for each change, and counts the decisions between that kept the cut', async () => {
    const rig = await rigWith(3_600_000);
    try {
      const { end, session } = await deployed(rig);
      let sequence = 0;
      const tell = async (values: object) => {
        const before = rig.recorded.of('decision').length;
        rig.control.fleet.telemetry('camera', end, ++sequence, values);
        await until(() => rig.recorded.of('decision').length > before);
      };
      await tell(quickLink);
      await until(() => session.durable.version === 2);
      for (let i = 1; i <= 5; i++) await tell({ ...quickLink, uplinkBitsPerSecond: 1e9 + i });
      assert.equal(
        session.lastDecision?.context.hops[0]?.uplinkBitsPerSecond,
        1e9 + 5,
        'the latest is shown',
      );
      await tell(slowLink);
      await until(() => session.durable.version === 3);
      await tell({ ...slowLink, rttSeconds: 0.9 });
      const rows = rig.control.operations.history(session.id, { limit: 100 });
      assert.deepEqual(
        rows.map(({ versionBefore, versionAfter, keptBefore }) => [versionBefore, versionAfter, keptBefore]),
        [
          [2, 3, 5],
          [1, 2, 0],
          [0, 1, 0],
        ],
      );
      const counted = rows.reduce((sum, row) => sum + 1 + row.keptBefore, session.keptSinceRow);
      assert.equal(counted, rig.recorded.of('decision').length, 'no decision goes unmentioned');
    } finally {
      await rig.dispose();
    }
  });

  it('has a row where a bound is now broken, though the cut stays', async () => {
    const rig = await rigWith(3_600_000);
    try {
      const { end, session } = await deployed(rig);
      rig.control.operations.changeDeployment(session.id, { requirements: { latencySeconds: 0.5 } });
      rig.control.fleet.telemetry('camera', end, 1, slowLink);
      await until(() => session.lastDecision?.context.hops[0]?.rttSeconds === 1);
      rig.control.fleet.telemetry('camera', end, 2, { ...slowLink, slowdown: 3 });
      const violations = () => session.lastDecision!.decision.violations.length;
      await until(() => violations() > 0);
      assert.equal(session.durable.version, 1);
      const [latest] = rig.control.operations.history(session.id, { limit: 1 });
      assert.equal(latest?.decision.violations.length, violations());
    } finally {
      await rig.dispose();
    }
  });

  it('has a row for each decision where the configuration asks for that', async () => {
    const rig = await rigWith(0);
    try {
      const { end, session } = await deployed(rig);
      for (let i = 1; i <= 5; i++) {
        rig.control.fleet.telemetry('camera', end, i, { ...slowLink, rttSeconds: i });
        await until(() => session.lastDecision?.context.hops[0]?.rttSeconds === i);
      }
      assert.equal(rig.control.operations.history(session.id, { limit: 100 }).length, 6);
    } finally {
      await rig.dispose();
    }
  });

  it('shows the latest decision and is thinned out as ever while the clock is set back again and again', async () => {
    const { clock, jump } = settableClock();
    const decisions = { ...testSettings.decisions, keptRowMs: 3_600_000 };
    const rig = await controlRig({ settings: { decisions }, clock });
    try {
      const { end, session } = await deployed(rig);
      let sequence = 0;
      const tell = (values: object) => {
        jump(-86_400_000);
        rig.control.fleet.telemetry('camera', end, ++sequence, values);
      };
      for (let i = 1; i <= 5; i++) {
        tell({ ...slowLink, rttSeconds: i });
        await until(() => session.lastDecision?.context.hops[0]?.rttSeconds === i, `decision ${i}`);
      }
      tell(quickLink);
      await until(() => session.durable.version === 2);
      assert.equal(session.lastDecision?.versionAfter, 2, 'not one of before, whose time of day is later');
      rig.control.operations.changeDeployment(session.id, { requirements: { latencySeconds: 60 } });
      jump(-86_400_000);
      await until(() => session.lastDecision?.reason === 'requirements');
      const rows = rig.control.operations.history(session.id, { limit: 100 });
      assert.deepEqual(
        rows.map(({ versionAfter, keptBefore }) => [versionAfter, keptBefore]),
        [
          [2, 0],
          [2, 5],
          [1, 0],
        ],
      );
    } finally {
      await rig.dispose();
    }
  });

  it('never shows an older decision for a later one because its commit came later', async () => {
    const rig = await rigWith(3_600_000);
    try {
      const { end, session } = await deployed(rig);
      const [row] = rig.control.operations.history(session.id, { limit: 1 });
      rig.control.fleet.telemetry('camera', end, 1, slowLink);
      await until(() => session.lastDecision?.context.hops[0]?.rttSeconds === 1);
      session.show({ ...row!, atMs: Date.now() + 86_400_000 }, 1);
      assert.equal(session.lastDecision?.context.hops[0]?.rttSeconds, 1);
    } finally {
      await rig.dispose();
    }
  });
});
