/** A real `cutpoint serve` in a process of its own. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { rememberAdminKey } from './credentials.js';

interface Ready {
  readonly msg: string;
  readonly origin?: string;
  readonly adminKey?: string;
}

/** By data folder. */
const adminKeys = new Map<string, string>();

const main = fileURLToPath(new URL('../../src/main.js', import.meta.url));

export interface ServeProcess {
  readonly child: ChildProcess;
  readonly origin: string;
  readonly lines: string[];
  /** Sends a signal and waits for the end. @returns the exit code, null where the signal ended it */
  end(signal: NodeJS.Signals): Promise<number | null>;
}

export interface FailedStart {
  readonly code: number | null;
  readonly stderr: string;
}

/** Starts it; fulfilled when it listens, or when it ended without. */
export async function startServe(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<ServeProcess | FailedStart> {
  const child = spawn(process.execPath, [main, 'serve', '--port', '0', ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = once(child, 'close') as Promise<[number | null]>;
  const lines: string[] = [];
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const folder = args[args.indexOf('--data') + 1] ?? '';
  const ready = new Promise<string>((resolve) => {
    createInterface(child.stdout).on('line', (line) => {
      lines.push(line);
      const { msg, origin, adminKey } = JSON.parse(line) as Ready;
      if (msg !== 'controller ready') return;
      // told at the first start on a folder alone, and good for the later ones
      if (adminKey !== undefined) adminKeys.set(folder, adminKey);
      rememberAdminKey(origin!, adminKeys.get(folder)!);
      resolve(origin!);
    });
  });
  const origin = await Promise.race([ready, exited.then(([code]) => ({ code, stderr }))]);
  if (typeof origin !== 'string') return origin;
  return {
    child,
    origin,
    lines,
    async end(signal) {
      child.kill(signal);
      const [code] = await exited;
      return code;
    },
  };
}

/** Starts it where a start must work. */
export async function mustServe(args: readonly string[], env?: NodeJS.ProcessEnv): Promise<ServeProcess> {
  const started = await startServe(args, env);
  if ('origin' in started) return started;
  throw new Error(`cutpoint serve ended with ${started.code}: ${started.stderr}`);
}
