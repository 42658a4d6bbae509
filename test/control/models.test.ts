import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ImportRefused } from '../../src/control/ports.js';
import { modelId } from '../../src/control/models.js';
import { controlRig } from '../support/controlRig.js';
import { smallImporter } from '../support/smallModel.js';

/** An importer that waits to be let on. */
function held() {
  let letOn = () => {};
  const gate = new Promise<void>((resolve) => (letOn = resolve));
  return { importer: smallImporter(() => gate), letOn: () => letOn() };
}

describe('models', () => {
  it('imports a file that is sent twice at once a single time', async () => {
    const { importer, letOn } = held();
    const rig = await controlRig({ importer });
    try {
      const first = await rig.upload();
      const second = await rig.upload();
      assert.deepEqual([first.existed, second.existed, first.id === second.id], [false, true, true]);
      letOn();
      await Promise.all([first.done, second.done]);
      const third = await rig.upload();
      await third.done;
      assert.equal(importer.files.length, 1);
      assert.equal(rig.control.models.get(first.id).status, 'ready');
      assert.equal(rig.control.profiles.ofModel(first.id).length, 1);
    } finally {
      await rig.dispose();
    }
  });

  it('takes the same bytes with other input shapes for another model', () => {
    const a = modelId('00', { x: { shape: [1, 3] }, y: { shape: [2] } });
    assert.equal(a, modelId('00', { y: { shape: [2] }, x: { shape: [1, 3] } }), 'whatever their order');
    assert.notEqual(a, modelId('00', { x: { shape: [1, 4] }, y: { shape: [2] } }));
    assert.notEqual(a, modelId('00', { x: { shape: [1, 3], fill: 1 }, y: { shape: [2] } }));
  });

  it('bounds the imports that wait and the models that are kept', async () => {
    const { importer, letOn } = held();
    const rig = await controlRig({ importer });
    try {
      const uploads = [await rig.upload('one'), await rig.upload('two')];
      await assert.rejects(rig.upload('three'), { code: 'import-queue-full' });
      letOn();
      await Promise.all(uploads.map((upload) => upload.done));
      await (
        await rig.upload('three')
      ).done;
      await assert.rejects(rig.upload('four'), { code: 'too-many-models' });
      const caps = rig.recorded.of('capHit').map(([cap]) => cap);
      assert.deepEqual(caps, ['importQueue', 'models']);
    } finally {
      await rig.dispose();
    }
  });

  it('keeps why a file was refused but not the file, and gives its place to the next', async () => {
    const importer = smallImporter(() => Promise.reject(new ImportRefused('not-onnx', 'No ONNX file.')));
    const rig = await controlRig({ importer });
    try {
      for (const name of ['one', 'two', 'three', 'four']) {
        const { id, done } = await rig.upload(name);
        await done;
        const { status, error, sha256 } = rig.control.models.get(id);
        assert.deepEqual([status, error], ['failed', { code: 'not-onnx', message: 'No ONNX file.' }]);
        assert.equal(existsSync(join(rig.folder, 'models', `${sha256}.onnx`)), false);
      }
      assert.equal(rig.control.models.list().length, 3);
      assert.equal(rig.store.modelSummaries().length, 3);
    } finally {
      await rig.dispose();
    }
  });

  it('goes on after a restart with an import that was under way', async () => {
    const first = await controlRig({ importer: held().importer });
    const { id } = await first.upload();
    await first.halt();
    const second = await controlRig({ folder: first.folder });
    try {
      assert.equal(second.control.models.get(id).status, 'importing');
      await (
        await second.upload()
      ).done;
      assert.equal(second.control.models.get(id).status, 'ready');
    } finally {
      await second.halt();
      await rm(first.folder, { recursive: true, force: true });
    }
  });

  it('is not held up by the import of a model that is deleted meanwhile', async () => {
    let signalled: AbortSignal | undefined;
    const importer = smallImporter();
    const rig = await controlRig({
      importer: {
        ...importer,
        import: (file, options, hooks) =>
          signalled === undefined
            ? new Promise((_resolve, reject) => {
                signalled = hooks.signal;
                hooks.signal?.addEventListener('abort', () => reject(new Error('stopped')));
              })
            : importer.import(file, options, hooks),
      },
    });
    try {
      const first = await rig.upload('first');
      const second = await rig.upload('second');
      await new Promise((resolve) => setImmediate(resolve));
      await rig.control.operations.removeModel(first.id);
      assert.equal(signalled?.aborted, true);
      await second.done;
      assert.deepEqual(
        rig.control.models.list().map((model) => [model.id, model.status]),
        [[second.id, 'ready']],
      );
    } finally {
      await rig.dispose();
    }
  });
});
