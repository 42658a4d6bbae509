/** `cutpoint conformance`: holds a server, or a device, against the device protocol. */
import { randomBytes } from 'node:crypto';
import { Option, type Command } from 'commander';
import type { Result } from '../conformance/run.js';
import type { Topic } from '../conformance/scenario.js';
import { RefusedError, UsageError } from './commandError.js';
import { integerOption } from './optionValues.js';
import { printJson, printLines, startProgress } from './output.js';

type Done = (result: Result) => void;

interface Named {
  readonly topic: Topic;
  readonly name: string;
  readonly promise: string;
}

interface ConformanceFlags {
  readonly server?: string;
  readonly device?: true;
  readonly listen?: number;
  readonly host: string;
  readonly key?: string;
  readonly only?: readonly string[];
  readonly prefix: string;
  readonly patience: number;
  readonly deviceId: string;
  readonly list?: true;
  readonly frames?: true;
  readonly json?: true;
}

export function registerConformance(program: Command): void {
  program
    .command('conformance')
    .summary('hold a server or a device against the device protocol')
    .description(
      "With --server it plays the device's half of the protocol against any server, with --device the server's\n" +
        'half against any device: one scenario for each promise. What fails is shown with its frames.',
    )
    .argument('[command...]', 'with --device: starts the device, anew for each scenario; behind --')
    .option('--server <url>', 'server to check, such as http://127.0.0.1:8080')
    .option('--device', 'check a device instead, which connects to here')
    .option('--key <key>', "with --server: an operator's API key; without it some scenarios may be skipped")
    .option('--prefix <text>', 'with --server: ids of the devices that are played begin so', 'conformance')
    .option(
      '--listen <port>',
      'with --device: port to listen on (default: a free one)',
      integerOption(0, 65_535),
    )
    .option('--host <address>', 'with --device: address to listen on', '127.0.0.1')
    .option('--device-id <id>', 'with --device: the id that the device must say', 'conformance-device')
    .option(
      '--patience <factor>',
      'so many times as long has what must happen: the other side, or this machine, is slow (1 to 100)',
      integerOption(1, 100),
      1,
    )
    .addOption(new Option('--only <names...>', 'only scenarios whose name begins so: telemetry, hello/twice'))
    .option('--list', 'list the scenarios and what each holds')
    .option('--frames', 'show the frames of every scenario, not of failed ones only')
    .option('--json', 'write JSON to stdout')
    .addHelpText(
      'after',
      '\nExamples:\n  cutpoint conformance --server http://127.0.0.1:8080 --key "$KEY"\n' +
        '  cutpoint conformance --server https://controller.example --only telemetry sizes --frames\n' +
        '  cutpoint conformance --device --listen 9000\n' +
        '  cutpoint conformance --device -- python3 device.py\n' +
        '\nA device that is started finds CUTPOINT_URL, CUTPOINT_DEVICE_ID and CUTPOINT_TOKEN in its environment.' +
        '\ndocs/conformance.md has all scenarios. Exit codes: 0 all pass, 1 some fail, 2 wrong usage.',
    )
    .action(run);
}

async function run(command: readonly string[], flags: ConformanceFlags): Promise<void> {
  const isDevice = flags.device === true;
  if (isDevice && flags.server !== undefined)
    throw new UsageError('conformance: --server or --device, not both');
  if (!isDevice && command.length > 0) throw new UsageError('conformance: a command needs --device');
  if (!isDevice && flags.server === undefined && flags.list !== true) {
    throw new UsageError('conformance: what is to be checked? Give --server URL, or --device');
  }
  await (isDevice ? runDevice(command, flags) : runServer(flags));
}

async function runServer(flags: ConformanceFlags): Promise<void> {
  const { serverScenarios, checkServer } = await import('../conformance/serverScenarios.js');
  const scenarios = await asked(serverScenarios, flags);
  if (scenarios === null) return;
  const target = {
    origin: originOf(flags.server!),
    key: flags.key ?? null,
    prefix: flags.prefix,
    patience: flags.patience,
  };
  await report(flags, { server: target.origin }, scenarios, (done) => checkServer(target, scenarios, done));
}

async function runDevice(command: readonly string[], flags: ConformanceFlags): Promise<void> {
  const { checkConnectedDevice, checkStartedDevice, deviceScenarios } =
    await import('../conformance/deviceScenarios.js');
  const scenarios = await asked(deviceScenarios, flags);
  if (scenarios === null) return;
  const token = randomBytes(24).toString('base64url');
  const target = { deviceId: flags.deviceId, token, patience: flags.patience };
  const [program, ...args] = command;
  const about = { device: flags.deviceId };
  if (program !== undefined) {
    const check = (done: Done) => checkStartedDevice(target, [program, ...args], scenarios, done);
    await report(flags, about, scenarios, check);
    return;
  }
  const { DeviceBench } = await import('../conformance/device/bench.js');
  const bench = await DeviceBench.listen(flags.listen ?? 0, flags).catch((error: unknown) => {
    throw new RefusedError(`cannot listen: ${error instanceof Error ? error.message : String(error)}`);
  });
  process.stderr.write(
    `Let the device connect to ${bench.url} (path /v1/devices)\n  id     ${target.deviceId}\n  token  ${token}\n`,
  );
  try {
    await report(flags, about, scenarios, (done) => checkConnectedDevice(target, bench, scenarios, done));
  } finally {
    await bench.close();
  }
}

/** The scenarios that are asked for; null where they were only to be listed. @throws UsageError for none */
async function asked<S extends Named>(
  all: readonly S[],
  { only, list, json }: ConformanceFlags,
): Promise<readonly S[] | null> {
  const { nameOf } = await import('../conformance/scenario.js');
  const nowhere = only?.find((part) => !all.some((scenario) => nameOf(scenario).startsWith(part)));
  if (nowhere !== undefined) {
    throw new UsageError(`conformance: no scenario begins with "${nowhere}"; --list shows them`);
  }
  const scenarios = all.filter((s) => only === undefined || only.some((part) => nameOf(s).startsWith(part)));
  if (list !== true) return scenarios;
  if (json === true) printJson(scenarios.map((s) => ({ name: nameOf(s), promise: s.promise })));
  else printLines(scenarios.map((s) => `${nameOf(s)}: ${s.promise}`));
  return null;
}

async function report(
  { json, frames }: ConformanceFlags,
  about: object,
  scenarios: readonly Named[],
  check: (done: Done) => Promise<Result[]>,
): Promise<void> {
  const { resultLines, summaryLine, summaryOf } = await import('../conformance/report.js');
  const { nameOf } = await import('../conformance/scenario.js');
  const startMs = performance.now();
  const progress = startProgress('conformance');
  // they end in any order; lines stand in the order of the list, so that two runs can be compared
  const names = scenarios.map(nameOf);
  const ended = new Map<string, Result>();
  let [finished, told] = [0, 0];
  const results = await check((result) => {
    ended.set(result.name, result);
    progress.update(`${++finished} of ${names.length}, ${result.name}`, finished / names.length);
    if (json === true) return;
    progress.done(); // its line is in the way
    for (let next = ended.get(names[told]!); next !== undefined; next = ended.get(names[++told]!)) {
      printLines(resultLines(next, frames === true || next.verdict === 'fail'));
    }
  }).finally(() => progress.done());
  const summary = summaryOf(results);
  const seconds = (performance.now() - startMs) / 1000;
  if (json === true) printJson({ ...about, seconds, summary, results });
  else printLines(['', summaryLine(summary, seconds)]);
  process.exitCode = summary.fail > 0 ? 1 : 0;
}

/** @throws UsageError */
function originOf(text: string): string {
  const url = URL.canParse(text) ? new URL(text.replace(/^ws/, 'http')) : null;
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new UsageError(`--server: ${text} is no address such as http://127.0.0.1:8080`);
  }
  return url.origin;
}
