import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { deviceScenarios } from '../../src/conformance/deviceScenarios.js';
import { nameOf } from '../../src/conformance/scenario.js';
import { serverScenarios } from '../../src/conformance/serverScenarios.js';
import { packageRoot } from '../../src/packageRoot.js';
import { runCutpoint } from '../support/runCutpoint.js';

describe('docs/conformance.md', () => {
  it('has each scenario with its promise and no other (npm run schemas:write)', () => {
    const page = readFileSync(join(packageRoot(), 'docs', 'conformance.md'), 'utf8');
    const written = [...page.matchAll(/^\| `(\S+)` +\| (.*?) +\|$/gm)].map(
      ([, name, promise]) => `${name}: ${promise}`,
    );
    const known = [...serverScenarios, ...deviceScenarios].map(
      (scenario) => `${nameOf(scenario)}: ${scenario.promise}`,
    );
    assert.deepEqual(written.sort(), known.sort());
  });
});

describe('cutpoint conformance', () => {
  it('lists what it holds', async () => {
    const { code, stdout } = await runCutpoint(['conformance', '--device', '--list', '--json']);
    assert.equal(code, 0);
    assert.equal((JSON.parse(stdout) as unknown[]).length, deviceScenarios.length);
  });

  const wrong: readonly (readonly [string, readonly string[]])[] = [
    ['what is to be checked', []],
    ['not both', ['--server', 'http://127.0.0.1:1', '--device']],
    ['needs --device', ['--server', 'http://127.0.0.1:1', '--', 'node']],
    ['no address', ['--server', 'localhost']],
    ['no scenario begins with "weather"', ['--list', '--only', 'weather']],
  ];
  for (const [message, args] of wrong) {
    it(`refuses a command line with exit code 2: ${message}`, async () => {
      const { code, stderr } = await runCutpoint(['conformance', ...args]);
      assert.equal(code, 2);
      assert.ok(stderr.includes(message), stderr);
    });
  }

  it('fails with exit code 1 where no server answers', async () => {
    const { code, stderr, stdout } = await runCutpoint([
      'conformance',
      '--server',
      'http://127.0.0.1:1',
      '--only',
      'hello/minimal',
    ]);
    assert.equal(code, 1);
    assert.match(`${stderr}${stdout}`, /ECONNREFUSED/);
  });
});
