/** `cutpoint serve`: the controller, until it is told to stop. */
import type { Command } from 'commander';
import type { AppContext } from '../appContext.js';
import type { Config } from '../config.js';
import { exitCodes } from './commandError.js';
import { integerOption } from './optionValues.js';

interface ServeFlags {
  readonly config?: string;
  readonly host?: string;
  readonly port?: number;
  readonly data?: string;
  readonly logLevel?: string;
}

/** The address cannot be listened on. */
class ListenError extends Error {
  override readonly name = 'ListenError';
  readonly code = 'listen';
}

export function registerServe(program: Command): void {
  program
    .command('serve')
    .summary('run the controller')
    .description(
      'Runs the controller: devices connect to it over WebSocket, operators use its REST face.\n' +
        'Logs JSON lines to stdout; the line "controller ready" says where it listens.',
    )
    .option('-c, --config <file>', 'configuration file (YAML); config/cutpoint.yaml shows every key')
    .option('--host <address>', 'address to listen on (listen.host)')
    .option(
      '--port <number>',
      'port to listen on, 0 takes a free one (listen.port)',
      integerOption(0, 65_535),
    )
    .option('--data <folder>', 'folder of the database and the models (data.directory)')
    .option('--log-level <level>', 'fatal, error, warn, info, debug, trace or silent (log.level)')
    .addHelpText(
      'after',
      '\nThe first start on a new data folder makes the API key of an admin and tells it once: "adminKey" in the line\n"controller ready". `cutpoint key create` makes another one. SIGHUP looks for a new TLS certificate.\n' +
        '\nEvery key of the configuration can be set in the environment too: CUTPOINT_LISTEN__PORT=9000\n' +
        '\nExamples:\n  cutpoint serve\n  cutpoint serve --port 9000 --data /var/lib/cutpoint\n' +
        '\nStops in order at SIGTERM or SIGINT (Ctrl-C); a second one stops it at once.' +
        '\nExit codes: 0 stopped in order, 1 could not start or not stop in order, 2 wrong usage.',
    )
    .action(async (flags: ServeFlags) => {
      process.exitCode = await serve(flags);
    });
}

async function serve(flags: ServeFlags): Promise<number> {
  process.umask(0o077); // the database holds the pepper, the folder models: for this user alone
  const { loadConfig } = await import('../config.js');
  const config = loadConfig({
    env: process.env,
    file: flags.config,
    overrides: {
      'listen.host': flags.host,
      'listen.port': flags.port,
      'data.directory': flags.data,
      'log.level': flags.logLevel,
    },
  });
  const { letHeapGrow } = await import('../heapGrowth.js');
  letHeapGrow(config.limits.heapGrowthPercent);
  const { createAppContext } = await import('../appContext.js');
  const context = await createAppContext(config);
  const { logger } = context.log;
  const flush = () => context.log.flush();
  // a crash keeps its stack and exit code; this only saves what led to it
  process.on('uncaughtExceptionMonitor', (error) => {
    logger.fatal({ err: error }, 'the controller crashes');
    flush();
  });
  const signal = nextSignal();
  try {
    await context.start();
  } catch (error) {
    await context.stop();
    flush();
    throw asListenError(error, config);
  }
  // in a terminal without TLS it keeps its old meaning: the terminal was closed
  if (config.listen.tlsCertificateFile !== '' || !process.stdin.isTTY) {
    process.on('SIGHUP', () => {
      if (!context.reloadCertificate()) logger.info('SIGHUP: there is no TLS certificate to look at');
    });
  }
  logger.info({ signal: await signal }, 'stopping');
  return await stopInTime(context, config.shutdown.graceMs);
}

/** The first SIGTERM or SIGINT; the second ends the process at once. */
function nextSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let count = 0;
    for (const name of ['SIGTERM', 'SIGINT'] as const) {
      process.on(name, () => {
        if (++count > 1) process.exit(exitCodes.failed);
        resolve(name);
      });
    }
  });
}

async function stopInTime(context: AppContext, graceMs: number): Promise<number> {
  const { logger } = context.log;
  const flush = () => context.log.flush();
  const late = setTimeout(() => {
    logger.error({ graceMs }, 'not stopped within shutdown.graceMs; ending anyway');
    flush();
    process.exit(exitCodes.failed);
  }, graceMs);
  const allCommitted = await context.stop();
  clearTimeout(late);
  if (allCommitted) logger.info('stopped');
  else logger.error('stopped with decisions that the database could not take; no device was told of them');
  await context.log.drained();
  return allCommitted ? exitCodes.ok : exitCodes.failed;
}

function asListenError(error: unknown, { listen: { host, port } }: Config): unknown {
  const message = listenMessages(host, port)[(error as NodeJS.ErrnoException).code ?? ''];
  return message === undefined ? error : new ListenError(message);
}

function listenMessages(host: string, port: number): Readonly<Record<string, string>> {
  const noSuchAddress = `This machine has no address ${host}. Set listen.host (--host) to one that it has.`;
  return {
    EADDRINUSE: `Port ${port} on ${host} is in use by another program. Stop that, or set listen.port (--port) to another one.`,
    EACCES: `This user may not listen on port ${port} of ${host}. Set listen.port (--port) to one above 1023.`,
    EADDRNOTAVAIL: noSuchAddress,
    ENOTFOUND: noSuchAddress,
  };
}
