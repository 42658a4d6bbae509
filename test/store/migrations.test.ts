import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import BetterSqlite from 'better-sqlite3';
import { openDatabase } from '../../src/store/database.js';
import { productMigrations } from '../../src/store/migrations.js';
import { openStore } from '../../src/store/store.js';
import { brokenLinks } from './brokenLinks.js';
import { decisionOf, deploymentOf, device, model, profileOf, sample } from './records.js';

const folder = mkdtempSync(join(tmpdir(), 'cutpoint-migrations-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const migrations = productMigrations();

type Row = Readonly<Record<string, unknown>>;
type Tables = ReadonlyMap<string, readonly Row[]>;

const models = [1, 2].map((seed) => ({ ...sample(model, seed), id: `m${seed}` }));
const profiles = [3, 4].map((seed) => sample(profileOf('m1'), seed));
const devices = [5, 6].map((seed) => sample(device, seed));
const deployments = [7, 8].map((seed) => ({
  ...sample(deploymentOf('m1'), seed),
  id: `d${seed}`,
  version: seed,
}));
const decisions = [9, 10, 11].map((seed) => sample(decisionOf('d7'), seed));
/** Between them rows of another deployment, and of one that is gone. */
const allDecisions = decisions.flatMap((row, index) => [
  row,
  sample(decisionOf('d8'), 12 + index),
  sample(decisionOf('gone'), 15 + index),
]);

/** Rows of everything that this version stores. */
function writtenNow(): Tables {
  const file = join(folder, 'now.db');
  const store = openStore({ file });
  for (const one of models) store.saveModel(one);
  for (const one of profiles) store.saveProfile(one);
  store.saveDevices(devices);
  for (const one of deployments) store.saveDeployment(one);
  const reserved = deployments.map(({ id, version }) => ({ deploymentId: id, untilVersion: version + 5 }));
  store.commit(allDecisions, [], reserved);
  const credential = { id: 'c1', label: 'l', digest: Buffer.alloc(32, 7), createdAtMs: 1, createdBy: 'test' };
  store.saveApiKey({ ...credential, role: 'admin', revokedAtMs: null });
  store.saveDeviceToken({ ...credential, deviceId: 'camera', revokedAtMs: 2 });
  const who = { actor: 'c1', actorLabel: 'l', role: 'admin', address: null } as const;
  store.startAudit({ ...who, atMs: 1, operation: 'createKey', target: '/v1/keys' });
  store.close();
  return rowsOf(file);
}

function withFile<T>(file: string, use: (db: BetterSqlite.Database) => T): T {
  const db = new BetterSqlite(file);
  try {
    return use(db);
  } finally {
    db.close();
  }
}

function rowsOf(file: string): Tables {
  return withFile(file, (db) => {
    const tables = db
      .prepare<[], string>(
        `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> 'schema_migrations'`,
      )
      .pluck()
      .all();
    return new Map(
      tables.map((table) => [table, db.prepare<[], Row>(`SELECT * FROM ${table} ORDER BY 1`).all()]),
    );
  });
}

/** A database as the first `count` migrations make it, with the rows of `written` as far as it has places for them. */
function earlier(count: number, written: Tables): string {
  const file = join(folder, `schema-${count}.db`);
  const timeouts = { openTimeoutMs: 0, operationTimeoutMs: 0 };
  openDatabase({ file, migrations: migrations.slice(0, count), synchronous: 'normal', ...timeouts }).close();
  withFile(file, (db) => {
    db.pragma('foreign_keys = OFF'); // the order of the tables is any
    for (const [table, rows] of written) {
      const columns = db
        .prepare<[string], string>('SELECT name FROM pragma_table_info(?)')
        .pluck()
        .all(table);
      if (columns.length === 0) continue; // came later
      const insert = db.prepare<[Row]>(
        `INSERT OR REPLACE INTO ${table} (${columns.join()}) VALUES (${columns.map((name) => `@${name}`).join()})`,
      );
      for (const row of rows) insert.run(row);
    }
    assert.deepEqual(db.pragma('foreign_key_check'), []);
  });
  return file;
}

test('a database of every earlier version is brought to this one with all that it holds', () => {
  const written = writtenNow();
  for (let count = 1; count <= migrations.length; count++) {
    const file = earlier(count, written);
    const before = rowsOf(file);
    const store = openStore({ file });
    const kept = { models: store.models(), profiles: store.profiles('m1'), devices: store.devices() };
    assert.deepEqual(kept.models.map(({ id }) => id).sort(), ['m1', 'm2'], `schema ${count}`);
    for (const { id, ...record } of models) {
      assert.deepEqual(
        kept.models.find((one) => one.id === id),
        { id, ...record },
      );
    }
    assert.equal(kept.profiles.length, profiles.length);
    assert.equal(kept.devices.length, devices.length);
    assert.equal(store.deployments().length, deployments.length);
    const history = store.decisions('d7', { limit: 10 });
    assert.deepEqual(
      history.map(({ decision, versionAfter }) => ({ decision, versionAfter })).reverse(),
      decisions.map(({ decision, versionAfter }) => ({ decision, versionAfter })),
    );
    const other = store.decisions('d8', { limit: 10 }).map(({ id }) => id);
    assert.deepEqual(other, [8, 5, 2], `schema ${count}`);
    store.close();
    assert.deepEqual(withFile(file, brokenLinks), [], `schema ${count}`);
    for (const [table, rows] of rowsOf(file)) {
      const old = before.get(table) ?? [];
      for (const [index, row] of old.entries()) {
        for (const [column, value] of Object.entries(row)) {
          assert.deepEqual(rows[index]![column], value, `${table}.${column} of schema ${count}`);
        }
      }
    }
    // and it works on
    const again = openStore({ file });
    const [first] = again.deployments();
    assert.deepEqual(again.commit([decisions[0]!], [{ ...first!, version: first!.version + 1 }]), []);
    assert.equal(again.deployments()[0]!.version, first!.version + 1);
    again.close();
    assert.deepEqual(withFile(file, brokenLinks), [], `schema ${count}`);
  }
});
