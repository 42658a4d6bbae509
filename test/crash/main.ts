/** `npm run test:crash`: kills the controller again and again; exit code 1 where it found a contradiction. */
import { parseArgs } from 'node:util';
import { mainScript } from '../support/runCutpoint.js';
import { crashRun, type CrashReport } from './crashRun.js';

const help = `Kills cutpoint serve at random points under load, starts it again, and holds what devices and operators were told
against the database.

  npm run test:crash -- [--kills 200] [--terms 10] [--seed N] [--json] [--mutated]

  --kills N    kill -9 so often (200)
  --terms N    stop by SIGTERM under load so often, besides (10)
  --seed N     of the times and the links (the clock)
  --json       the report as JSON on standard output
  --mutated    a controller that pushes cuts before they are stored: contradictions must be found

Exit code 0: no contradiction and no fault; 1: at least one; 2: wrong usage.
`;

const whole = (name: string, value: string): number => {
  const number = Number(value);
  if (Number.isSafeInteger(number) && number >= 0) return number;
  process.stderr.write(`test:crash: --${name} takes a whole number, not ${value}\n`);
  process.exit(2);
};

function readable(report: CrashReport): string {
  const { kills, killsDuringStart, terms, seconds, startMs } = report;
  return [
    `${kills} kills (${killsDuringStart} during a start) and ${terms} stops in ${seconds} s, seed ${report.seed}`,
    `start to ready: median ${startMs.median} ms, longest ${startMs.max} ms`,
    `${report.devices} devices, ${report.deployments} deployments that stay, ${report.framesSent} frames sent`,
    `${report.cutsSeen} cuts seen, ${report.distinctVersions} versions, ${report.acknowledged} acknowledged`,
    `${report.confirmedChanges} changes of operators confirmed`,
    `contradictions: ${report.contradictions} ${JSON.stringify(report.byKind)}`,
    `acknowledged decisions lost: ${report.acknowledgedLost}`,
    ...report.examples.map(({ kind, deploymentId, text }) => `  ${kind} ${deploymentId}: ${text}`),
    `other faults: ${report.faults.length}`,
    ...report.faults.slice(0, 10).map((fault) => `  ${fault}`),
    '',
  ].join('\n');
}

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '200' },
    terms: { type: 'string', default: '10' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    json: { type: 'boolean', default: false },
    mutated: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  process.stdout.write(help);
  process.exit(0);
}
const mutated = new URL('./earlyPushServer.js', import.meta.url).pathname;
let lastShown = 0;
const report = await crashRun({
  kills: whole('kills', values.kills),
  terms: whole('terms', values.terms),
  seed: whole('seed', values.seed),
  command: values.mutated ? [mutated] : [mainScript, 'serve'],
  ends: 12,
  edges: 3,
  longestRunMs: 1_200,
  progress: ({ kills, terms, seconds, cutsSeen, contradictions }) => {
    if (kills + terms - lastShown < 10) return;
    lastShown = kills + terms;
    process.stderr.write(
      `${kills} kills, ${terms} stops, ${seconds} s: ${cutsSeen} cuts seen, ${contradictions} contradictions\n`,
    );
  },
});
process.stdout.write(values.json ? `${JSON.stringify(report, null, 2)}\n` : readable(report));
process.exitCode = report.contradictions + report.faults.length === 0 ? 0 : 1;
