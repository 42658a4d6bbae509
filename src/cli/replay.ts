/** `cutpoint replay`: policies over a recorded link, side by side. */
import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { InvalidArgumentError, type Command } from 'commander';
import type { Requirements } from '../core/context.js';
import { policyNames, type Comparison, type Kept, type PolicyName } from '../core/replay/comparison.js';
import { alignColumns, formatSeconds } from '../format.js';
import type { ReplayTrace } from '../replay/traceContexts.js';
import type { GraphDocument } from '../schema/graphDocument.js';
import { DocumentError, RefusedError, UsageError } from './commandError.js';
import { addGraphOptions, obtainGraph, type GraphFlags } from './graphSource.js';
import { parseJson, readText } from './optionValues.js';
import { printJson, printLines } from './output.js';

interface ReplayFlags extends GraphFlags {
  readonly trace: string;
  readonly policy: readonly PolicyName[];
  readonly switchCost: number;
  readonly rtt: number;
  readonly unanswered: number;
  readonly chargeFirstCut?: true;
  readonly requirements?: string;
  readonly svg?: string;
  readonly steps?: true;
  readonly json?: true;
}

export function registerReplay(program: Command): void {
  const command = program
    .command('replay')
    .summary('play a recorded link and compare policies of switching')
    .description(
      'Plays a recorded link second by second and reports what requests would have seen with the default policy,\n' +
        'beside fixed cuts, searches that are followed every second, and the best possible with hindsight.\n' +
        'MODEL is an ONNX model, a graph written by `cutpoint graph --json`, or the name of a network of the zoo.',
    )
    .argument('<model>', 'ONNX model, graph JSON or zoo name')
    .requiredOption('-t, --trace <file>', 'CSV: t_s,uplink_bps,downlink_bps,rtt_ms,loss; empty: not measured')
    .option(
      '--policy <names>',
      `which ones, with commas: ${policyNames.join(', ')}`,
      policyOption,
      policyNames,
    )
    .option(
      '--switch-cost <time>',
      'what a switch adds to the request after it, such as 600ms',
      timeOption,
      0.6,
    )
    .option('--rtt <time>', 'round trip where the trace has none', timeOption, 0.05)
    .option('--unanswered <time>', 'wait before the end device does a request alone', positiveTime, 1)
    .option('--charge-first-cut', 'the first cut costs a switch, too')
    .option('--requirements <json>', 'what is asked, as JSON such as {"latencySeconds":0.2}, or @FILE')
    .option('--svg <file>', 'write a chart')
    .option('--steps', 'with --json: every second of every policy')
    .option('--json', 'write JSON to stdout');
  addGraphOptions(command)
    .addHelpText(
      'after',
      '\nExamples:\n  cutpoint replay googlenet --trace drive.csv --end-ratio 4 --edge-ratio 0.25\n' +
        '  cutpoint replay model.onnx --trace drive.csv --switch-cost 6s --svg replay.svg --json > replay.json\n\n' +
        'docs/replay.md says how a replay counts and what a policy knows when.\n' +
        'Exit codes: 0 done, 1 failed or refused, 2 wrong usage.',
    )
    .action(run);
}

async function run(modelName: string, flags: ReplayFlags): Promise<void> {
  if (flags.steps === true && flags.json !== true) throw new UsageError('replay: --steps needs --json');
  const requirements = await readRequirements(flags.requirements);
  const trace = await readTrace(flags, requirements);
  const graph = await modelGraph(modelName, flags);
  if (graph.tiers.length > 2) {
    throw new RefusedError(
      'replay: a trace has one link, so the model must have two tiers; leave the cloud out',
    );
  }
  const { graphOf } = await import('../schema/graphDocument.js');
  const { buildStateGraph } = await import('../core/stateGraph.js');
  const { createPartitioner } = await import('../core/createPartitioner.js');
  const { ReplayBench } = await import('../core/replay/comparison.js');
  const { defaultParameters } = await import('../core/policy/parameters.js');
  const input = { graph: graphOf(graph), tiers: graph.tiers };
  const states = buildStateGraph(input, flags.maxStates);
  const bench = new ReplayBench(input, states, createPartitioner(states));
  const rules = {
    switchSeconds: flags.switchCost,
    unansweredSeconds: flags.unanswered,
    chargeFirstCut: flags.chargeFirstCut === true,
  };
  const parameters = { ...defaultParameters, unansweredSeconds: flags.unanswered };
  const table = bench.table(trace.contexts, rules);
  const comparison = bench.compare(trace.contexts, table, rules, parameters, flags.policy);
  if (flags.svg !== undefined) await writeFile(flags.svg, await chartOf(flags, graph, trace, comparison));
  if (flags.json === true) {
    const { replayDocument } = await import('../schema/replayDocument.js');
    const { link, rttSeconds, assumed } = trace;
    const about = { file: basename(flags.trace), seconds: link.length, assumed: [...assumed] };
    const withSteps = flags.steps === true;
    printJson(
      replayDocument({ graph, trace: about, link, rttSeconds, rules, parameters, comparison, withSteps }),
    );
  } else printLines(await describe(flags, graph, trace, comparison));
}

async function readTrace(flags: ReplayFlags, requirements: Requirements): Promise<ReplayTrace> {
  const { parseTrace, TraceError } = await import('../demo/trace.js');
  const { traceContexts } = await import('../replay/traceContexts.js');
  const text = await readText(flags.trace);
  try {
    return traceContexts(parseTrace(text), flags.rtt, requirements);
  } catch (error) {
    if (error instanceof TraceError || error instanceof RangeError) {
      throw new DocumentError(flags.trace, [error.message]);
    }
    throw error;
  }
}

async function readRequirements(text: string | undefined): Promise<Requirements> {
  if (text === undefined) return {};
  const fromFile = text.startsWith('@');
  const what = fromFile ? text.slice(1) : '--requirements';
  const given = parseJson(fromFile ? await readText(text.slice(1)) : text, what);
  const { checkContext } = await import('../schema/context.js');
  const checked = checkContext({ tiers: [{}, {}], hops: [{}], requirements: given });
  if (!checked.ok) throw new DocumentError(what, checked.problems);
  const { requirements } = checked.value;
  if ((requirements.objective ?? 'latency') !== 'latency') {
    throw new RefusedError(`${what}: requirements.objective: a replay compares latencies; leave it out`);
  }
  for (const [key, reason] of Object.entries(notReplayed)) {
    if (key in requirements) throw new RefusedError(`${what}: requirements.${key}: ${reason}; leave it out`);
  }
  return requirements;
}

/** What is asked of a deployment and cannot be judged, or is said otherwise, in a replay. */
const notReplayed: Readonly<Partial<Record<keyof Requirements, string>>> = {
  energyJoulesPerInference: 'a trace states no power figures, so energy cannot be judged',
  batteryLifetimeSeconds: 'a trace states neither battery nor power figures, so it cannot be judged',
  inferencesPerSecond: 'a replay has one request a second',
  switchSeconds: 'the cost of a switch is given with --switch-cost',
};

/** A network of the zoo is built with constant weights: its times are the same, and the file small. */
async function modelGraph(name: string, flags: ReplayFlags): Promise<GraphDocument> {
  const { isZooName, writeZooModel } = await import('../zoo/zoo.js');
  const isFile = await access(name).then(
    () => true,
    () => false,
  );
  if (isFile || !isZooName(name)) return obtainGraph(name, flags);
  const folder = await mkdtemp(join(tmpdir(), 'cutpoint-replay-'));
  try {
    const file = join(folder, `${name}.onnx`);
    await writeZooModel(name, file, { weights: 'constant' });
    return await obtainGraph(file, flags);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function chartOf(
  flags: ReplayFlags,
  graph: GraphDocument,
  { link, assumed }: ReplayTrace,
  { runs }: Comparison,
): Promise<string> {
  const { renderReplayChart } = await import('../replay/replayChart.js');
  return renderReplayChart({
    title: `${graph.name} over ${basename(flags.trace)}, a switch costs ${formatSeconds(flags.switchCost)}`,
    subtitle: assumed,
    link,
    layerCount: graph.layers.length,
    runs,
  });
}

async function describe(
  flags: ReplayFlags,
  graph: GraphDocument,
  trace: ReplayTrace,
  comparison: Comparison,
): Promise<string[]> {
  const { policyTitles } = await import('../replay/policyTitles.js');
  const percent = (share: number): string => `${(Math.abs(share) < 5e-4 ? 0 : share * 100).toFixed(1)} %`;
  const rows = comparison.runs.map(({ name, figures }) => [
    policyTitles[name],
    formatSeconds(figures.meanSeconds),
    formatSeconds(figures.p95Seconds),
    formatSeconds(figures.p99Seconds),
    percent(figures.violatingShare),
    percent(figures.unansweredShare),
    figures.switchesPerMinute.toFixed(2),
    figures.regret === null ? 'not comparable' : percent(figures.regret),
  ]);
  const heads = ['policy', 'mean', 'p95', 'p99', 'violating', 'unanswered', 'switches/min', 'regret'];
  const lines = [
    `${graph.name} over ${basename(flags.trace)}: ${trace.link.length} s, one request a second`,
    `a switch costs ${formatSeconds(flags.switchCost)}; the end device does a request alone that is not answered in ${formatSeconds(flags.unanswered)}`,
    ...trace.assumed.map((line) => `assumed: ${line}`),
    '',
    ...alignColumns([heads, ...rows], [1, 2, 3, 4, 5, 6, 7]),
  ];
  if (comparison.runs.some(({ figures }) => figures.regret === null)) {
    lines.push(
      '',
      'not comparable: a cut in force breaks a requirement that other cuts keep and that does not depend on the link;',
      'the clairvoyant and the best static cut keep it.',
    );
  }
  if (!comparison.isHindsightExact) {
    lines.push('', 'The model has too many cuts to look at all: the clairvoyant is no proven bound.');
  }
  if (comparison.promises !== null) {
    const { deviceOnly, bestStatic } = comparison.promises;
    const say = (what: string, { kept, totalSeconds, limitSeconds }: Kept): string =>
      `${kept ? 'kept' : 'BROKEN'}: ${what}: ${formatSeconds(totalSeconds)} in all, at most ${formatSeconds(limitSeconds)}`;
    lines.push(
      '',
      deviceOnly === null
        ? 'not judged: never above device-only: that cut breaks a requirement itself'
        : say('never above device-only by more than 2 % and one switch', deviceOnly),
      say('never above the best static cut by more than 5 % and one switch', bestStatic),
    );
  }
  return lines;
}

const units: Readonly<Record<string, number>> = { '': 1, s: 1, ms: 1e-3, us: 1e-6 };

function timeOption(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(s|ms|us|)$/.exec(text.trim());
  const seconds = match ? Number(match[1]) * units[match[2]!]! : NaN;
  if (!(seconds >= 0 && seconds <= 3600)) {
    throw new InvalidArgumentError('It must be a time from 0 to 3600 s, such as 600ms or 6s.');
  }
  return seconds;
}

function positiveTime(text: string): number {
  const seconds = timeOption(text);
  if (seconds < 1e-3) throw new InvalidArgumentError('It must be at least 1ms.');
  return seconds;
}

function policyOption(text: string): readonly PolicyName[] {
  const names = text.split(',').map((name) => name.trim());
  const wrong = names.find((name) => !policyNames.some((known) => known === name));
  if (wrong !== undefined) {
    throw new InvalidArgumentError(`"${wrong}" is none of ${policyNames.join(', ')}.`);
  }
  // In the order of the table, whatever the order of the option.
  return policyNames.filter((name) => names.includes(name));
}
