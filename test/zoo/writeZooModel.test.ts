import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { buildZooModel, writeZooModel, ZooError } from '../../src/zoo/zoo.js';

const folder = await mkdtemp(join(tmpdir(), 'cutpoint-zoo-'));
after(() => rm(folder, { recursive: true }));

test('the file on disk has the bytes of the model, and nothing is left beside it', async () => {
  const file = join(folder, 'squeezenet.onnx');
  const model = await writeZooModel('squeezenet-1.1', file, { seed: 5 });
  const written = await readFile(file);
  assert.equal(written.length, model.byteLength);
  assert.ok(written.equals(buildZooModel('squeezenet-1.1', { seed: 5 }).bytes()));
  assert.deepEqual(await readdir(folder), ['squeezenet.onnx']);
});

test('a folder that does not exist is an error that names the file', async () => {
  const file = join(folder, 'missing', 'net.onnx');
  await assert.rejects(
    writeZooModel('squeezenet-1.1', file, { weights: 'constant' }),
    (error) => error instanceof ZooError && error.code === 'cannot-write' && error.message.includes(file),
  );
});
