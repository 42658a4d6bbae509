import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { StoreError, type Store } from '../../src/control/ports.js';
import {
  controlRig,
  deployed,
  quickLink,
  slowLink,
  testSettings,
  until,
  type KeptConnection,
  type Rig,
} from '../support/controlRig.js';

describe('decisions while the database cannot be written', () => {
  let rig: Rig;
  let broken = false;
  const failing = (store: Store): Store => ({
    ...store,
    commit(decisions, deployments) {
      if (broken) throw new StoreError('io', 'disk gone');
      return store.commit(decisions, deployments);
    },
  });
  beforeEach(async () => {
    broken = false;
    const decisions = { ...testSettings.decisions, queueRows: 3 };
    rig = await controlRig({ wrap: failing, settings: { decisions } });
  });
  afterEach(async () => {
    broken = false;
    await rig.dispose();
  });

  it('pushes no cut that is not durable, and pushes it when the database is back', async () => {
    const { end, session } = await deployed(rig);
    broken = true;
    rig.control.fleet.telemetry('camera', end, 1, quickLink);
    await until(() => session.current.version === 2);
    await sleep(30);
    assert.equal(end.cuts.length, 1);
    assert.equal(session.durable.version, 1, 'nobody is told of version 2');
    assert.equal(rig.control.log.isHealthy, false);
    assert.throws(
      () => rig.control.operations.changeDeployment(session.id, { requirements: { latencySeconds: 1 } }),
      /database cannot be written/,
    );
    assert.deepEqual(session.durable.requirements, {});
    broken = false;
    await until(() => session.durable.version === 2);
    assert.equal(end.cuts.at(-1)!.version, 2);
    assert.equal(rig.control.log.isHealthy, true);
    assert.ok(rig.recorded.of('storeFailed').length >= 2);
  });

  it('waits with its commits while the store asks for that, and not with what an operator changes', async () => {
    await rig.dispose();
    let asks = false;
    let commits = 0;
    const wrap = (store: Store): Store => ({
      ...store,
      asksToWait: () => asks,
      commit(...given) {
        commits++;
        return store.commit(...given);
      },
    });
    rig = await controlRig({ wrap });
    const { end, session } = await deployed(rig);
    rig.control.log.flush();
    asks = true;
    commits = 0;
    rig.control.fleet.telemetry('camera', end, 1, quickLink);
    await until(() => session.current.version === 2);
    await sleep(30);
    assert.deepEqual([commits, session.durable.version], [0, 1]);
    asks = false;
    await until(() => session.durable.version === 2);
    asks = true;
    rig.control.fleet.telemetry('camera', end, 2, slowLink);
    await until(() => session.current.version === 3);
    rig.control.operations.changeDeployment(session.id, { requirements: { latencySeconds: 1 } });
    assert.equal(session.durable.version, 3);
  });

  it('commits what one turn decided at once and together, and the next not before `flushMs`', async () => {
    await rig.dispose();
    const flushMs = 1_000;
    let nowMs = 1e6;
    const clock = { nowMs: () => nowMs, monotonicNanoseconds: () => BigInt(Math.round(nowMs * 1e6)) };
    const decisions = { ...testSettings.decisions, flushMs };
    rig = await controlRig({ clock, settings: { decisions } });
    const { modelId, end, session } = await deployed(rig);
    nowMs += flushMs;
    const other = rig.control.operations.deploy({
      modelId,
      end: { deviceId: 'camera' },
      edge: { deviceId: 'edge' },
      requirements: {},
    });
    await until(() => other.durable.version === 1);
    nowMs += flushMs;
    const seen = rig.recorded.of('storeCommitted').length;
    const committed = () =>
      rig.recorded
        .of('storeCommitted')
        .slice(seen)
        .map(([commit]) => commit.rows);
    rig.control.fleet.telemetry('camera', end, 1, quickLink);
    for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate);
    assert.deepEqual([session.durable.version, other.durable.version], [2, 2]);
    assert.deepEqual(committed(), [2]);
    rig.control.fleet.telemetry('camera', end, 2, slowLink);
    await until(() => other.current.version === 3);
    await sleep(50);
    assert.equal(other.durable.version, 2, 'the last commit is not long ago');
    await until(() => other.durable.version === 3);
    assert.deepEqual(committed(), [2, 2]);
  });

  it('fills its queue to the cap, loses no decision, and then decides on the latest telemetry', async () => {
    const { end, session } = await deployed(rig);
    broken = true;
    let sequence = 1;
    for (; sequence <= 20; sequence++) {
      rig.control.fleet.telemetry('camera', end, sequence, sequence % 2 === 0 ? slowLink : quickLink);
      await sleep(2);
    }
    assert.equal(rig.control.log.waitingRows, 3);
    assert.ok(rig.recorded.of('capHit').some(([cap]) => cap === 'decisionQueueRows'));
    rig.control.fleet.telemetry('camera', end, sequence, { ...quickLink, uplinkBitsPerSecond: 7e8 });
    broken = false;
    await until(() => session.lastDecision?.context.hops[0]?.uplinkBitsPerSecond === 7e8);
    const rows = rig.control.operations.history(session.id, { limit: 100 });
    const versions = rows.map((row) => row.versionAfter).reverse();
    assert.deepEqual(versions, [1, 2, 3, 4, versions[4]]);
    rows.slice(0, -1).forEach((row, i) => assert.equal(row.versionBefore, rows[i + 1]!.versionAfter));
  });
});

describe('cuts that go on while the database cannot be written', () => {
  let rig: Rig;
  let broken = false;
  let commits = 0;
  const failing = (store: Store): Store => ({
    ...store,
    commit(decisions, deployments, reservations) {
      if (broken) throw new StoreError('full', 'disk full');
      commits++;
      return store.commit(decisions, deployments, reservations);
    },
  });
  const decisions = { ...testSettings.decisions, whenStoreFails: 'continue', reservedVersions: 8 } as const;
  const start = (folder?: string, queueRows = 100) =>
    controlRig({
      wrap: failing,
      settings: { decisions: { ...decisions, queueRows }, restartGraceMs: 0 },
      ...(folder !== undefined && { folder }),
    });
  beforeEach(() => {
    broken = false;
    commits = 0;
  });
  afterEach(async () => {
    broken = false;
    await rig.dispose();
  });

  /** Telemetry that changes the cut, `count` times, each waited for. */
  async function change(rig: Rig, end: KeptConnection, from: number, count: number): Promise<void> {
    for (let sequence = from; sequence < from + count; sequence++) {
      rig.control.fleet.telemetry('camera', end, sequence, sequence % 2 === 0 ? slowLink : quickLink);
      await until(() => end.cuts.at(-1)!.version === sequence + 1, `version ${sequence + 1}`);
    }
  }

  it('gives out reserved versions, then holds, and stores all of them when the database is back', async () => {
    rig = await start();
    const { end, session } = await deployed(rig);
    broken = true;
    await change(rig, end, 1, 8); // versions 2 to 9: 1 + 8 are reserved
    rig.control.fleet.telemetry('camera', end, 9, quickLink);
    await until(() => rig.recorded.of('capHit').some(([cap]) => cap === 'reservedVersions'));
    assert.equal(end.cuts.at(-1)!.version, 9, 'version 10 is not reserved');
    assert.equal(rig.recorded.of('givenOutUnstored').length, 8);
    assert.equal(rig.store.deployments()[0]!.version, 1);
    assert.throws(
      () => rig.control.operations.changeDeployment(session.id, { requirements: { latencySeconds: 1 } }),
      /database cannot be written/,
    );
    broken = false;
    await until(() => rig.store.deployments()[0]!.version === 10);
    await until(() => end.cuts.at(-1)!.version === 10);
    const versions = end.cuts.map(({ version }) => version);
    assert.deepEqual(versions, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 'none twice, none back');
    const rows = rig.store.decisions(session.id, { limit: 100 });
    for (const cut of end.cuts) {
      const row = rows.find(({ versionAfter }) => versionAfter === cut.version);
      assert.deepEqual(row?.cutAfter, cut.cut);
    }
    assert.deepEqual(rig.recorded.of('storeFailing'), [[true], [false]]);
  });

  it('drops history at half of its queue, counted, and stores what stands', async () => {
    rig = await start(undefined, 4);
    const { end, session } = await deployed(rig);
    broken = true;
    await change(rig, end, 1, 6);
    assert.ok(rig.control.log.waitingRows <= 2);
    const dropped = rig.recorded.of('dropped').filter(([what]) => what === 'decision-row');
    assert.equal(
      dropped.reduce((sum, [, count]) => sum + (count ?? 1), 0),
      4,
    );
    broken = false;
    await until(() => rig.control.log.isHealthy && rig.control.log.waitingRows === 0);
    const { version, cut } = rig.store.deployments()[0]!;
    assert.deepEqual([version, cut], [7, end.cuts.at(-1)!.cut]);
    const versions = rig.store.decisions(session.id, { limit: 100 }).map((row) => row.versionAfter);
    assert.deepEqual(versions, [7, 6, 1]);
  });

  it('goes beyond the reserved versions after a crash, with the cut that is stored', async () => {
    rig = await start();
    const { end, session } = await deployed(rig);
    const stored = rig.store.deployments()[0]!;
    broken = true;
    await change(rig, end, 1, 3); // what is given out here is lost
    await rig.halt();
    broken = false;
    rig = await start(rig.folder);
    const [after] = rig.store.deployments();
    assert.deepEqual([after!.version, after!.cut], [10, stored.cut], '9 were reserved');
    const [row] = rig.store.decisions(session.id, { limit: 1 });
    assert.deepEqual([row!.reason, row!.versionBefore, row!.versionAfter], ['restart', 1, 10]);
    const back = rig.connect('camera', 'end');
    await until(() => back.cuts.length > 0);
    assert.equal(back.cuts[0]!.version, 10);
  });

  it('goes beyond them also where a start between failed for want of room', async () => {
    rig = await start();
    const { end } = await deployed(rig);
    broken = true;
    await change(rig, end, 1, 3);
    await rig.halt();
    await assert.rejects(start(rig.folder), /disk full/);
    broken = false;
    rig = await start(rig.folder);
    assert.equal(rig.store.deployments()[0]!.version, 10);
  });

  it('gives its reserve back at a stop in order', async () => {
    rig = await start();
    await deployed(rig);
    assert.equal(rig.store.reservations().length, 1);
    assert.ok(commits > 0);
    await rig.halt();
    rig = await start(rig.folder);
    assert.equal(rig.store.deployments()[0]!.version, 1);
  });
});
