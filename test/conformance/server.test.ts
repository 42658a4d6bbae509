import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { resultLines } from '../../src/conformance/report.js';
import { nameOf, topics } from '../../src/conformance/scenario.js';
import { checkServer, serverScenarios } from '../../src/conformance/serverScenarios.js';
import { adminKey } from '../support/credentials.js';
import { mustServe, type ServeProcess } from '../support/serveProcess.js';

/** Other tests run on the same machine. */
const patience = 4;

describe('the conformance scenarios against cutpoint serve', () => {
  let folder: string;
  let serve: ServeProcess;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cutpoint-conformance-'));
    serve = await mustServe(['--data', folder], {
      CUTPOINT_LIMITS__HELLO_TIMEOUT_MS: '1500',
      CUTPOINT_LIMITS__HEARTBEAT_MS: '800',
      CUTPOINT_DECISIONS__PREPARE_TIMEOUT_MS: '4000',
      CUTPOINT_IMPORT__RUNS: '5',
    });
  });
  after(async () => {
    await serve.end('SIGTERM');
    await rm(folder, { recursive: true, force: true });
  });

  it('are at least 60, for each row of the promises, with names of their own', () => {
    assert.ok(serverScenarios.length >= 60);
    for (const topic of topics)
      assert.ok(
        serverScenarios.some((scenario) => scenario.topic === topic),
        topic,
      );
    assert.equal(new Set(serverScenarios.map(nameOf)).size, serverScenarios.length);
  });

  it('all pass', async () => {
    const target = { origin: serve.origin, key: adminKey(serve.origin), prefix: 'test', patience };
    const results = await checkServer(target, serverScenarios, () => undefined);
    assert.equal(results.length, serverScenarios.length);
    const left = results.filter(({ verdict }) => verdict !== 'pass');
    assert.deepEqual(
      left.flatMap((result) => resultLines(result, true)),
      [],
    );
  });

  it('are skipped, and say what they need, where no device is let in', async () => {
    const target = { origin: serve.origin, key: null, prefix: 'keyless' };
    const played = await checkServer(target, serverScenarios, () => undefined);
    assert.deepEqual(
      played.filter(({ verdict }) => verdict === 'fail').map(({ name, reason }) => [name, reason]),
      [],
    );
    const skipped = played.filter(({ verdict }) => verdict === 'skipped');
    assert.ok(skipped.length > 100);
    for (const { name, reason } of skipped) assert.match(reason ?? '', /^needs /, name);
  });
});
