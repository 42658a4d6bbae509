import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ImportRefused } from '../../src/control/ports.js';
import { ImportFailed } from '../../src/onnx/importFailed.js';
import { createImporter } from '../../src/onnx/importer.js';
import { assertSound } from './support/invariants.js';
import { fileOf, graph, int64s, model, QUICK, twoConvolutions, value } from './support/smallModel.js';

const failsWith = (code: ImportFailed['code']) => (error: unknown) => {
  assert.ok(error instanceof ImportFailed, String(error));
  assert.equal(error.code, code);
  return true;
};

// A temp folder of this file's own: imports of other tests that run meanwhile leave no trace in it.
const ownTemp = mkdtempSync(join(tmpdir(), 'cutpoint-importer-test-'));
process.env['TMPDIR'] = ownTemp;
after(() => rmSync(ownTemp, { recursive: true, force: true }));

/** Folders of import processes that are there now. */
const leftovers = (): string[] =>
  readdirSync(tmpdir()).filter((name) => name.startsWith('cutpoint-importer-'));

test('a model is imported in another process, progress is told, and nothing is left behind', async (t) => {
  const importer = createImporter();
  t.after(() => importer.close());
  const file = await fileOf(t, twoConvolutions());
  const before = new Set(leftovers());
  const stages: string[] = [];
  const loaded = (): boolean =>
    (process.report.getReport() as { sharedObjects: string[] }).sharedObjects.some((each) =>
      each.includes('onnxruntime'),
    );
  const loadedBefore = loaded();
  const result = await importer.import(file, QUICK, { progress: (stage) => stages.push(stage) });
  assertSound(result);
  assert.deepEqual(stages.slice(0, 2), ['reading', 'measuring shapes']);
  assert.equal(loaded(), loadedBefore, 'the runtime was not loaded into this process');
  assert.equal(loadedBefore, false);
  assert.deepEqual(
    leftovers().filter((name) => !before.has(name)),
    [],
  );
});

test('a refusal comes through with its code and message', async (t) => {
  const importer = createImporter();
  t.after(() => importer.close());
  const file = await fileOf(t, Buffer.from('no model'));
  await assert.rejects(importer.import(file, QUICK, {}), (error) => {
    assert.ok(error instanceof ImportRefused);
    assert.equal(error.code, 'not-onnx');
    assert.equal(error.message, 'small.onnx is not an ONNX model.');
    return true;
  });
});

/** A loop that takes hours. */
async function endless(t: Parameters<typeof fileOf>[0]): Promise<string> {
  return fileOf(
    t,
    model(
      graph({
        nodes: [
          { type: 'Expand', reads: ['x', 'size'], writes: ['a'] },
          { type: 'Expand', reads: ['x', 'size'], writes: ['b'] },
          { type: 'MatMul', reads: ['a', 'b'], writes: ['c'] },
          { type: 'ReduceSum', reads: ['c'], writes: ['y'] },
        ],
        inputs: [value('x', [1, 1])],
        outputs: [value('y', null)],
        weights: [int64s('size', [12_000, 12_000])],
      }),
    ),
  );
}

test('an import that takes too long, or is called off, is stopped', async (t) => {
  const importer = createImporter({ timeoutSeconds: 0.5 });
  t.after(() => importer.close());
  const file = await endless(t);
  await assert.rejects(importer.import(file, QUICK, {}), failsWith('timeout'));
  await assert.rejects(
    importer.import(file, QUICK, { signal: AbortSignal.timeout(100) }),
    failsWith('aborted'),
  );
  await assert.rejects(importer.import(file, QUICK, { signal: AbortSignal.abort() }), failsWith('aborted'));
});

test(
  'an import that needs too much memory is stopped',
  { skip: process.platform !== 'linux' && 'memory is watched on Linux only' },
  async (t) => {
    const importer = createImporter({ maxMemoryBytes: 400 * 2 ** 20, timeoutSeconds: 60 });
    t.after(() => importer.close());
    await assert.rejects(importer.import(await endless(t), QUICK, {}), failsWith('out-of-memory'));
  },
);

test('only so many wait; closing turns away who waits and stops who runs', async (t) => {
  const importer = createImporter({ maxRunning: 1, maxWaiting: 1 });
  const file = await endless(t);
  const running = importer.import(file, QUICK, {});
  const waiting = importer.import(file, QUICK, {});
  const ends = [assert.rejects(running, failsWith('aborted')), assert.rejects(waiting, failsWith('closed'))];
  await assert.rejects(importer.import(file, QUICK, {}), failsWith('busy'));
  await importer.close();
  await Promise.all(ends);
  await assert.rejects(importer.import(file, QUICK, {}), failsWith('closed'));
});

test('imports take turns: each that waited is done', async (t) => {
  const importer = createImporter({ maxRunning: 1, maxWaiting: 4 });
  t.after(() => importer.close());
  const file = await fileOf(t, twoConvolutions());
  const results = await Promise.all([1, 2, 3].map(() => importer.import(file, QUICK, {})));
  for (const result of results) assert.deepEqual(result.graph, results[0]!.graph);
});

test('an operator that asks for absurd memory is refused without harm', async (t) => {
  const importer = createImporter();
  t.after(() => importer.close());
  const file = await fileOf(
    t,
    model(
      graph({
        nodes: [{ type: 'Expand', reads: ['x', 'size'], writes: ['y'] }],
        inputs: [value('x', [1])],
        outputs: [value('y', null)],
        weights: [int64s('size', [2 ** 50])],
      }),
    ),
  );
  await assert.rejects(importer.import(file, QUICK, {}), (error) => {
    assert.ok(error instanceof ImportRefused, String(error));
    assert.equal(error.code, 'cannot-run');
    return true;
  });
});
