// Over 300 lines: the one place where a report is put together, in the order in which it is read.
/** The report: what was asked, what was measured, who was faster by how much, in Markdown with charts beside it. */
import { mkdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { formatBytes, formatCount } from '../../src/format.js';
import { markdownTable as table } from '../markdownTable.js';
import { chartsOf, hopShares } from './reportCharts.js';
import type { Contender, ModelResult, SearchReport, Timing } from './results.js';
import { verdicts } from './targets.js';
import { howMeasured, rivalsExplained } from './reportText.js';

export async function writeReport(report: SearchReport, file: string): Promise<void> {
  const stem = basename(file, '.md');
  await mkdir(dirname(file), { recursive: true });
  for (const [name, svg] of Object.entries(chartsOf(report))) {
    await writeFile(join(dirname(file), `${stem}-${name}.svg`), svg);
  }
  await writeFile(file, markdown(report, stem));
}

const us = (value: number | undefined): string =>
  value === undefined
    ? '–'
    : value >= 100
      ? value.toFixed(0)
      : value >= 10
        ? value.toFixed(1)
        : value.toFixed(2);
const pair = (timing: Timing | null | undefined): string =>
  timing ? `${us(timing.p50Us)} / ${us(timing.p99Us)}` : '–';
const ratio = (value: number | null | undefined): string =>
  value === null || value === undefined ? '–' : value.toFixed(3);
const nameOf = (model: ModelResult): string =>
  model.tiers === 2 ? model.name : `${model.name}, ${model.tiers} tiers`;

function markdown(report: SearchReport, stem: string): string {
  const { machine } = report;
  const run = report.quick ? 'a **quick run** of a few models' : 'a full run';
  const load =
    machine.loadAverage > 1 ? `, **load ${machine.loadAverage.toFixed(1)}: others were at work**` : '';
  return `${[
    '# The search, measured',
    `From ${run} of ${report.seconds.toFixed(0)} s on ${report.takenAt.slice(0, 10)}: ${machine.cpu}, ${machine.logicalCores} logical cores, ` +
      `Node ${machine.node}${load}. \`npm run bench:search\` (\`-- --quick\` within 50 seconds) measures again and writes this file.`,
    '## Targets',
    targetTable(report),
    missedText(report),
    howMeasured(report),
    '## Search time',
    `Least latency, no bounds, two tiers; p50 / p99 in microseconds. GADS from the state before (warm) and from nowhere (cold). Least timed: how often the contender that was timed least was.`,
    `![Median search times](${stem}-times.svg)`,
    searchTable(report),
    '### How many times faster than GADS warm',
    'Ratio of the medians; below 1 the rival is faster.',
    ratioTable(report),
    rivalsExplained,
    '## How good the cuts are',
    'Latency of each one’s cut over the least latency, mean.',
    qualityTable(report),
    '## Under bounds, and for other objectives',
    'p50 / p99 in microseconds, states and nodes visited (mean). The rivals know no bounds; the scan does.',
    modeTable(report),
    profileText(report),
    '## Does the neighbour effect hold?',
    `![Hops between consecutive optima](${stem}-hops.svg)`,
    neighbourText(report),
    neighbourTable(report),
    '## Searches spared by certificates',
    'On each trace at one sample a second, all else steady. A decision is timed whole: reading the context, certificate or search, prediction.',
    sparedTable(report),
    '## Building, and growth',
    buildTable(report),
    `![Search time by states](${stem}-growth-search.svg)`,
    `![Build time and memory by states](${stem}-growth-build.svg)`,
    'Synthetic graphs: blocks × branches × layers in a branch.',
    growthTable(report),
    leftOutText(report),
  ]
    .filter((part) => part !== '')
    .join('\n\n')}\n`;
}

function targetTable(report: SearchReport): string {
  const rows = verdicts(report).map(({ target, measured, worst, reached, of }) => [
    target,
    of === 0 ? '–' : `${measured} (${worst})`,
    of === 0 ? 'not measured' : reached === of ? 'yes' : `**no**: ${reached} of ${of}`,
  ]);
  return table(['target', 'measured, worst', 'met'], rows);
}

/** What can be said of the targets that some model misses. */
function missedText(report: SearchReport): string {
  const missed = verdicts(report).filter(
    ({ reached, of, whenMissed }) => reached < of && whenMissed !== null,
  );
  if (missed.length === 0) return '';
  return `Why some are missed:\n\n${missed.map(({ target, whenMissed }) => `- _${target}_: ${whenMissed}`).join('\n')}`;
}

const columns: readonly (readonly [Contender, string])[] = [
  ['gadsWarm', 'GADS warm'],
  ['gadsCold', 'cold'],
  ['scan', 'scan'],
  ['neurosurgeon', 'Neurosurgeon'],
  ['qdmp', 'QDMP'],
  ['dads', 'DADS updated'],
  ['dadsRebuilt', 'DADS rebuilt'],
  ['qdmpRebuilt', 'QDMP rebuilt'],
];

/** How often the contender that was timed least was timed. */
function leastSamples({ search }: ModelResult): number {
  return Math.min(...columns.flatMap(([key]) => search[key]?.samples ?? []));
}

function searchTable({ models }: SearchReport): string {
  const rows = models
    .filter((model) => model.tiers === 2)
    .map((model) => [
      nameOf(model),
      model.layers,
      model.states || 'min-cut',
      ...columns.map(([key]) => pair(model.search[key])),
      leastSamples(model),
    ]);
  const head = ['model', 'layers', 'states', ...columns.map(([, name]) => name), 'least timed'];
  return table(head, rows);
}

function ratioTable({ models }: SearchReport): string {
  const rivals = columns.slice(2);
  const rows = models
    .filter((model) => model.tiers === 2 && model.search.gadsWarm !== null)
    .map((model) => {
      const own = Math.max(model.search.gadsWarm!.p50Us, 1e-3);
      return [
        nameOf(model),
        ...rivals.map(([key]) => (model.search[key] ? us(model.search[key].p50Us / own) : '–')),
      ];
    });
  return table(['model', ...rivals.map(([, name]) => name)], rows);
}

function qualityTable({ models }: SearchReport): string {
  const names = [
    ['neurosurgeon', 'Neurosurgeon'],
    ['qdmp', 'QDMP'],
    ['qdmpNearest', 'QDMP nearest'],
    ['dads', 'DADS'],
    ['deviceOnly', 'device-only'],
    ['edgeOnly', 'edge-only'],
  ] as const;
  const rows = models
    .filter((model) => model.tiers === 2)
    .map((model) => [nameOf(model), ...names.map(([key]) => ratio(model.latencyRatio[key]))]);
  return table(['model', ...names.map(([, name]) => name)], rows);
}

function modeTable({ models }: SearchReport): string {
  const rows = models.flatMap((model) =>
    model.modes.map((mode) => [
      nameOf(model),
      mode.mode,
      `${mode.contexts} / ${mode.checked}`,
      mode.mismatches,
      `${((100 * mode.constraintsActive) / mode.checked).toFixed(0)} % / ${((100 * mode.infeasible) / mode.checked).toFixed(0)} %`,
      pair(mode.gadsWarm),
      pair(mode.gadsCold),
      pair(mode.scan),
      `${mode.visited.warm.mean.toFixed(0)} / ${mode.visited.cold.mean.toFixed(0)}`,
    ]),
  );
  const head = [
    'model',
    'mode',
    'contexts / checked',
    'mismatches',
    'active / infeasible',
    'warm',
    'cold',
    'scan',
    'visited warm / cold',
  ];
  return table(head, rows);
}

function profileText({ profile }: SearchReport): string {
  if (profile === null) return '';
  const { name, tiers, contexts, meanUs, visited, functions } = profile;
  return [
    '### Where the time goes',
    `The model with the highest p99, ${name} on ${tiers} tiers: the hundredth of its searches under bounds that looked at most ` +
      `states and nodes (${contexts} searches, ${visited.toFixed(0)} looked at in the mean), again and again under the engine’s profiler. ` +
      `Mean ${us(meanUs)} µs.`,
    table(
      ['function', 'share'],
      functions.map(({ module, share }) => [module, `${(100 * share).toFixed(1)} %`]),
    ),
  ].join('\n\n');
}

function neighbourText({ models }: SearchReport): string {
  const effects = models.flatMap((model) => (model.neighbourEffect ? [model.neighbourEffect] : []));
  const say = (name: string, some: readonly (typeof effects)[number]['walks'][]): string => {
    const { shares, moves } = hopShares(some);
    const steps = some.reduce((sum, effect) => sum + effect.steps, 0);
    if (steps === 0) return `${name}: none here.`;
    const found = some.reduce((sum, effect) => sum + effect.walkFoundOptimum, 0);
    const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
    return (
      `${name}: the optimum moved in ${percent(moves / steps)} of ${steps} steps, ${percent(shares[0]! + shares[1]!)} of these moves by one or two hops ` +
      `and ${percent(shares.at(-1)!)} by more than 24. Walking to better neighbours alone ended at the optimum after ${percent(found / steps)} of the steps; ` +
      'the proof finds it in the others.'
    );
  };
  const walks = say(
    'Random walks',
    effects.map((effect) => effect.walks),
  );
  const traces = say(
    'Traces',
    effects.flatMap((effect) => (effect.traces ? [effect.traces] : [])),
  );
  return `${walks}\n\n${traces}`;
}

function neighbourTable({ models }: SearchReport): string {
  const rows = models.flatMap((model) => {
    if (model.neighbourEffect === null) return [];
    const { walks, traces } = model.neighbourEffect;
    const far = (effect: typeof walks): string => {
      const { shares, moves } = hopShares([effect]);
      return moves === 0 ? '–' : `${(100 * (shares[0]! + shares[1]!)).toFixed(0)} % of ${moves}`;
    };
    const found = (effect: typeof walks): string =>
      `${((100 * effect.walkFoundOptimum) / effect.steps).toFixed(1)} %`;
    const { warm, cold } = model.modes[0]!.visited;
    return [
      [
        nameOf(model),
        far(walks),
        traces ? far(traces) : '–',
        found(walks),
        traces ? found(traces) : '–',
        `${warm.mean.toFixed(1)} / ${warm.p99}`,
        `${cold.mean.toFixed(1)} / ${cold.p99}`,
      ],
    ];
  });
  const head = [
    'model',
    'moves of 1–2 hops, walks',
    'traces',
    'walk alone finds it, walks',
    'traces',
    'visited warm, mean / p99',
    'cold',
  ];
  return table(head, rows);
}

function sparedTable({ models }: SearchReport): string {
  const rows = models.flatMap(({ spared, ...model }) =>
    spared === null
      ? []
      : [
          [
            nameOf({ spared, ...model }),
            `${spared.decisions} / ${spared.checked}`,
            `${((100 * spared.withoutSearch) / spared.decisions).toFixed(1)} %`,
            spared.mismatches,
            pair(spared.decide),
          ],
        ],
  );
  if (rows.length === 0) return 'No traces in this run.';
  const total = { decisions: 0, checked: 0, mismatches: 0 };
  for (const { spared } of models) {
    total.decisions += spared?.decisions ?? 0;
    total.checked += spared?.checked ?? 0;
    total.mismatches += spared?.mismatches ?? 0;
  }
  const judged = `Held against the oracle: ${total.checked} of ${total.decisions} decisions, ${total.mismatches} of them wrong.`;
  const each = table(
    ['model', 'decisions / checked', 'without search', 'mismatches', 'whole decision, µs'],
    rows,
  );
  return `${judged}\n\n${each}`;
}

function buildTable({ models }: SearchReport): string {
  const rows = models.map((model) => [
    nameOf(model),
    model.layers,
    model.rawCutsAtLeast ? `> ${model.rawCuts}` : model.rawCuts,
    model.states || 'min-cut',
    model.build.ms.toFixed(0),
    formatBytes(model.build.peakBytes),
    formatBytes(model.build.heldBytes),
  ]);
  return table(['model', 'layers', 'valid cuts', 'states', 'build, ms', 'peak', 'held'], rows);
}

function growthTable({ growth }: SearchReport): string {
  const rows = growth.map((result) => [
    result.series,
    result.shape,
    result.layers,
    result.rawCuts === null ? '–' : formatCount(result.rawCuts),
    formatCount(result.states),
    result.build.ms.toFixed(0),
    formatBytes(result.build.peakBytes),
    pair(result.gadsWarm),
    pair(result.gadsCold),
    pair(result.scan),
  ]);
  return table(
    ['what grows', 'shape', 'layers', 'valid cuts', 'states', 'build, ms', 'peak', 'warm', 'cold', 'scan'],
    rows,
  );
}

function leftOutText({ leftOut, traces }: SearchReport): string {
  const models =
    leftOut.length === 0
      ? 'None.'
      : table(
          ['model', 'reason'],
          leftOut.map(({ name, reason }) => [name, reason.replaceAll('|', '\\|')]),
        );
  const assumed = traces.filter((trace) => trace.assumed.length > 0);
  const links =
    traces.length === 0
      ? 'No traces were there.'
      : table(
          ['trace', 'samples', 'assumed'],
          traces.map(({ name, contexts, assumed: what }) => [name, contexts, what.join('; ') || '–']),
        );
  const note =
    assumed.length > 0
      ? `${assumed.length} of ${traces.length} traces lack a figure; what stands in for it is listed.`
      : '';
  return ['## Left out', models, '## Traces', note, links].filter((part) => part !== '').join('\n\n');
}
