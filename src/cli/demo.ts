/** `cutpoint demo`: a controller and a fleet before one's eyes. */
import { Option, type Command } from 'commander';
import { mostDevices } from '../demo/fleetPlan.js';
import { integerOption } from './optionValues.js';

interface DemoFlags {
  readonly seconds: number;
  readonly devices: number;
  readonly seed: number;
  readonly trace?: string;
  readonly chart: string;
  readonly json?: string;
}

const mostSeconds = 3600;

/** Exit code of a command that a signal ended, as shells have it. */
const interruptedExitCodes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

export function registerDemo(program: Command): void {
  program
    .command('demo')
    .summary('watch a controller serve a fleet of simulated devices')
    .description(
      'Starts a controller with a temporary database and a fleet of device processes on changing links, shows what\n' +
        'is decided, and ends by itself with a summary and a chart. Nothing is left behind.',
    )
    .option('--seconds <number>', 'how long, after the set-up', integerOption(1, mostSeconds), 30)
    .option('--devices <number>', 'end devices', integerOption(1, mostDevices), 6)
    .option('--seed <number>', 'of the fleet and its links', integerOption(0, 1_000_000), 1)
    .addOption(
      new Option('--trace <file>', 'replay a CSV (t_s,uplink_bps,downlink_bps,rtt_ms,loss) as the links'),
    )
    .option('--chart <file>', 'SVG to write', 'cutpoint-demo.svg')
    .option('--json <file>', 'write the summary as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  cutpoint demo\n  cutpoint demo --seconds 60 --devices 12 --seed 7 --json summary.json\n' +
        '  cutpoint demo --trace drive.csv --chart drive.svg\n' +
        '\nExit codes: 0 run to its end, 1 failed, 2 wrong usage, 130 interrupted by Ctrl-C.',
    )
    .action(async (flags: DemoFlags) => {
      const { runDemo } = await import('../demo/demo.js');
      await untilInterrupted((signal) =>
        runDemo(
          {
            seconds: flags.seconds,
            devices: flags.devices,
            seed: flags.seed,
            traceFile: flags.trace ?? null,
            chartFile: flags.chart,
            jsonFile: flags.json ?? null,
            output: process.stdout,
          },
          signal,
        ),
      );
    });
}

/** Runs `work`; a signal of the user or the system interrupts it, and it cleans up before the process ends. */
async function untilInterrupted(work: (signal: AbortSignal) => Promise<unknown>): Promise<void> {
  const interrupt = new AbortController();
  const handlers = Object.entries(interruptedExitCodes).map(([name, exitCode]) => {
    const handler = (): void => {
      process.exitCode = exitCode;
      interrupt.abort();
    };
    process.on(name, handler);
    return { name, handler };
  });
  try {
    await work(interrupt.signal);
  } catch (error) {
    if (!interrupt.signal.aborted) throw error;
    if (error instanceof Error && error.name !== 'AbortError' && !('code' in error)) throw error;
    process.stderr.write('cutpoint: interrupted; the demo is stopped and cleaned up\n');
  } finally {
    for (const { name, handler } of handlers) process.removeListener(name, handler);
  }
}
