import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import type { Store } from '../../src/control/ports.js';
import { openStore } from '../../src/store/store.js';
import { decisionOf, deploymentOf, device, model, profileOf, sample } from './records.js';

const folder = mkdtempSync(join(tmpdir(), 'cutpoint-store-'));
after(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;
const freshFile = () => join(folder, `${++files}`, 'cutpoint.db');

function withStore<T>(use: (store: Store) => T): T {
  const store = openStore({ file: ':memory:' });
  try {
    return use(store);
  } finally {
    store.close();
  }
}

const readyModel = { ...sample(model, 1), id: 'm1' };
const deployment = { ...sample(deploymentOf('m1'), 2), id: 'p1', version: 3 };

test('every model comes back as it was saved, also when it is saved twice', () => {
  withStore((store) => {
    fc.assert(
      fc.property(model, model, (first, second) => {
        store.saveModel(first);
        assert.deepEqual(store.model(first.id), first);
        const changed = { ...second, id: first.id };
        store.saveModel(changed);
        assert.deepEqual(store.model(first.id), changed);
        assert.deepEqual(
          store.modelSummaries().map((summary) => ({ ...summary, graph: changed.graph })),
          [changed],
        );
        assert.ok(store.modelSummaries().every((summary) => !('graph' in summary)));
        assert.deepEqual(store.models(), [changed]);
        store.deleteModel(first.id);
        assert.equal(store.model(first.id), null);
      }),
    );
  });
});

test('every profile comes back as it was saved and goes with its model', () => {
  withStore((store) => {
    store.saveModel(readyModel);
    fc.assert(
      fc.property(profileOf('m1'), (profile) => {
        store.saveProfile(profile);
        assert.deepEqual(store.profiles('m1'), [profile]);
        store.deleteProfile(profile.id);
        assert.deepEqual(store.profiles('m1'), []);
      }),
    );
    store.saveProfile(sample(profileOf('m1'), 3));
    store.deleteModel('m1');
    assert.deepEqual(store.profiles('m1'), []);
  });
});

test('every device comes back as it was saved', () => {
  withStore((store) => {
    fc.assert(
      fc.property(fc.uniqueArray(device, { selector: (one) => one.id, maxLength: 5 }), (devices) => {
        store.saveDevices(devices);
        const byId = (a: { id: string }, b: { id: string }) => a.id.localeCompare(b.id);
        assert.deepEqual(store.devices().sort(byId), [...devices].sort(byId));
        for (const one of devices) store.deleteDevice(one.id);
        assert.deepEqual(store.devices(), []);
      }),
    );
  });
});

test('every deployment comes back as it was saved', () => {
  withStore((store) => {
    store.saveModel(readyModel);
    fc.assert(
      fc.property(deploymentOf('m1'), (record) => {
        store.saveDeployment(record);
        assert.deepEqual(store.deployments(), [record]);
        store.deleteDeployment(record.id);
        assert.deepEqual(store.deployments(), []);
      }),
    );
  });
});

test('a commit moves version, cut and reports of a deployment and nothing else', () => {
  withStore((store) => {
    store.saveModel(readyModel);
    store.saveDeployment(deployment);
    const progress = { ...sample(deploymentOf('other'), 7), id: 'p1', version: 4 };
    assert.deepEqual(store.commit([sample(decisionOf('p1'), 8)], [progress]), []);
    assert.deepEqual(store.deployments(), [
      {
        ...deployment,
        version: 4,
        cut: progress.cut,
        reported: progress.reported,
        lastGood: progress.lastGood,
        updatedAtMs: progress.updatedAtMs,
      },
    ]);
  });
});

test('a version never goes back, and a deleted deployment stays deleted', () => {
  withStore((store) => {
    store.saveModel(readyModel);
    store.saveDeployment(deployment);
    assert.throws(() => store.saveDeployment({ ...deployment, version: 2 }), { code: 'version-back' });
    const gone = { ...deployment, id: 'gone' };
    assert.deepEqual(store.commit([], [{ ...deployment, version: 2 }, gone]), ['p1', 'gone']);
    assert.deepEqual(store.deployments(), [deployment]);
  });
});

test('a commit is whole or not at all', () => {
  withStore((store) => {
    store.saveModel(readyModel);
    store.saveDeployment(deployment);
    const good = sample(decisionOf('p1'), 4);
    const bad = { ...good, searchNanoseconds: 0.5 };
    assert.throws(() => store.commit([good, bad], [{ ...deployment, version: 9 }]), { code: 'constraint' });
    assert.deepEqual(store.decisions('p1', { limit: 10 }), []);
    assert.deepEqual(store.deployments(), [deployment]);
  });
});

test('an imported model is stored with its profile or stays as it was', () => {
  withStore((store) => {
    const importing = { ...readyModel, status: 'importing' as const, graph: null };
    store.saveModel(importing);
    const profile = sample(profileOf('m1'), 3);
    assert.throws(() => store.saveImport(readyModel, { ...profile, createdAtMs: 0.5 }), {
      code: 'constraint',
    });
    assert.deepEqual([store.models(), store.profiles('m1')], [[importing], []]);
    store.saveImport(readyModel, profile);
    assert.deepEqual([store.models(), store.profiles('m1')], [[readyModel], [profile]]);
  });
});

test('a model in use is not deleted, a deployment of an unknown model is not saved', () => {
  withStore((store) => {
    assert.throws(() => store.saveDeployment(deployment), {
      code: 'constraint',
      message: /Cannot save the deployment/,
    });
    store.saveModel(readyModel);
    store.saveDeployment(deployment);
    assert.throws(() => store.deleteModel('m1'), { code: 'constraint', message: /Cannot delete the model/ });
    assert.deepEqual(store.model('m1'), readyModel);
  });
});

test('everything is there after a restart', () => {
  const file = freshFile();
  const before = openStore({ file });
  const profile = sample(profileOf('m1'), 10);
  const devices = [sample(device, 11)];
  const decision = sample(decisionOf('p1'), 12);
  before.saveModel(readyModel);
  before.saveProfile(profile);
  before.saveDevices(devices);
  before.saveDeployment(deployment);
  before.commit([decision], [{ ...deployment, version: 4 }]);
  before.probe();
  before.close();
  const after = openStore({ file });
  assert.deepEqual(after.models(), [readyModel]);
  assert.deepEqual(after.profiles('m1'), [profile]);
  assert.deepEqual(after.devices(), devices);
  assert.deepEqual(after.deployments(), [{ ...deployment, version: 4 }]);
  const { id, ...record } = after.decisions('p1', { limit: 1 })[0]!;
  assert.equal(id, 1);
  assert.deepEqual(record, decision);
  after.close();
});

test('two stores in one process do not meet', () => {
  withStore((one) =>
    withStore((other) => {
      one.saveModel(readyModel);
      assert.deepEqual(other.models(), []);
    }),
  );
});

test('the database is for the eyes of its owner alone, also in a folder that was there before, and an older one', () => {
  const file = freshFile();
  mkdirSync(dirname(file), { recursive: true, mode: 0o755 });
  const all = ['', '-wal', '-shm', '.lock'].map((suffix) => `${file}${suffix}`);
  const modes = () => all.map((path) => (statSync(path).mode & 0o777).toString(8));
  const umask = process.umask(0o022);
  try {
    openStore({ file }).close();
    chmodSync(file, 0o644); // what a version before this one made
    const store = openStore({ file });
    store.saveModel(readyModel);
    assert.deepEqual(modes(), ['600', '600', '600', '600']);
    store.close();
  } finally {
    process.umask(umask);
  }
});
