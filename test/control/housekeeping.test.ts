import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Housekeeping } from '../../src/control/housekeeping.js';
import { StoreError } from '../../src/control/ports.js';
import { decisionOf, sample } from '../store/records.js';
import { controlRig, deployed, quickLink, slowLink, until } from '../support/controlRig.js';

describe('housekeeping', () => {
  it('keeps the newest rows of the history, and notes which devices are there', async (t) => {
    const rig = await controlRig();
    try {
      const { end, session } = await deployed(rig);
      for (let sequence = 1; sequence <= 8; sequence++) {
        rig.control.fleet.telemetry('camera', end, sequence, sequence % 2 === 0 ? slowLink : quickLink);
        await until(() => session.durable.version === sequence + 1);
      }
      rig.control.log.flush();
      const seenBefore = rig.store.devices().find((device) => device.id === 'camera')!.lastSeenAtMs;
      t.mock.timers.enable({ apis: ['setTimeout', 'setInterval'] });
      const ports = { store: rig.store, events: rig.recorded.events };
      const housekeeping = new Housekeeping(ports, rig.control.devices, rig.control.log, 3);
      housekeeping.start();
      t.mock.timers.tick(30_000);
      housekeeping.stop();
      t.mock.timers.reset();
      assert.deepEqual(rig.recorded.of('decisionsPruned'), [[6]]);
      const rows = rig.control.operations.history(session.id, { limit: 100 });
      assert.deepEqual(
        rows.map((row) => row.versionAfter),
        [9, 8, 7],
      );
      rig.control.log.flush();
      const seen = rig.store.devices().find((device) => device.id === 'camera')!.lastSeenAtMs;
      assert.ok(seen > seenBefore);
    } finally {
      await rig.dispose();
    }
  });

  it('keeps the history at its cap under more decisions than it deletes at first', async (t) => {
    const rig = await controlRig();
    try {
      const { session } = await deployed(rig);
      rig.control.log.flush();
      t.mock.timers.enable({ apis: ['setTimeout', 'setInterval'] });
      const row = sample(decisionOf(session.id), 1);
      const rows = Array.from({ length: 300 }, () => row);
      const ports = { store: rig.store, events: rig.recorded.events };
      const housekeeping = new Housekeeping(ports, rig.control.devices, rig.control.log, 500);
      housekeeping.start();
      const counts: number[] = [];
      for (let ms = 0; ms < 5_000; ms += 5) {
        if (ms % 100 === 0) rig.store.commit(rows, []); // 3,000 a second
        t.mock.timers.tick(5);
        const [newest] = rig.store.decisions(session.id, { limit: 1 });
        const pruned = rig.recorded.of('decisionsPruned').reduce((sum, [count]) => sum + count, 0);
        counts.push(newest!.id - pruned);
      }
      housekeeping.stop();
      assert.ok(Math.max(...counts) <= 500 + 3_000 + 600, `${Math.max(...counts)} rows at most`);
      assert.ok(counts.at(-1)! <= 500 + 3_000, `${counts.at(-1)} rows at the end`);
    } finally {
      t.mock.timers.reset();
      await rig.dispose();
    }
  });

  it('reads the latest decisions of before a start one by one, unless there are newer ones', async () => {
    const first = await controlRig();
    const { session } = await deployed(first);
    first.control.log.flush();
    const { lastDecision } = session;
    await first.halt();
    const asked: string[] = [];
    const second = await controlRig({
      folder: first.folder,
      wrap: (store) => ({
        ...store,
        decisions(deploymentId, page) {
          asked.push(deploymentId);
          if (asked.length === 1) throw new StoreError('io', 'The disk is gone for a moment.');
          return store.decisions(deploymentId, page);
        },
      }),
    });
    try {
      assert.deepEqual(asked, [], 'a start reads none');
      await until(() => asked.length === 1);
      const [failure] = second.recorded.of('storeFailed')[0]!;
      assert.equal(failure.operation, 'read the latest decision');
      const restored = second.control.deployments.get(session.id);
      assert.equal(restored.lastDecision?.atMs, lastDecision?.atMs, 'who asks reads it');
      assert.equal(restored.lastDecision?.atMs, lastDecision?.atMs);
      assert.deepEqual(asked, [session.id, session.id], 'once');
    } finally {
      await second.dispose();
    }
  });
});
