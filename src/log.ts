/** The log of one context: structured lines on standard output, without secrets, bounded when nobody reads. */
import pino, { type DestinationStream, type Logger } from 'pino';

export type { Logger } from 'pino';

/** Names under which a secret may stand in what is logged, at the top or up to three levels down. */
const SECRETS = [
  'authorization',
  'Authorization',
  'proxy-authorization',
  'cookie',
  'Cookie',
  'set-cookie',
  'x-api-key',
  'apiKey',
  'token',
  'accessToken',
  'refreshToken',
  'password',
  'secret',
  'clientSecret',
  'credentials',
];
const LEVELS_DOWN = ['', '*.', '*.*.', '*.*.*.'];

/** Bytes of log lines that may wait for a slow reader; what comes beyond is dropped and counted. */
const MAX_WAITING_BYTES = 8 * 1024 * 1024;

export interface LogOptions {
  readonly level: string;
  /** Where lines go; standard output where it is absent. */
  readonly destination?: DestinationStream;
  /** Told of each line that was dropped because the reader of standard output does not keep up. */
  readonly onDrop?: () => void;
}

export interface Log {
  readonly logger: Logger;
  /** Writes out what waits, at once; to be called last, also on the way out of a crash. */
  flush(): void;
  /**
   * The same on the way out in good order: in the background and for a second at most, since `flush` never ends where
   * the reader of standard output is gone.
   */
  drained(): Promise<void>;
}

/** Time that a reader has for what waits at the end, ms. */
const drainMs = 1_000;

function redactPaths(): string[] {
  return SECRETS.flatMap((name) => {
    const step = name.includes('-') ? `["${name}"]` : name;
    return LEVELS_DOWN.map((above) =>
      step.startsWith('[') ? `${above.replace(/\.$/, '')}${step}` : `${above}${step}`,
    );
  });
}

/** Creates the log of one context. */
export function createLog({ level, destination, onDrop }: LogOptions): Log {
  const stdout = destination
    ? null
    : pino.destination({ dest: 1, sync: false, maxLength: MAX_WAITING_BYTES });
  stdout?.on('drop', () => onDrop?.());
  const logger = pino(
    {
      level,
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: pino.stdSerializers.err, error: pino.stdSerializers.err },
      redact: { paths: redactPaths(), censor: '[secret]' },
    },
    destination ?? stdout!,
  );
  return {
    logger,
    flush: () => stdout?.flushSync(),
    drained: () =>
      new Promise((resolve) => {
        if (stdout === null) return resolve();
        const timer = setTimeout(resolve, drainMs);
        const done = (): void => {
          clearTimeout(timer);
          resolve();
        };
        stdout.once('error', done); // the reader is gone: pino drops what waits
        stdout.flush(done);
      }),
  };
}
