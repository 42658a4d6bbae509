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
