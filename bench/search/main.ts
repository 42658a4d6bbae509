/** `npm run bench:search`: measures every model in a process of its own, writes JSON and a report. Progress on stderr. */
import { fork } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { cpus, loadavg, platform, release, totalmem } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { packageRoot } from '../../src/packageRoot.js';
import { catalogue, loadEntry, refusalOf, sharedFolder, type Entry, type Measured } from './catalogue.js';
import { sampleTrace, type TraceFile } from './contexts.js';
import { fullEffort, growthSeries, quickEffort, tiersOf } from './effort.js';
import type { Effort, Job, Reply } from './processMessages.js';
import { writeReport } from './report.js';
import type { GrowthResult, ModelResult, ProfileResult, SearchReport } from './results.js';

/** A full run that would take longer measures and checks the rest for a shorter time; `samples` and `checked` say so. */
const wholeSeconds = 840;

/** One that takes longer is ended and listed as left out. */
const jobSeconds = 150;

const profileSeconds = 1.5;

const help = `npm run bench:search -- [options]
  --quick         a few models, fewer contexts: within 50 seconds instead of 15 minutes
  --json FILE     where the figures go (default: bench/results/search.json)
  --report FILE   where the report goes, its charts beside it (default: docs/search.md; bench/results/search.md
                  for a run that is quick or of some models only)
  --models A,B    these models only`;

interface Flags {
  readonly quick: boolean;
  readonly json: string;
  readonly report: string;
  readonly only: readonly string[];
}

function readFlags(): Flags | null {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      json: { type: 'string' },
      report: { type: 'string' },
      models: { type: 'string', default: '' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return null;
  const only = values.models.split(',').filter((name) => name !== '');
  const isWhole = !values.quick && only.length === 0;
  const results = join(packageRoot(), 'bench', 'results');
  return {
    quick: values.quick,
    json: resolve(values.json ?? join(results, 'search.json')),
    report: resolve(
      values.report ?? (isWhole ? join(packageRoot(), 'docs', 'search.md') : join(results, 'search.md')),
    ),
    only,
  };
}

class Run {
  readonly models: ModelResult[] = [];
  readonly growth: GrowthResult[] = [];
  profile: ProfileResult | null = null;
  readonly leftOut: { name: string; reason: string }[] = [];
  private readonly started = performance.now();
  private done = 0;

  /** @param jobs to come, about */
  constructor(
    private readonly fullEffort: Effort,
    private readonly traces: readonly TraceFile[],
    private readonly jobs: number,
  ) {}

  /** What the time left allows, at the pace so far. */
  private get effort(): Effort {
    const { fullEffort } = this;
    const expected = this.done === 0 ? 0 : (this.seconds / this.done) * (this.jobs - this.done);
    const share = Math.min(1, Math.max(0.2, (wholeSeconds - this.seconds) / Math.max(expected, 1)));
    return {
      ...fullEffort,
      raceSeconds: share * fullEffort.raceSeconds,
      oracleSeconds: share * fullEffort.oracleSeconds,
      cutOracleSeconds: share * fullEffort.cutOracleSeconds,
      neighbourSeconds: share * fullEffort.neighbourSeconds,
    };
  }

  get seconds(): number {
    return (performance.now() - this.started) / 1e3;
  }

  say(text: string): void {
    process.stderr.write(`${this.seconds.toFixed(0).padStart(4)} s  ${text}\n`);
  }

  async measure(entry: Entry, tierCounts: readonly number[]): Promise<void> {
    let model: Measured;
    try {
      model = await loadEntry(entry);
    } catch (error) {
      this.leftOut.push({ name: entry.name, reason: refusalOf(error) });
      this.done += tierCounts.length;
      this.say(`${entry.name}: ${refusalOf(error)}`);
      return;
    }
    for (const tiers of tierCounts) {
      const { name, source } = entry;
      const job: Job = {
        kind: 'model',
        name,
        source,
        tiers,
        ...model,
        traces: this.traces,
        effort: this.effort,
      };
      await this.run(`${name}, ${tiers} tiers`, job);
    }
  }

  async measureProfile(entry: Entry, tiers: number): Promise<void> {
    const { name, source } = entry;
    const { effort, traces } = this;
    const model = await loadEntry(entry);
    const job: Job = { kind: 'profile', name, source, tiers, ...model, traces, effort, profileSeconds };
    await this.run(`profile of ${name}, ${tiers} tiers`, job);
  }

  async run(title: string, job: Job): Promise<void> {
    try {
      const reply = await inOwnProcess(job);
      if ('model' in reply) this.models.push(reply.model);
      else if ('growth' in reply) this.growth.push(reply.growth);
      else this.profile = reply.profile;
      this.say(`${title}: ${summaryOf(reply)}`);
    } catch (error) {
      const reason = refusalOf(error);
      this.leftOut.push({ name: title, reason });
      this.say(`${title}: ${reason}`);
    }
    this.done++;
  }
}

/** The model with the highest p99; null where none holds its states. */
function slowestOf(models: readonly ModelResult[]): ModelResult | null {
  const p99 = ({ modes }: ModelResult): number => Math.max(...modes.map(({ gadsWarm }) => gadsWarm.p99Us));
  return models
    .filter(({ algorithm }) => algorithm === 'gads')
    .reduce<ModelResult | null>((worst, model) => (worst && p99(worst) >= p99(model) ? worst : model), null);
}

function summaryOf(reply: Reply): string {
  if ('profile' in reply) return `mean ${reply.profile.meanUs.toFixed(2)} us`;
  const result = 'model' in reply ? reply.model : reply.growth;
  const warm = 'model' in reply ? reply.model.search.gadsWarm : reply.growth.gadsWarm;
  const searched =
    warm === null ? 'no search' : `search p50 ${warm.p50Us.toFixed(2)} p99 ${warm.p99Us.toFixed(2)} us`;
  const wrong =
    'model' in reply && reply.model.mismatches !== null ? `, ${reply.model.mismatches} mismatches` : '';
  return `${result.layers} layers, ${result.states} states, built in ${result.build.ms.toFixed(0)} ms, ${searched}${wrong}`;
}

/** @throws Error where the process fails or takes too long */
function inOwnProcess(job: Job): Promise<Reply> {
  return new Promise((settle, fail) => {
    const child = fork(fileURLToPath(new URL('./measureProcess.js', import.meta.url)), [], {
      execArgv: ['--expose-gc', '--max-old-space-size=6000'],
      serialization: 'advanced',
    });
    const timer = setTimeout(() => child.kill('SIGKILL'), jobSeconds * 1e3);
    let reply: Reply | null = null;
    child.once('message', (message) => (reply = message as Reply));
    child.once('error', fail);
    child.once('exit', (code, signal) => {
      clearTimeout(timer);
      if (reply !== null) settle(reply);
      else
        fail(
          new Error(
            signal === null ? `the process ended with code ${code}` : `stopped after ${jobSeconds} s`,
          ),
        );
    });
    child.send(job);
  });
}

function readTraces(): TraceFile[] {
  const folder = join(sharedFolder, 'traces');
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((file) => file.endsWith('.csv'))
    .sort()
    .map((file) => ({ name: basename(file, '.csv'), text: readFileSync(join(folder, file), 'utf8') }));
}

async function main(flags: Flags): Promise<void> {
  const effort = flags.quick ? quickEffort : fullEffort;
  const traces = readTraces();
  const entries = catalogue(flags.quick, flags.only);
  const growth = flags.only.length === 0 ? growthSeries(flags.quick) : [];
  const tierCounts = entries.map(({ name }) => tiersOf(name, flags.quick));
  const run = new Run(effort, traces, tierCounts.flat().length + growth.length);
  const [load] = loadavg();
  if (traces.length === 0)
    run.say(`no traces: ${join(sharedFolder, 'traces')} is not there, so random walks alone`);
  if (!entries.some(({ source }) => source === 'shared')) run.say('no models but those of the zoo');
  for (const [i, entry] of entries.entries()) await run.measure(entry, tierCounts[i]!);
  for (const job of growth) await run.run(`growth ${job.name}`, job);
  const slowest = slowestOf(run.models);
  if (slowest !== null)
    await run.measureProfile(
      entries.find(({ name }) => name === slowest.name)!,
      slowest.tiers,
    );
  const { maxStates, contexts, repeats } = effort;
  const report: SearchReport = {
    takenAt: new Date().toISOString(),
    quick: flags.quick,
    seconds: run.seconds,
    machine: {
      cpu: cpus()[0]?.model ?? 'unknown',
      logicalCores: cpus().length,
      memoryBytes: totalmem(),
      node: process.version,
      platform: `${platform()} ${release()}`,
      loadAverage: load!,
    },
    settings: { contextsPerMode: contexts, repeats, maxStates },
    traces: traces
      .map((trace) => sampleTrace(trace, effort.traceSamples))
      .map(({ name, samples, assumed }) => ({ name, contexts: samples.length, assumed })),
    models: run.models,
    growth: run.growth,
    profile: run.profile,
    leftOut: run.leftOut,
  };
  await mkdir(dirname(flags.json), { recursive: true });
  await writeFile(flags.json, `${JSON.stringify(report, null, 1)}\n`);
  await writeReport(report, flags.report);
  run.say(`wrote ${flags.json} and ${flags.report}`);
  const wrong = run.models.reduce(
    (sum, model) => sum + (model.mismatches ?? 0) + (model.spared?.mismatches ?? 0),
    0,
  );
  if (wrong > 0) {
    console.error(`${wrong} answers were not the optimum`);
    process.exitCode = 1;
  }
}

const flags = readFlags();
if (flags === null) console.log(help);
else await main(flags);
