/** The controller of the demo: a real `cutpoint serve` on a free port with a database of its own. */
import { fork } from 'node:child_process';
import { createInterface } from 'node:readline';
import { endChild, exitOf } from './childProcess.js';
import { ControllerFailure } from './controllerApi.js';

export interface ControllerProcess {
  /** `http://host:port` */
  readonly origin: string;
  /** API key of its admin: its data folder is new at each demo. */
  readonly adminKey: string;
  /** Rejected when the controller ends before it is stopped; never fulfilled. */
  readonly ended: Promise<never>;
  stop(): Promise<void>;
}

const startTimeoutMs = 20_000;
const graceMs = 5000;
const keptCharacters = 4000;

/**
 * @param folder for its data; nothing outside it is written
 * @throws ControllerFailure with what it said, where it does not come up
 */
export async function startController(
  folder: string,
  telemetryIntervalMs: number,
): Promise<ControllerProcess> {
  const child = fork(new URL('../main.js', import.meta.url), ['serve'], {
    cwd: folder,
    env: {
      ...withoutOwnSettings(process.env),
      CUTPOINT_LISTEN__HOST: '127.0.0.1',
      CUTPOINT_LISTEN__PORT: '0',
      CUTPOINT_DATA__DIRECTORY: folder,
      CUTPOINT_LIMITS__TELEMETRY_INTERVAL_MS: String(telemetryIntervalMs),
      // the demo shows each decision
      CUTPOINT_DECISIONS__KEPT_ROW_MS: '0',
      CUTPOINT_IMPORT__RUNS: '5',
      CUTPOINT_IMPORT__WARMUP_RUNS: '1',
    },
    execArgv: ['--import', new URL('./endWithParent.js', import.meta.url).href],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    // A group of its own: Ctrl-C in the terminal is for the demo, which then stops it in order.
    detached: true,
  });
  let said = '';
  const keep = (line: string): void => {
    said = `${said}${line}\n`.slice(-keptCharacters);
  };
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    keep(text.trimEnd());
  });
  let stopping = false;
  const ended = exitOf(child).then(({ code, signal }): never => {
    // While the demo stops, the end is expected; whoever still waits then is stopped by its own signal.
    const how = signal ?? `exit code ${code}`;
    throw new ControllerFailure(
      `the controller ended${stopping ? '' : ' early'} (${how})\n${said.trim()}`.trim(),
    );
  });
  ended.catch(() => undefined);
  const stop = async (): Promise<void> => {
    stopping = true;
    await endChild(child, graceMs, () => child.kill('SIGTERM'));
  };
  try {
    const ready = await Promise.race([readyLine(child.stdout!, keep), ended, timeout(() => said)]);
    return { ...ready, ended, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Settings of the reader's own controller must not reach the one of the demo. */
function withoutOwnSettings(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith('CUTPOINT_')));
}

/** Fulfilled with what the controller logs once it listens; its log is read on, so that it never waits for us. */
function readyLine(
  stdout: NodeJS.ReadableStream,
  keep: (line: string) => void,
): Promise<Pick<ControllerProcess, 'origin' | 'adminKey'>> {
  return new Promise((resolve) => {
    createInterface({ input: stdout }).on('line', (line) => {
      if (!line.startsWith('{')) {
        keep(line);
        return;
      }
      const entry = JSON.parse(line) as { level?: number; origin?: string; adminKey?: string };
      const { origin, adminKey } = entry;
      if (origin !== undefined && adminKey !== undefined) resolve({ origin, adminKey });
      if ((entry.level ?? 0) >= 40) keep(line);
    });
  });
}

function timeout(said: () => string): Promise<never> {
  return new Promise((_resolve, reject) => {
    setTimeout(() => {
      reject(
        new ControllerFailure(
          `the controller did not come up in ${startTimeoutMs / 1000} s\n${said()}`.trim(),
        ),
      );
    }, startTimeoutMs).unref();
  });
}
