import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { LoadReport } from '../../bench/load/results.js';

const main = fileURLToPath(new URL('../../bench/load/main.js', import.meta.url));

describe('the load benchmark', () => {
  it('loads a real controller beside a bare server, restarts it, and tells the figures that others read', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'cutpoint-bench-load-'));
    try {
      const json = join(folder, 'load.json');
      const page = join(folder, 'load.md');
      const args = [main, '--tiny', '--json', json, '--report', page];
      await promisify(execFile)(process.execPath, args, { timeout: 120_000 });
      const report = JSON.parse(await readFile(json, 'utf8')) as LoadReport;
      assert.deepEqual([report.devices, report.deployments], [100, 50]);
      const { ceiling, maximum, half, overload, reconnect } = report;
      const above0 = {
        ceiling: ceiling.framesPerSecond,
        maximum: maximum.framesPerSecond,
        half: half.framesPerSecond,
        p50: half.telemetryToCutMs?.p50,
        p99: half.telemetryToCutMs?.p99,
        max: half.telemetryToCutMs?.max,
        collections: half.collections.young.count,
        offered: overload.offeredPerSecond,
        served: overload.servedPerSecond,
        rssPerDevice: report.rssPerDeviceBytes,
        seconds: reconnect.seconds,
      };
      for (const [name, value] of Object.entries(above0)) {
        assert.ok(typeof value === 'number' && value > 0, `${name} is ${String(value)}`);
      }
      assert.ok(overload.droppedFrames >= 0 && Number.isFinite(overload.rssGrowthBytes));
      assert.ok(overload.p99Ms === null || overload.p99Ms > 0);
      assert.deepEqual(
        [reconnect.devicesBack, reconnect.wrongCuts, reconnect.replayedCuts],
        [100, 0, 0],
        'after the restart each device is back and runs what is on record',
      );
      const refused = report.refusals.filter(([text]) => !text.startsWith('close '));
      assert.deepEqual(refused, [], 'the controller refused nothing of this load');
      assert.ok(report.profile.modules.some(({ module }) => module.startsWith('src/')));
      const text = await readFile(page, 'utf8');
      for (const part of ['Targets', 'Overload', 'Restart', 'Where the time goes', 'How it was measured']) {
        assert.match(text, new RegExp(`## ${part}`));
      }
      for (const chart of ['rates', 'latency', 'memory', 'profile']) {
        assert.ok(existsSync(join(folder, `load-${chart}.svg`)), chart);
      }
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
