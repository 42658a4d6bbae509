/** The report of a load run: tables, charts, what was measured and how. */
import { writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { loadCharts } from './reportCharts.js';
import type { ModuleShare } from '../profileSummary.js';
import type { Collected } from './collections.js';
import type { LoadReport } from './results.js';
import { verdictsOf } from './targets.js';
import { stepSeconds } from './walks.js';

/** Writes `file` and its charts beside it. */
export async function writeReport(report: LoadReport, file: string): Promise<void> {
  const stem = basename(file, '.md');
  const charts = loadCharts(report);
  for (const { name, svg } of charts) await writeFile(join(dirname(file), `${stem}-${name}.svg`), svg);
  const images = charts.map(({ name, title }) => `![${title}](${stem}-${name}.svg)`);
  const text = textOf(report, images);
  const style = await resolveConfig(file);
  await writeFile(file, await format(text, { ...style, parser: 'markdown' }));
}

const whole = (value: number): string => Math.round(value).toLocaleString('en-US');
const ms = (value: number | null | undefined): string =>
  value === null || value === undefined ? '-' : `${value.toFixed(1)} ms`;
const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

function textOf(report: LoadReport, images: readonly string[]): string {
  const { machine, half, overload, reconnect, maximum, ceiling } = report;
  const [ratesChart, latencyChart, memoryChart, profileChart] = images;
  return `# Load

${whole(report.devices)} devices with ${whole(report.deployments)} deployments on one controller, beside a bare \`ws\` server that parses the same
JSON and answers it: the ceiling of this stack on this machine. \`npm run bench:load\` measures it anew${report.quick ? '; this is a `--quick` run' : ''}.

${report.takenAt.slice(0, 10)}, ${machine.cpu}, ${machine.logicalCores} cores (${pinned(report)}), Node.js ${machine.node}, load average before ${machine.loadAverage.toFixed(2)}, ${report.seconds.toFixed(0)} s.

## Targets

| target | measured | reached |
| --- | --- | --- |
${verdictsOf(report)
  .map(({ target, measured, isReached }) => `| ${target} | ${measured} | ${isReached ? 'yes' : '**no**'} |`)
  .join('\n')}

## How much

${ratesChart!}

| | offered frames/s | served frames/s | dropped | cuts/s | server | clients |
| --- | --: | --: | --: | --: | --: | --: |
${report.trials
  .map(
    (trial) =>
      `| ${trial.target} | ${whole(trial.offeredPerSecond)} | ${whole(trial.servedPerSecond)} | ${whole(trial.droppedFrames)} | ${whole(trial.clients.cuts / trial.clients.seconds)} | ${percent(trial.serverCpu)} | ${percent(trial.clients.cpuSeconds / trial.clients.seconds)} |`,
  )
  .join('\n')}

Each line is a stretch of load, the two servers in turns; shares are of one core. A rate is sustained where 98 % of
what was offered was served, at the first try or the second; the highest one counts (ceiling ${whole(ceiling.framesPerSecond)}, controller ${whole(maximum.framesPerSecond)} frames/s). Served means: parsed and
answered by the bare server; taken and decided on by the controller, where a frame that a newer one of the same
device replaced before it was looked at counts as dropped. Acknowledgements and pings come on top and are not counted.

## How quick

${latencyChart!}

| load | from | p50 | p99 | max | cuts |
| --- | --- | --: | --: | --: | --: |
| half of the maximum | all deployments | ${ms(half.telemetryToCutMs?.p50)} | ${ms(half.telemetryToCutMs?.p99)} | ${ms(half.telemetryToCutMs?.max)} | ${whole(half.telemetryToCutMs?.count ?? 0)} |
| half of the maximum | probes | ${ms(half.probeMs?.p50)} | ${ms(half.probeMs?.p99)} | ${ms(half.probeMs?.max)} | ${whole(half.probeMs?.count ?? 0)} |
| twice the maximum | probes | ${ms(overload.p50Ms)} | ${ms(overload.p99Ms)} | | ${whole(overload.probeCuts)} |

From the write of a telemetry frame in the device's process to the cut in the end device's hands: network stack, check,
decision, its commit to the database on disk, push. _All deployments_: from the latest frame of the pair, whose two
devices speak half a round apart. _Probes_: pairs whose link comes and goes, so that each frame must change the cut
and the next waits for it; their time is known without doubt also when the controller is far behind. They are paced to about
${whole(report.probeCutsPerSecond)} cuts a second in all, to measure and not to be the load. At half of the maximum ${percent(changedShare(report))} of the other frames changed a cut.
${collectionsText(half)}

## Overload and memory

${memoryChart!}

Twice the maximum for ${overload.seconds.toFixed(0)} s: ${whole(overload.offeredPerSecond)} frames/s offered, ${whole(overload.servedPerSecond)} served, ${whole(overload.droppedFrames)} dropped and counted,
${overload.probesLost} probes without an answer in 3 s. While decisions are behind, a telemetry frame waits unread and a later one of its device takes its place; who
loses none is read at once, the others in turn, and nothing of them until then. Resident memory from the first quarter of the stretch to the last: ${mebibytes(overload.rssGrowthBytes)}. Right after, at half of the maximum:
${percent(overload.after.servedPerSecond / overload.after.offeredPerSecond)} served, to the cut p99 ${ms(overload.after.clients.telemetryToCutMs?.p99)}.

Empty server ${mebibytes(report.memory.empty.rssBytes)}, all connected and deployed ${mebibytes(report.memory.connected.rssBytes)}, after the half load ${mebibytes(report.memory.afterHalf.rssBytes)}: **${whole(report.rssPerDeviceBytes)} bytes per connected device**, its share of a deployment, of history and of garbage included.

## Restart

The controller is stopped and started again on the same port and database. It listens after ${reconnect.startSeconds.toFixed(1)} s; devices come back by
the rule of the protocol (first wait 0.5 to 1 s, doubling, with jitter). ${whole(reconnect.devicesBack)} of ${whole(report.devices)} were welcome ${reconnect.seconds.toFixed(1)} s after
the old process was gone; ${reconnect.wrongCuts} run another cut than the controller has on record, ${reconnect.replayedCuts} cuts were sent to devices that had them.

## Where the time goes

${profileChart!}

CPU profile of the controller at ${report.profile.at}, idle time left out.

${shares('module', report.profile.modules)}

${shares('function', report.profile.functions.slice(0, 20))}

## How it was measured

- The servers run on ${machine.pinned === null ? 'any core' : `core ${machine.pinned.server}`}, what offers the load on ${machine.pinned === null ? 'any core' : `core ${machine.pinned.clients}`}, in processes of their own. The clients write
  WebSocket frames to plain sockets, so that their cost does not limit what is offered; \`clients\` above says what they took.
- Each deployment is one end device and one edge, each with a speed of its own (2 to 20 times slower than the controller's machine; the edge
  up to 3 times faster). Models: ${report.models.map(({ name, layers }) => `${name} (${layers} layers)`).join(', ')}. A third of the deployments ask for a latency, a third for latency and energy.
- Links: ${report.links.recordings.length === 0 ? 'seeded random walks' : `half are recorded (${report.links.recordings.length} recordings), half seeded random walks`}; load, memory, battery, temperature and queue walk too. A second of a walk or of a recording is a second of the clock, however often devices speak; a walk has a new value each ${stepSeconds} s.
- Devices take turns, one after the other: what is offered is even in time. They do not say that they can \`prepare\`, so a changed cut is one frame to each of two devices, and two answers.
- Half of the maximum is offered for some seconds before it is measured: devices that were silent for long all have news at once.
- The database is on disk with \`data.synchronous: normal\`. A decision that keeps the cut is a row of the history once in \`decisions.keptRowMs\`; a changed cut always is, before it is pushed.
- Settings that differ from the defaults: ${Object.entries(report.settings)
    .map(([name, value]) => `\`${name}=${value}\``)
    .join(', ')}.
`;
}

/** What the garbage collector did at half load. */
function collectionsText({ seconds, collections: { young, whole: all } }: LoadReport['half']): string {
  const each = ({ count, milliseconds }: Collected): string =>
    ms(count === 0 ? undefined : milliseconds / count);
  const times = ({ count }: Collected): string => (count === 1 ? 'once' : `${count} times`);
  return (
    `In those ${seconds.toFixed(0)} s garbage was collected ${times(young)} among young objects, which held up the main thread for ${each(young)} each, ` +
    `and ${times(all)} in the whole heap (${each(all)} at its end). Until that end other threads mark the heap.`
  );
}

/** Of the telemetry frames at half load, those of the probes left out: the share after which the end device had a new cut. */
function changedShare({ half }: LoadReport): number {
  const own = half.probeMs?.count ?? 0;
  return (half.cuts - own) / Math.max(1, half.framesPerSecond * half.seconds - own);
}

function pinned({ machine }: LoadReport): string {
  return machine.pinned === null
    ? 'servers and clients share them'
    : 'servers on one, what offers the load on another';
}

function shares(name: string, entries: readonly ModuleShare[]): string {
  return `| ${name} | share |\n| --- | --: |\n${entries.map(({ module, share }) => `| ${module} | ${percent(share)} |`).join('\n')}`;
}
