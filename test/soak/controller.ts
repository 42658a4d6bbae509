/** Starts the controller under test, reads its log, and asks it how much it holds. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Measured, Order } from './controllerProcess.js';

export interface Controller {
  readonly origin: string;
  readonly adminKey: string;
  /** Lines of the log at level error or above, and whatever came on standard error. */
  readonly complaints: string[];
  measure(): Promise<Measured>;
  setClock(offsetMs: number): void;
  /** SIGTERM; @returns the exit code */
  stop(): Promise<number | null>;
}

export async function startController(
  dataFolder: string,
  settings: Readonly<Record<string, string>>,
): Promise<Controller> {
  const child: ChildProcess = fork(
    fileURLToPath(new URL('./controllerProcess.js', import.meta.url)),
    ['serve', '--port', '0', '--data', dataFolder],
    {
      execArgv: ['--expose-gc'],
      env: { ...process.env, ...settings },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    },
  );
  const complaints: string[] = [];
  const exited = once(child, 'exit') as Promise<[number | null]>;
  child.stderr!.setEncoding('utf8').on('data', (text: string) => complaints.push(text));
  const ready = new Promise<{ origin: string; adminKey: string }>((resolve) => {
    createInterface(child.stdout!).on('line', (line) => {
      const entry = JSON.parse(line) as { level: string; msg: string; origin?: string; adminKey?: string };
      if (entry.level === 'error' || entry.level === 'fatal') complaints.push(line);
      if (entry.msg === 'controller ready') resolve({ origin: entry.origin!, adminKey: entry.adminKey! });
    });
  });
  const failed = exited.then(([code]): never => {
    throw new Error(`the controller ended with ${code}: ${complaints.join('\n')}`);
  });
  const { origin, adminKey } = await Promise.race([ready, failed]);
  failed.catch(() => undefined); // from here on its end is what stop() waits for
  const order = (what: Order): void => void child.send(what);
  return {
    origin,
    adminKey,
    complaints,
    async measure() {
      const answer = once(child, 'message');
      order({ kind: 'measure' });
      return ((await answer) as [Measured])[0];
    },
    setClock: (offsetMs) => order({ kind: 'clock', offsetMs }),
    async stop() {
      child.kill('SIGTERM');
      return (await exited)[0];
    },
  };
}
