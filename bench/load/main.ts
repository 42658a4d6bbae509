/** `npm run bench:load`: the controller under the load of a large fleet, beside a bare server. Progress on stderr. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, loadavg, platform, release, tmpdir, totalmem } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { packageRoot } from '../../src/packageRoot.js';
import { fullEffort, quickEffort, tinyEffort, type Effort } from './effort.js';
import { LoadRun } from './loadRun.js';
import { cores } from './pinned.js';
import { writeReport } from './report.js';
import type { LoadReport } from './results.js';
import { verdictsOf } from './targets.js';

const help = `npm run bench:load -- [options]
  --quick         1,000 devices, short stretches: within 50 seconds instead of 10 minutes
  --tiny          100 devices for some seconds: to see that it runs
  --devices N     so many devices (an even number)
  --seconds S     so long a stretch of half load and of overload
  --json FILE     where the figures go (default: bench/results/load.json)
  --report FILE   where the report goes, its charts beside it (default: docs/load.md; bench/results/load.md for any run
                  but the whole one)`;

interface Flags {
  readonly quick: boolean;
  readonly effort: Effort;
  readonly json: string;
  readonly page: string;
}

function readFlags(): Flags | null {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      tiny: { type: 'boolean', default: false },
      devices: { type: 'string' },
      seconds: { type: 'string' },
      json: { type: 'string' },
      report: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return null;
  const results = join(packageRoot(), 'bench', 'results');
  const isWhole =
    !values.quick && !values.tiny && values.devices === undefined && values.seconds === undefined;
  const effort = values.tiny ? tinyEffort : values.quick ? quickEffort : fullEffort;
  const pairs = values.devices === undefined ? effort.pairs : Number(values.devices) / 2;
  if (!Number.isInteger(pairs) || pairs < 2) throw new RangeError('--devices: an even number from 4');
  const seconds = values.seconds === undefined ? null : Number(values.seconds);
  return {
    quick: !isWhole,
    effort: {
      ...effort,
      pairs,
      probes: Math.min(effort.probes, Math.ceil(pairs / 10)),
      ...(seconds === null ? {} : { halfSeconds: seconds, overloadSeconds: seconds }),
    },
    json: resolve(values.json ?? join(results, 'load.json')),
    page: resolve(
      values.report ?? (isWhole ? join(packageRoot(), 'docs', 'load.md') : join(results, 'load.md')),
    ),
  };
}

function readTraces(): { readonly name: string; readonly text: string }[] {
  const folder = join(packageRoot(), '..', 'shared', 'traces');
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((file) => file.endsWith('.csv'))
    .sort()
    .map((file) => ({ name: file.replace(/\.csv$/, ''), text: readFileSync(join(folder, file), 'utf8') }));
}

async function main({ quick, effort, json, page }: Flags): Promise<void> {
  const startedAt = performance.now();
  const [load] = loadavg();
  const say = (text: string): void => {
    process.stderr.write(`${((performance.now() - startedAt) / 1e3).toFixed(0).padStart(4)} s  ${text}\n`);
  };
  const traces = readTraces();
  if (traces.length === 0) say('no recorded links beside the project: all links are random walks');
  const folder = await mkdtemp(join(tmpdir(), 'cutpoint-load-'));
  const run = new LoadRun(effort, traces, folder, say);
  try {
    const figures = await run.measure();
    const report: LoadReport = {
      takenAt: new Date().toISOString(),
      quick,
      seconds: (performance.now() - startedAt) / 1e3,
      machine: {
        cpu: cpus()[0]?.model ?? 'unknown',
        logicalCores: cpus().length,
        memoryBytes: totalmem(),
        node: process.version,
        platform: `${platform()} ${release()}`,
        loadAverage: load!,
        pinned: cores,
      },
      ...figures,
    };
    await mkdir(dirname(json), { recursive: true });
    await writeFile(json, `${JSON.stringify(report, null, 1)}\n`);
    await mkdir(dirname(page), { recursive: true });
    await writeReport(report, page);
    for (const { target, measured, isReached } of verdictsOf(report)) {
      say(`${isReached ? 'reached' : 'MISSED '}  ${target}: ${measured}`);
    }
    say(`wrote ${json} and ${page}`);
  } finally {
    await run.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

const flags = readFlags();
if (flags === null) console.log(help);
else await main(flags);
