/** The device in Python (test/python/device.py) as a child process, where Python has websockets. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { until } from './controlRig.js';

const deviceFile = fileURLToPath(new URL('../../../test/python/device.py', import.meta.url));

/** The system's Python comes second: what is first in the path may have no websockets. */
function findPython(): string | null {
  const hasWebsockets = (python: string): boolean =>
    spawnSync(python, ['-c', 'import websockets.legacy.client'], { stdio: 'ignore' }).status === 0;
  return ['python3', '/usr/bin/python3'].find(hasWebsockets) ?? null;
}

const python = findPython();

/** Starts the device, which then looks into its environment; see device.py. */
export function pythonDeviceCommand(): readonly [string, ...string[]] {
  return [python!, deviceFile];
}

/** Why tests with Python are skipped; false where they are not. */
export const withoutPython: string | false =
  python === null && 'no Python with websockets (Debian: apt install python3-websockets)';

type PythonEvent = Readonly<Record<string, unknown>> & { readonly event: string };

export function startPythonDevice(
  url: string,
  {
    deviceId,
    role,
    token,
    args = [],
  }: {
    readonly deviceId: string;
    readonly role: 'end' | 'edge';
    readonly token?: string;
    readonly args?: readonly string[];
  },
) {
  const { CUTPOINT_TOKEN: _, ...env } = process.env;
  const child = spawn(python!, [deviceFile, '--url', url, '--device-id', deviceId, '--role', role, ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...env, ...(token === undefined ? {} : { CUTPOINT_TOKEN: token }) },
  });
  const events: PythonEvent[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => events.push(JSON.parse(line) as PythonEvent));
  const ended = once(child, 'exit');
  return {
    events,
    of: (event: string) => events.filter((one) => one.event === event),
    /** The `count`th event of a name, as soon as it is there. */
    async next(event: string, count = 1): Promise<PythonEvent> {
      const of = () => events.filter((one) => one.event === event);
      await until(() => of().length >= count, `${event} number ${count} of the device in Python`);
      return of()[count - 1]!;
    },
    /** See Device.command in device.py. */
    command: (command: object) => {
      child.stdin.write(`${JSON.stringify(command)}\n`);
    },
    async stop(): Promise<void> {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
