/** `npm run bench:policy`: policies over recorded and seeded links; writes JSON and a report. Progress on stderr. */
import { mkdir, writeFile } from 'node:fs/promises';
import { cpus, loadavg } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { defaultParameters } from '../../src/core/policy/parameters.js';
import { packageRoot } from '../../src/packageRoot.js';
import { sharedFolder } from '../search/catalogue.js';
import { ablations } from './ablations.js';
import { choose } from './choose.js';
import { benchLinks, type BenchLink } from './links.js';
import { measure, pairOf, pairsOf, switchCosts, type Run } from './measure.js';
import { writeReport, type PolicyReport } from './report.js';
import { buildScenarios, type Scenario } from './scenarios.js';
import { summaryOf } from './summary.js';

const help = `npm run bench:policy -- [options]
  --quick         a few models and links: within 50 seconds instead of 10 minutes
  --json FILE     where the figures go (default: bench/results/policy.json)
  --report FILE   where the report goes, its charts beside it (default: docs/policy.md; bench/results/policy.md for a quick run)
  --choose        choose the parameters anew on their half of the links and print them; takes some minutes`;

/** Seeded links of each kind; every other one is chosen on. */
const seeds = { quick: 2, full: 6, choose: 16 };
const quickModels = ['googlenet', 'squeezenet-1.1'];

const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    choose: { type: 'boolean', default: false },
    json: { type: 'string' },
    report: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
const startedAt = performance.now();
const elapsed = (): number => (performance.now() - startedAt) / 1e3;
const say = (text: string): void =>
  void process.stderr.write(`${elapsed().toFixed(0).padStart(4)} s  ${text}\n`);

interface Plan {
  readonly scenarios: readonly Scenario[];
  readonly links: readonly BenchLink[];
}

async function plan(seedCount: number): Promise<Plan> {
  const folder = join(sharedFolder, 'traces');
  const links = benchLinks(folder, seedCount);
  if (!links.some(({ kind }) => kind === 'recorded')) say(`no recorded links: ${folder} is not there`);
  const used = links.filter(({ half }) =>
    flags.choose ? half === 'choose' : !flags.quick || half === 'report',
  );
  const scenarios = await buildScenarios(flags.quick ? quickModels : null, say);
  say(`${scenarios.length} models, ${used.length} links`);
  return { scenarios, links: used };
}

/** One model on one link after the other, so that memory does not grow with their number. */
function measured({ scenarios, links }: Plan): Pick<PolicyReport, 'runs' | 'ablations' | 'links'> {
  const runs: Run[] = [];
  const parts = ablations(defaultParameters).map((part) => ({ ...part, runs: [] as Run[] }));
  for (const scenario of scenarios) {
    for (const link of links) {
      const pair = pairOf(scenario, link);
      for (const cost of switchCosts) {
        runs.push(measure(pair, cost, defaultParameters));
        for (const part of parts) part.runs.push(measure(pair, cost, part.parameters, ['default']));
      }
    }
    say(`${scenario.name}: ${links.length} links, all policies at all switch costs`);
  }
  return {
    runs,
    ablations: parts,
    links: links.map(({ contexts, ...link }) => ({ ...link, seconds: contexts.length })),
  };
}

async function main(): Promise<void> {
  if (flags.choose) {
    const { scenarios, links } = await plan(seeds.choose);
    const choice = choose(pairsOf(scenarios, links), say);
    console.log(JSON.stringify(choice, null, 2));
    return;
  }
  const results = join(packageRoot(), 'bench', 'results');
  const json = resolve(flags.json ?? join(results, 'policy.json'));
  const file = resolve(
    flags.report ?? (flags.quick ? join(results, 'policy.md') : join(packageRoot(), 'docs', 'policy.md')),
  );
  const [loadAverage] = loadavg();
  const figures = measured(await plan(flags.quick ? seeds.quick : seeds.full));
  const report: PolicyReport = {
    takenAt: new Date().toISOString(),
    quick: flags.quick,
    seconds: elapsed(),
    machine: {
      cpu: cpus()[0]?.model ?? 'unknown',
      logicalCores: cpus().length,
      node: process.version,
      loadAverage: loadAverage!,
    },
    ...figures,
  };
  await mkdir(dirname(json), { recursive: true });
  await writeFile(json, `${JSON.stringify({ ...report, summary: summaryOf(report.runs) }, null, 1)}\n`);
  await writeReport(report, file);
  say(`wrote ${json} and ${file}`);
}

if (flags.help) console.log(help);
else await main();
