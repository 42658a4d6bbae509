/** A small share of `npm run fuzz`, and each input that once found something. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createDecoder } from '../../src/ws/codec.js';
import { fuzzAll, type Fuzzed } from './fuzzAll.js';
import { ImportWorker } from './models/importWorker.js';
import { sharedMissing } from './models/seeds.js';

describe('rubbish through the real code', () => {
  let folder: string;
  let result: Fuzzed;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cutpoint-fuzz-test-'));
    const plan = { frames: 20_000, socketFrames: 2_000, models: 150, requests: 1_000, seed: 11, workers: 1 };
    result = await fuzzAll(plan, folder, join(folder, 'findings'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it('frames cost their sender, nobody else', () => {
    assert.deepEqual(result.frames!.findings, []);
    assert.equal(result.frames!.frames, 20_000);
  });

  it('requests get an answer that the document knows', () => {
    assert.deepEqual(result.requests!.findings, []);
    assert.ok(result.requests!.resets >= 50, `${result.requests!.resets} were reset`);
    // where nothing is refused or nothing is done, the requests did not reach what they are meant for
    const statuses = Object.keys(result.requests!.statuses);
    for (const status of ['200', '400', '404']) assert.ok(statuses.includes(status), statuses.join(' '));
  });

  it('models are imported or refused', (t) => {
    if (sharedMissing !== null) t.diagnostic(sharedMissing);
    assert.deepEqual(result.models!.findings, []);
    const outcomes = Object.keys(result.models!.outcomes);
    for (const outcome of ['imported', 'refused truncated', 'refused bad-graph']) {
      assert.ok(outcomes.includes(outcome), outcomes.join(', '));
    }
  });
});

describe('what once found something', () => {
  const corpus = new URL('../../../test/fuzz/corpus/', import.meta.url).pathname;

  it('frames are decoded or refused', async () => {
    const decode = createDecoder(8);
    const frames = JSON.parse(await readFile(join(corpus, 'frames.json'), 'utf8')) as {
      text: string;
      repeat?: [part: string, times: number];
      code: string;
    }[];
    assert.ok(frames.length > 0);
    for (const { text, repeat, code } of frames) {
      const data = Buffer.from(repeat === undefined ? text : text.replace('…', repeat[0].repeat(repeat[1])));
      const decoded = decode(data, false);
      assert.equal(decoded.ok ? 'ok' : decoded.code, code, text);
    }
  });

  it('models are refused', async () => {
    const files = (await readdir(corpus)).filter((name) => name.endsWith('.onnx'));
    assert.ok(files.length > 0);
    const folder = await mkdtemp(join(tmpdir(), 'cutpoint-corpus-'));
    const worker = new ImportWorker();
    try {
      for (const file of files) {
        const outcome = await worker.import({ file: join(corpus, file), inputs: {} }, folder);
        assert.equal(outcome.outcome, 'refused', `${file}: ${JSON.stringify(outcome)}`);
      }
    } finally {
      await worker.close();
      await rm(folder, { recursive: true, force: true });
    }
  });
});
