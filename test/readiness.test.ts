import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StoreError } from '../src/control/ports.js';
import { Readiness } from '../src/readiness.js';

function watched(continues = false) {
  const state = { probes: 0, failure: null as Error | null, nowMs: 0, isHealthy: true };
  const readiness = new Readiness(
    {
      store: {
        probe() {
          state.probes++;
          if (state.failure !== null) throw state.failure;
        },
      },
      log: {
        get isHealthy() {
          return state.isHealthy;
        },
        waitingRows: 3,
      },
      access: { takesAnonymousDevices: false },
    },
    continues,
    () => state.nowMs,
  );
  const database = () => readiness.checks(false).find(({ name }) => name === 'database')!;
  return { state, database, readiness };
}

test('the database is tried once a second, however often anyone asks', () => {
  const { state, database } = watched();
  for (let i = 0; i < 1_000; i++) assert.equal(database().ok, true);
  assert.equal(state.probes, 1);
  state.failure = new StoreError('full', 'The disk is full.');
  state.nowMs = 999;
  assert.equal(database().ok, true);
  for (state.nowMs = 1_000; state.nowMs < 2_000; state.nowMs += 100) {
    assert.deepEqual([database().ok, database().message], [false, 'The disk is full.']);
  }
  assert.equal(state.probes, 2);
  state.failure = null;
  assert.equal(database().ok, true);
  assert.equal(state.probes, 3);
});

test('a commit that failed is told at once, and is no obstacle where cuts go on', () => {
  for (const continues of [false, true]) {
    const { state, database } = watched(continues);
    assert.equal(database().ok, true);
    state.isHealthy = false;
    assert.match(database().message!, /^the last commit failed; 3 decisions wait/);
    assert.deepEqual([database().ok, database().degraded], [continues, continues]);
  }
});

test('damage that is found while it runs is told, and what can be decided is decided', () => {
  const { readiness } = watched();
  assert.deepEqual(
    readiness.checks(false).map(({ name }) => name),
    ['database', 'process'],
  );
  readiness.damage = new StoreError('corrupt', 'The database is damaged.');
  const check = readiness.checks(false).find(({ name }) => name === 'database-check');
  assert.deepEqual([check?.ok, check?.degraded, check?.message], [true, true, 'The database is damaged.']);
});
