/** The device under test as a program of its own, started by the runner. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** Where and as whom the device is to connect; given in its environment. */
export interface DeviceAddress {
  readonly url: string;
  readonly deviceId: string;
  readonly token: string;
}

const killAfterMs = 1_000;
/** Of what the program writes, the end is kept for messages. */
const keptCharacters = 2_000;

export class DeviceProcess {
  #output = '';
  #ended: string | null = null;
  readonly #exited: Promise<unknown>;

  private constructor(private readonly child: ChildProcess) {
    this.#exited = once(child, 'close').catch(() => undefined);
    child.on('error', (error) => (this.#ended = error.message));
    child.on('exit', (code, signal) => (this.#ended ??= `it ended with ${code ?? signal ?? '?'}`));
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output = (this.#output + text).slice(-keptCharacters);
      });
    }
  }

  /** @param command the program and its arguments */
  static start(
    [program, ...args]: readonly [string, ...string[]],
    { url, deviceId, token }: DeviceAddress,
  ): DeviceProcess {
    const address = { CUTPOINT_URL: url, CUTPOINT_DEVICE_ID: deviceId, CUTPOINT_TOKEN: token };
    const env = { ...process.env, ...address };
    return new DeviceProcess(spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] }));
  }

  /** How it ended and what it wrote last; null while it runs. */
  get ended(): string | null {
    if (this.#ended === null) return null;
    return this.#output === '' ? this.#ended : `${this.#ended}; it wrote: ${this.#output.trim()}`;
  }

  /** SIGTERM, and SIGKILL where that is not enough. */
  async stop(): Promise<void> {
    if (this.child.pid === undefined) return;
    this.child.kill('SIGTERM');
    const timer = setTimeout(() => this.child.kill('SIGKILL'), killAfterMs);
    await this.#exited;
    clearTimeout(timer);
  }
}
