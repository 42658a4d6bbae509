/** `cutpoint conformance`: holds a server, or a device, against the device protocol. */
import type { Command } from 'commander';
import type { Result } from '../conformance/run.js';
import { UsageError } from './commandError.js';
import { printJson, printLines } from './output.js';

interface ConformanceFlags {
  readonly server?: string;
  readonly key?: string;
  readonly only?: readonly string[];
  readonly prefix: string;
  readonly list?: true;
  readonly frames?: true;
  readonly json?: true;
}

export function registerConformance(program: Command): void {
  program
    .command('conformance')
    .summary('hold a server or a device against the device protocol')
    .description(
      "Plays the device's half of the protocol against any server, one scenario for each promise, and says\n" +
        'which hold; a failure comes with all frames.',
    )
    .option('--server <url>', 'server to check, such as http://127.0.0.1:8080')
    .option('--key <key>', "an operator's API key; without it scenarios that need operators may be skipped")
    .option('--only <names...>', 'only scenarios whose name begins so, such as telemetry or hello/twice')
    .option('--prefix <text>', 'ids of the devices that are played begin with it', 'conformance')
    .option('--list', 'list the scenarios and what each holds')
    .option('--frames', 'show the frames of every scenario, not of failed ones only')
    .option('--json', 'write JSON to stdout')
    .addHelpText(
      'after',
      '\nExamples:\n  cutpoint conformance --server http://127.0.0.1:8080 --key "$KEY"\n' +
        '  cutpoint conformance --server https://controller.example --only telemetry sizes --frames\n' +
        '\nExit codes: 0 all pass, 1 some fail, 2 wrong usage.',
    )
    .action(run);
}

async function run(flags: ConformanceFlags): Promise<void> {
  const { serverScenarios, checkServer } = await import('../conformance/serverScenarios.js');
  const { nameOf } = await import('../conformance/scenario.js');
  const { resultLines, summaryLine, summaryOf } = await import('../conformance/report.js');
  const scenarios = serverScenarios.filter((scenario) => isAsked(nameOf(scenario), flags.only));
  if (scenarios.length === 0)
    throw new UsageError(`conformance: no scenario begins with ${flags.only!.join(', ')}`);
  if (flags.list === true) {
    if (flags.json === true) printJson(scenarios.map((s) => ({ name: nameOf(s), promise: s.promise })));
    else printLines(scenarios.map((scenario) => `${nameOf(scenario)}: ${scenario.promise}`));
    return;
  }
  if (flags.server === undefined) throw new UsageError('conformance: which server? Give --server URL');
  const target = { origin: originOf(flags.server), key: flags.key ?? null, prefix: flags.prefix };
  const startMs = performance.now();
  const say = (result: Result): void => {
    if (flags.json !== true)
      printLines(resultLines(result, flags.frames === true || result.verdict === 'fail'));
  };
  const results = await checkServer(target, scenarios, say);
  const summary = summaryOf(results);
  const seconds = (performance.now() - startMs) / 1000;
  if (flags.json === true) printJson({ server: target.origin, seconds, summary, results });
  else printLines(['', summaryLine(summary, seconds)]);
  process.exitCode = summary.fail > 0 ? 1 : 0;
}

function isAsked(name: string, only: readonly string[] | undefined): boolean {
  return only === undefined || only.some((part) => name.startsWith(part));
}

/** @throws UsageError */
function originOf(text: string): string {
  const url = URL.canParse(text) ? new URL(text.replace(/^ws/, 'http')) : null;
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new UsageError(`--server: ${text} is no address such as http://127.0.0.1:8080`);
  }
  return url.origin;
}
