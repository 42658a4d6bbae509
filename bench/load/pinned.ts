/** Processes of the benchmark: each on a core of its own where the machine lets us say so. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { cpus } from 'node:os';

const canPin = cpus().length > 1 && spawnSync('taskset', ['-c', '0', 'true']).status === 0;

/** Which core each side of the load runs on; null where they share all cores. */
export const cores: { readonly server: number; readonly clients: number } | null = canPin
  ? { server: 0, clients: 1 }
  : null;

export interface StartOptions {
  /** Where it runs: the same core for both kinds of server, another one for what offers the load. */
  readonly side: 'server' | 'clients';
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  readonly nodeOptions?: readonly string[];
}

/** Starts `module` (of this folder's compiled files) with a channel to it; what it writes on stderr is shown. */
export function startProcess(module: URL, args: readonly string[], options: StartOptions): ChildProcess {
  const node = [process.execPath, ...(options.nodeOptions ?? []), fileURLToPath(module), ...args];
  const command = cores === null ? node : ['taskset', '-c', String(cores[options.side]), ...node];
  return spawn(command[0]!, command.slice(1), {
    cwd: options.cwd,
    env: options.env ?? process.env,
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
}
