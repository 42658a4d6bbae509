/** The report on the default policy: its promises, its regret beside the others, what its parts are worth. */
import { mkdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { defaultParameters, type PolicyParameters } from '../../src/core/policy/parameters.js';
import { hindsightPolicies, policyNames } from '../../src/core/replay/comparison.js';
import { formatSeconds } from '../../src/format.js';
import { policyTitles } from '../../src/replay/policyTitles.js';
import { markdownTable } from '../markdownTable.js';
import { excessChart, regretChart } from './charts.js';
import { isBroken, lossOf, switchCosts, unansweredSeconds, type Run } from './measure.js';
import { bestRival, groupsOf, keptCount, meanRegret, type Group } from './summary.js';
import { costLabel } from './switchCostLabel.js';

export interface PolicyReport {
  readonly takenAt: string;
  readonly quick: boolean;
  readonly seconds: number;
  readonly machine: {
    readonly cpu: string;
    readonly logicalCores: number;
    readonly node: string;
    readonly loadAverage: number;
  };
  readonly links: readonly {
    readonly name: string;
    readonly kind: Run['kind'];
    readonly half: Run['half'];
    readonly seconds: number;
    readonly assumed: readonly string[];
  }[];
  readonly runs: readonly Run[];
  readonly ablations: readonly {
    readonly name: string;
    readonly parameters: PolicyParameters;
    readonly runs: readonly Run[];
  }[];
}

export async function writeReport(report: PolicyReport, file: string): Promise<void> {
  const stem = basename(file, '.md');
  const recorded = report.runs.filter(({ kind }) => kind === 'recorded');
  const charts: Record<string, string> = { regret: regretChart(groupsOf(report.runs)[0]!.runs) };
  if (recorded.length > 0) {
    const away = 'distance from the limit, % (above 0: broken), a dot a model, columns by switch cost';
    charts['device-only'] = excessChart(recorded, `Device-only plus 2 %: ${away}`, 'deviceOnly');
    charts['best-static'] = excessChart(recorded, `Best static cut plus 5 %: ${away}`, 'bestStatic');
  }
  await mkdir(dirname(file), { recursive: true });
  for (const [name, svg] of Object.entries(charts)) {
    await writeFile(join(dirname(file), `${stem}-${name}.svg`), svg);
  }
  await writeFile(file, markdown(report, stem, Object.keys(charts)));
}

const percent = (share: number): string => `${(100 * share).toFixed(Math.abs(share) < 0.1 ? 2 : 1)} %`;

function markdown(report: PolicyReport, stem: string, charts: readonly string[]): string {
  const { machine, runs } = report;
  const groups = groupsOf(runs);
  const load =
    machine.loadAverage > 1
      ? `, load ${machine.loadAverage.toFixed(1)} (which is in the shares of the layers)`
      : '';
  const image = (name: string, alt: string): string =>
    charts.includes(name) ? `![${alt}](${stem}-${name}.svg)` : '';
  return `${[
    '# The default policy, measured',
    `From ${report.quick ? 'a **quick run** of a few models and links' : 'a full run'} of ${report.seconds.toFixed(0)} s on ` +
      `${report.takenAt.slice(0, 10)}: ${machine.cpu}, ${machine.logicalCores} logical cores, Node ${machine.node}${load}. ` +
      '`npm run bench:policy` (`-- --quick` within 50 seconds) measures again and writes this file. ' +
      '[replay.md](replay.md) says how a replay counts and what the policies do.',
    '## Promises',
    promiseTable(groups),
    'A promise is one of totals: at most device-only plus 2 % plus one switch; at most the best cut held throughout (chosen with ' +
      'hindsight) plus 5 % plus one switch. What breaks them is listed [below](#broken-promises).',
    image('device-only', 'Distance from device-only plus 2 %'),
    image('best-static', 'Distance from the best static cut plus 5 %'),
    '## Regret',
    'Mean over links and models of the total above that of the clairvoyant, who knows the link and pays for switches, too.',
    image('regret', 'Mean regret by policy and switch cost'),
    ...groups.map((group) => `### ${capital(group.title)}\n\n${regretTable(group)}`),
    '## What the parts are worth',
    'Mean regret over both kinds of links, and runs with a broken promise, all links. The loss is what the choice of parameters minimises.',
    ablationTable(report),
    '## How it was measured',
    howMeasured(report),
    '## Broken promises',
    brokenTable(runs),
  ]
    .filter((part) => part !== '')
    .join('\n\n')}\n`;
}

const capital = (text: string): string => text[0]!.toUpperCase() + text.slice(1);

function promiseTable(groups: readonly Group[]): string {
  const rows = groups.map(({ title, runs }) => {
    const rivals = switchCosts.map((cost) => {
      const rival = bestRival(runs, cost);
      const own = meanRegret(runs, 'default', cost);
      return own < rival.regret;
    });
    const closer = rivals.filter((isCloser) => isCloser).length;
    return [
      title,
      `${keptCount(runs, 'deviceOnly')} of ${runs.length}`,
      `${keptCount(runs, 'bestStatic')} of ${runs.length}`,
      closer === rivals.length ? 'yes' : `**no**: at ${closer} of ${rivals.length} switch costs`,
    ];
  });
  return markdownTable(
    [
      'links',
      'device-only kept',
      'best static kept',
      'closest to the clairvoyant of all that see the past alone',
    ],
    rows,
  );
}

function regretTable({ runs }: Group): string {
  const shown = policyNames.filter((name) => name !== 'clairvoyant');
  const rows = shown.map((name) => [
    policyTitles[name],
    ...switchCosts.map((cost) => percent(meanRegret(runs, name, cost))),
  ]);
  const note = hindsightPolicies.map((name) => policyTitles[name]).join(', ');
  return `${markdownTable(['policy', ...switchCosts.map(costLabel)], rows)}\n\n${new Set(runs.map((run) => run.link)).size} links, ${
    new Set(runs.map((run) => run.scenario)).size
  } models. With hindsight: ${note}.`;
}

function ablationTable({ ablations }: PolicyReport): string {
  const rows = ablations.map(({ name, runs }) => [
    name,
    ...switchCosts.map((cost) => percent(meanRegret(runs, 'default', cost))),
    runs.filter(({ excess }) => isBroken(excess.deviceOnly)).length,
    runs.filter(({ excess }) => isBroken(excess.bestStatic)).length,
    lossOf(runs).toFixed(2),
  ]);
  return markdownTable(
    ['policy', ...switchCosts.map(costLabel), 'device-only broken', 'best static broken', 'loss'],
    rows,
  );
}

function brokenTable(runs: readonly Run[]): string {
  const broken = runs.filter(({ excess }) => isBroken(excess.deviceOnly) || isBroken(excess.bestStatic));
  if (broken.length === 0) return 'None.';
  const rows = broken.map((run) => [
    run.scenario,
    run.link,
    run.half === 'choose' ? 'chosen on' : 'reported',
    run.seconds,
    costLabel(run.switchSeconds),
    excessOf(run, 'deviceOnly'),
    excessOf(run, 'bestStatic'),
    proofOf(run),
  ]);
  const why =
    'By how much of the total of device-only, or of the best static cut, the limit was exceeded. The last column says whether anyone could have ' +
    'kept both promises. A twin of a link is the same until some second and then holds as it was in an earlier one, until it is 27 s to 30 minutes long; a ' +
    'policy that sees the past alone does the same on both until they part. In a dead end every cut breaks a promise on the link or on a twin, even for ' +
    'someone who is told which of them it is: "no: by s 9" says that no policy keeps all promises on the link and its twins, and that this is decided by its ' +
    'second 9; "after the first cut" says so of those that begin with the same cut. Both are proofs by search over all cuts (`bench/policy/twins.ts`). "open" is not a proof of either.';
  const counted = (is: (run: Run) => boolean): number => broken.filter(is).length;
  const summary =
    `Of ${broken.length} replays that break one, ${counted(({ deadEnds }) => Boolean(deadEnds?.whateverFirst))} can be kept by no policy on all twins, ` +
    `${counted(({ deadEnds }) => !deadEnds?.whateverFirst && Boolean(deadEnds?.afterFirst))} more by none that begins with the same cut.`;
  return `${why}\n\n${summary}\n\n${markdownTable(
    [
      'model, end/edge',
      'link',
      'half',
      's',
      'switch',
      'above device-only + 2 %',
      'above best static + 5 %',
      'could they be kept?',
    ],
    rows,
  )}`;
}

function excessOf({ excess, excessSeconds }: Run, promise: 'deviceOnly' | 'bestStatic'): string {
  if (!isBroken(excess[promise])) return '';
  return `${percent(excess[promise])}, ${formatSeconds(excessSeconds[promise])}`;
}

function proofOf({ deadEnds }: Run): string {
  if (deadEnds?.whateverFirst) return `no: by s ${deadEnds.whateverFirst.second}`;
  if (deadEnds?.afterFirst) return `not after the first cut: by s ${deadEnds.afterFirst.second}`;
  return 'open';
}

function howMeasured({ links }: PolicyReport): string {
  const count = (kind: Run['kind']): number => links.filter((link) => link.kind === kind).length;
  const assumed = links.filter(({ assumed: lines }) =>
    lines.some((line) => line.includes('downlink is replayed')),
  );
  const parameters = Object.entries(defaultParameters).map(([key, value]) => `${key} ${value}`);
  return [
    `- ${count('recorded')} recorded links and ${count('seeded')} seeded ones (the link models of the demo). Recorded ones alternate by ` +
      'name between the half on which parameters are chosen and the half that is reported; seeded ones by their seed. ' +
      '`npm run bench:policy -- --choose` chooses them again, from what is in force on: a setting is taken where it lowers the loss by 2 % or more.',
    assumed.length === 0
      ? ''
      : `- No uplink was measured on ${assumed.map(({ name }) => name).join(', ')}: the downlink is replayed as uplink, which flatters the link.`,
    `- One request a second; one that is not answered in ${unansweredSeconds} s is done by the end device alone. The first cut is free for all.`,
    '- Layer times are shares of a profile taken here, scaled to the stated times of the whole model on end device and edge.',
    `- Parameters: ${parameters.join(', ')}.`,
  ]
    .filter((line) => line !== '')
    .join('\n');
}
