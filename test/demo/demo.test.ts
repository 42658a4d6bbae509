import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DemoSummary } from '../../src/demo/summary.js';
import { mainScript, runCutpoint } from '../support/runCutpoint.js';
import { assertWellFormed } from '../support/xml.js';

// The demo gets a folder for temporary files of its own, which also marks every process that it starts.
let folder = '';
let temporary = '';
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'cutpoint-test-'));
  temporary = mkdtempSync(join(folder, 'tmp-'));
});
after(() => {
  rmSync(folder, { recursive: true, force: true });
});

interface Running {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

function startDemo(args: readonly string[]): Running {
  const child = spawn(process.execPath, [mainScript, 'demo', ...args], {
    cwd: folder,
    env: { ...process.env, TMPDIR: temporary },
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once('close', (code, signal) => {
      resolve({ code, signal });
    });
  });
  return { child, output: () => output, ended };
}

/** Processes that were started with our folder for temporary files; null where /proc cannot tell. */
function startedProcesses(): string[] | null {
  if (!existsSync('/proc/self/environ')) return null;
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`TMPDIR=${temporary}`);
    } catch {
      return false; // it ended meanwhile, or belongs to someone else
    }
  });
}

async function assertNothingLeft(): Promise<void> {
  assert.deepEqual(readdirSync(temporary), [], 'no temporary folder is left');
  // A process that was just ended may stay in /proc for a moment.
  for (let tries = 0; tries < 20 && (startedProcesses()?.length ?? 0) > 0; tries += 1) await sleep(50);
  assert.deepEqual(startedProcesses() ?? [], [], 'no process is left');
}

async function waitFor(demo: Running, pattern: RegExp): Promise<void> {
  while (!pattern.test(demo.output())) {
    assert.equal(demo.child.exitCode, null, `ended early: ${demo.output()}`);
    await sleep(20);
  }
}

test('a short run ends by itself with sane figures and a chart, and leaves nothing', async () => {
  const chart = join(folder, 'chart.svg');
  const json = join(folder, 'summary.json');
  const demo = startDemo(['--seconds', '3', '--devices', '2', '--chart', chart, '--json', json]);
  const { code } = await demo.ended;
  assert.equal(code, 0, demo.output());
  const summary = JSON.parse(readFileSync(json, 'utf8')) as DemoSummary;
  assert.equal(summary.devices, 2);
  assert.equal(summary.seconds, 3);
  // Two devices and two edges that report twice a second.
  assert.ok(summary.frames >= 8, `${summary.frames} frames`);
  assert.ok(summary.decisions >= 4, `${summary.decisions} decisions`);
  assert.ok(summary.searchMicroseconds.p50! > 0);
  assert.ok(summary.searchMicroseconds.p99! >= summary.searchMicroseconds.p50!);
  const { chosen, deviceOnly, edgeOnly } = summary.meanPredictedLatencySeconds!;
  // Neither device asks for anything but speed and both can hold their model: no answer is quicker.
  assert.ok(chosen > 0 && chosen <= deviceOnly * (1 + 1e-9) && chosen <= edgeOnly * (1 + 1e-9));
  assert.equal(
    summary.perDevice.reduce((sum, device) => sum + device.decisions, 0),
    summary.decisions,
  );
  const svg = readFileSync(chart, 'utf8');
  assertWellFormed(svg);
  assert.equal(svg.match(/class="panel"/g)?.length, 2);
  assert.match(demo.output(), /phone-1 mobilenet-v2: uplink .*, cut \d+\|\d+/);
  assert.doesNotMatch(demo.output(), /\x1b/, 'no control characters without a terminal');
  await assertNothingLeft();
});

for (const [signal, exitCode, moment] of [
  ['SIGINT', 130, /cut \d+\|\d+/],
  ['SIGTERM', 143, /importing/],
] as const) {
  test(`${signal} stops everything and leaves nothing`, async () => {
    const demo = startDemo(['--seconds', '60', '--devices', '1', '--chart', join(folder, 'no.svg')]);
    await waitFor(demo, moment);
    demo.child.kill(signal);
    assert.deepEqual(await demo.ended, { code: exitCode, signal: null }, demo.output());
    assert.match(demo.output(), /interrupted; the demo is stopped and cleaned up/);
    assert.doesNotMatch(demo.output(), /\n {4}at /);
    assert.ok(!existsSync(join(folder, 'no.svg')));
    await assertNothingLeft();
  });
}

test('a killed demo leaves no process', async (t) => {
  if (startedProcesses() === null) {
    t.skip('no /proc here: processes that are left cannot be found');
    return;
  }
  const demo = startDemo(['--seconds', '60', '--devices', '1', '--chart', join(folder, 'no.svg')]);
  await waitFor(demo, /cut \d+\|\d+/);
  demo.child.kill('SIGKILL');
  await demo.ended;
  const deadline = Date.now() + 15_000;
  while (startedProcesses()!.length > 0 && Date.now() < deadline) await sleep(100);
  assert.deepEqual(startedProcesses(), []);
  for (const name of readdirSync(temporary)) rmSync(join(temporary, name), { recursive: true });
});

test('what cannot be read or written is told before anything is started', async () => {
  const cases: [string[], number, RegExp][] = [
    [['--trace', join(folder, 'none.csv')], 1, /none\.csv: no such file/],
    [['--trace', mainScript], 1, /main\.js: line 1: the header must be/],
    [['--chart', join(folder, 'no', 'chart.svg')], 1, /chart\.svg cannot be written: .*no is no folder/],
    [['--seconds', '0'], 2, /--seconds.*from 1 to 3600/],
    [['--devices', '65'], 2, /--devices.*from 1 to 64/],
  ];
  for (const [args, code, message] of cases) {
    const ran = await runCutpoint(['demo', ...args]);
    assert.equal(ran.code, code, ran.stderr);
    assert.match(ran.stderr, message);
    assert.equal(ran.stderr.trimEnd().split('\n').length, 1);
  }
});
