import assert from 'node:assert/strict';
import { existsSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import BetterSqlite from 'better-sqlite3';
import { openStore } from '../../src/store/store.js';
import { decisionOf, device, sample } from './records.js';

const maxLogBytes = 2 * 1024 * 1024;

function quiet(failures: Error[]) {
  return { maxLogBytes, failed: (error: Error) => failures.push(error), log: () => undefined };
}

/** A store whose log has a small cap, what its thread has said, and commits of some 50 kB. */
async function smallLog() {
  const folder = await mkdtemp(join(tmpdir(), 'cutpoint-checkpoint-'));
  const file = join(folder, 'cutpoint.db');
  const failures: Error[] = [];
  const told: { bytes: number; isFull: boolean }[] = [];
  const log = (bytes: number, isFull: boolean) => void told.push({ bytes, isFull });
  const failed = (error: Error) => void failures.push(error);
  const store = openStore({ file, checkpoints: { maxLogBytes, failed, log } });
  const row = sample(decisionOf('p1'), 1);
  const rows = Array.from({ length: Math.ceil(50_000 / JSON.stringify(row).length) }, () => row);
  let commits = 0;
  const commit = (): void => {
    store.commit(rows, []);
    commits++;
  };
  return {
    file,
    store,
    told,
    failures,
    commit,
    /** Commits now and then, until the thread has seen a log that has hardly begun. */
    beginsAnew: async () => {
      for (const end = performance.now() + 20_000; told.at(-1)!.bytes >= maxLogBytes / 4;) {
        assert.ok(performance.now() < end, 'it begins anew');
        commit();
        await sleep(600);
      }
    },
    dispose: async () => {
      store.close();
      const copy = new BetterSqlite(file, { readonly: true });
      assert.equal(copy.prepare('SELECT count(*) FROM decisions').pluck().get(), commits * rows.length);
      assert.equal(copy.pragma('integrity_check', { simple: true }), 'ok');
      copy.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const logBytes = (file: string): number => statSync(`${file}-wal`).size;

async function within(ms: number, what: string, isSo: () => boolean): Promise<void> {
  for (const end = performance.now() + ms; !isSo(); await sleep(2)) {
    assert.ok(performance.now() < end, what);
  }
}

describe('checkpoints in a thread', () => {
  it('bring what was written into the database while it is open, and leave no log behind', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'cutpoint-checkpoint-'));
    const file = join(folder, 'cutpoint.db');
    const failures: Error[] = [];
    const store = openStore({ file, checkpoints: quiet(failures) });
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
      openStore({ file, checkpoints: quiet([]) }).close();
      openStore({ file }).close();
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('let the log begin anew beside commits that go on', async () => {
    const { file, store, told, failures, commit, dispose } = await smallLog();
    try {
      let written = 0;
      let longest = 0;
      for (; written < 3 * maxLogBytes; await sleep(40)) {
        if (store.asksToWait()) continue;
        commit();
        written += 50_000;
        longest = Math.max(longest, logBytes(file));
      }
      const fell = told.filter(({ bytes }, i) => i > 0 && bytes < told[i - 1]!.bytes).length;
      assert.ok(fell >= 2, `it began anew ${fell} times`);
      assert.ok(longest < 2 * maxLogBytes, `${longest} bytes at most, ${written} written`);
      assert.deepEqual(failures, []);
    } finally {
      await dispose();
    }
  });

  it('ask commits to wait at the cap, and catch up', async () => {
    const { file, store, told, commit, dispose, beginsAnew } = await smallLog();
    try {
      while (logBytes(file) < 1.5 * maxLogBytes) commit(); // more at once than any round could take
      await within(10_000, 'the cap is told', () => told.some(({ isFull }) => isFull));
      await within(10_000, 'it has caught up', () => !store.asksToWait());
      await beginsAnew();
      assert.ok(logBytes(file) <= maxLogBytes, 'the file is cut back');
    } finally {
      await dispose();
    }
  });

  it('ask nobody to wait for a reader that keeps the log, and go on when it has ended', async () => {
    const { file, store, told, commit, dispose, beginsAnew } = await smallLog();
    const reader = new BetterSqlite(file, { readonly: true });
    try {
      commit();
      reader.exec('BEGIN');
      reader.prepare('SELECT count(*) FROM decisions').get();
      let asked = 0;
      const isFull = () => told.some((log) => log.isFull);
      for (const end = performance.now() + 20_000; !isFull(); await sleep(5)) {
        assert.ok(performance.now() < end, 'the cap is told');
        commit();
        if (store.asksToWait()) asked++;
      }
      assert.equal(asked, 0);
      reader.close();
      await beginsAnew();
    } finally {
      reader.close();
      await dispose();
    }
  });
});
