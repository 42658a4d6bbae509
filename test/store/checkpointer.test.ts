import assert from 'node:assert/strict';
import { existsSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import BetterSqlite from 'better-sqlite3';
import { openStore } from '../../src/store/store.js';
import { device, sample } from './records.js';

describe('checkpoints in a thread', () => {
  it('bring what was written into the database while it is open, and leave no log behind', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'cutpoint-checkpoint-'));
    const file = join(folder, 'cutpoint.db');
    const failures: Error[] = [];
    const store = openStore({ file, checkpointFailed: (error) => failures.push(error) });
    try {
      const before = statSync(file).size;
      const devices = Array.from({ length: 300 }, (_, i) => ({ ...sample(device, i), id: `device-${i}` }));
      store.saveDevices(devices);
      assert.equal(statSync(file).size, before, 'a commit writes to the log alone');
      const end = Date.now() + 10_000;
      while (statSync(file).size === before && Date.now() < end) await sleep(20);
      assert.ok(statSync(file).size > before, 'the thread has copied it');
      store.close();
      assert.equal(existsSync(`${file}-wal`), false);
      const copy = new BetterSqlite(file, { readonly: true });
      assert.equal(copy.prepare('SELECT count(*) FROM devices').pluck().get(), 300);
      copy.close();
      assert.deepEqual(failures, []);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('may end before they have begun', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'cutpoint-checkpoint-'));
    try {
      const file = join(folder, 'cutpoint.db');
      openStore({ file, checkpointFailed: assert.ifError }).close();
      openStore({ file }).close();
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
