import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import BetterSqlite from 'better-sqlite3';
import fc from 'fast-check';
import type { Store } from '../../src/control/ports.js';
import { openStore } from '../../src/store/store.js';
import { brokenLinks } from './brokenLinks.js';
import { decisionOf, deploymentOf, model, sample } from './records.js';

const folder = mkdtempSync(join(tmpdir(), 'cutpoint-history-'));
after(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;

/** A store with a model, which goes on from run to run of a property: a smaller case would begin elsewhere; and another connection to its database. */
function withStore(use: (store: Store, beside: BetterSqlite.Database) => void): void {
  const file = join(folder, `${++files}.db`);
  const store = openStore({ file });
  const beside = new BetterSqlite(file, { readonly: true });
  try {
    store.saveModel({ ...sample(model, 1), id: 'm1' });
    use(store, beside);
  } finally {
    beside.close();
    store.close();
  }
}

const ids = ['p1', 'p2', 'p3'] as const;
const deployments = new Map(
  ids.map((id, seed) => [id, { ...sample(deploymentOf('m1'), seed), id, version: 5 }]),
);
const rows = new Map(ids.map((id, seed) => [id, sample(decisionOf(id), seed)]));
const record = rows.get('p1')!;

const anyId = fc.constantFrom(...ids);
const progress = fc.record({ id: anyId, version: fc.constantFrom(4, 5) }); // 4 is refused: 5 is stored
const step = fc.oneof(
  fc.record({
    do: fc.constant('commit' as const),
    rows: fc.array(anyId, { maxLength: 6 }),
    progress: fc.uniqueArray(progress, { selector: ({ id }) => id }),
  }),
  fc.record({ do: fc.constant('save' as const), id: anyId }),
  fc.record({ do: fc.constant('prune' as const), keepRows: fc.integer({ min: 1, max: 12 }) }),
);

test('every decision comes back as it was committed, newest first, page by page', () => {
  withStore((store) => {
    fc.assert(
      fc.property(fc.uuid(), fc.integer({ min: 1, max: 4 }), fc.gen(), (deploymentId, limit, draw) => {
        const records = [0, 1, 2, 3, 4].map(() => draw(() => decisionOf(deploymentId)));
        store.saveDeployment({ ...deployments.get('p1')!, id: deploymentId });
        store.commit(records, []);
        const read = [];
        for (let beforeId: number | undefined; ;) {
          const page = store.decisions(deploymentId, { limit, beforeId });
          if (page.length === 0) break;
          assert.ok(page.length <= limit);
          read.push(...page);
          beforeId = page.at(-1)!.id;
        }
        const rowIds = read.map((one) => one.id);
        assert.deepEqual(
          rowIds,
          [...rowIds].sort((a, b) => b - a),
        );
        rowIds.reverse();
        assert.deepEqual(
          [...read].reverse(),
          records.map((one, index) => ({ ...one, id: rowIds[index] })),
        );
      }),
      { numRuns: 40, endOnFailure: true },
    );
  });
});

test('each page of each deployment is what its rows say, whatever was committed, refused, saved and pruned before', () => {
  withStore((store, beside) => {
    const due = beside
      .prepare<[string, number, number], number>(
        'SELECT id FROM decisions WHERE deployment_id = ? AND id < ? ORDER BY id DESC LIMIT ?',
      )
      .pluck();
    const ownerOf = beside
      .prepare<[number], string>('SELECT deployment_id FROM decisions WHERE id = ?')
      .pluck();
    const newest = beside.prepare<[], number | null>('SELECT max(id) FROM decisions').pluck();
    const assertPages = (limit: number) => {
      const last = newest.get() ?? 0;
      for (const id of ids) {
        // every row of it and of others, those that are gone and those that never were
        for (let beforeId = Math.max(0, last - 40); beforeId <= last + 2; beforeId++) {
          const page = () => store.decisions(id, { limit, beforeId }).map((row) => row.id);
          if ((ownerOf.get(beforeId) ?? id) !== id) assert.throws(page, /of another deployment/);
          else assert.deepEqual(page(), due.all(id, beforeId, limit), `${id} before ${beforeId}`);
        }
        const page = store.decisions(id, { limit }).map((row) => row.id);
        assert.deepEqual(page, due.all(id, Number.MAX_SAFE_INTEGER, limit));
      }
      assert.deepEqual(brokenLinks(beside), []);
    };
    for (const one of deployments.values()) store.saveDeployment(one);
    fc.assert(
      fc.property(fc.array(step, { maxLength: 8 }), fc.integer({ min: 1, max: 6 }), (steps, limit) => {
        for (const one of steps) {
          if (one.do === 'save') store.saveDeployment(deployments.get(one.id)!);
          else if (one.do === 'prune') store.pruneDecisions(one.keepRows, 100);
          else {
            const moved = one.progress.map(({ id, version }) => ({ ...deployments.get(id)!, version }));
            const refused = store.commit(
              one.rows.map((id) => rows.get(id)!),
              moved,
            );
            assert.deepEqual(
              refused,
              moved.filter(({ version }) => version === 4).map(({ id }) => id),
            );
          }
        }
        assertPages(limit);
      }),
      { numRuns: 60, endOnFailure: true },
    );
  });
});

test('a commit that fails leaves the history as it was', () => {
  withStore((store, beside) => {
    store.saveDeployment(deployments.get('p1')!);
    store.commit([record], []);
    assert.throws(() => store.commit([record, { ...record, searchNanoseconds: 0.5 }], []), {
      code: 'constraint',
    });
    assert.deepEqual(
      store.decisions('p1', { limit: 10 }).map(({ id }) => id),
      [1],
    );
    store.commit([record], []);
    assert.equal(store.decisions('p1', { limit: 10 }).length, 2);
    assert.deepEqual(brokenLinks(beside), []);
  });
});

test('rows of a deployment that is gone stay until they are pruned; one that is made anew begins its own', () => {
  withStore((store, beside) => {
    const count = beside.prepare<[], number>('SELECT count(*) FROM decisions').pluck();
    const pages = () => store.decisions('p1', { limit: 10 }).map(({ id }) => id);
    store.saveDeployment(deployments.get('p1')!);
    store.commit([record, record], []);
    store.deleteDeployment('p1');
    assert.deepEqual(store.commit([record], [deployments.get('p1')!]), ['p1']); // it waited meanwhile
    assert.deepEqual([count.get(), pages()], [3, []]);
    store.saveDeployment(deployments.get('p1')!);
    assert.deepEqual(pages(), []);
    store.commit([record, record], []);
    assert.deepEqual(pages(), [5, 4]);
    assert.equal(store.pruneDecisions(1, 10), 4);
    assert.deepEqual(pages(), [5]);
  });
});

test('decisions above the cap go in batches, the oldest first', () => {
  withStore((store) => {
    store.saveDeployment(deployments.get('p1')!);
    store.commit(
      Array.from({ length: 100 }, (_, index) => ({ ...record, atMs: index })),
      [],
    );
    assert.equal(store.pruneDecisions(100, 10), 0);
    assert.equal(store.pruneDecisions(35, 30), 30);
    assert.equal(store.pruneDecisions(35, 30), 30);
    assert.equal(store.pruneDecisions(35, 30), 5);
    assert.equal(store.pruneDecisions(35, 30), 0);
    const kept = store.decisions('p1', { limit: 1000 }).map((one) => one.atMs);
    assert.deepEqual(
      kept,
      Array.from({ length: 35 }, (_, index) => 99 - index),
    );
    store.commit([{ ...record, atMs: 100 }], []);
    assert.equal(store.pruneDecisions(35, 30), 1);
    assert.throws(() => store.pruneDecisions(0, 1), /keepRows must be a whole number from 1, not 0/);
  });
});
