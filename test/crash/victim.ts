/** The controller under test: a real process on a port of its own, started, killed and started again. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

const keptCharacters = 4_000;

export class Victim {
  /** Ready for work; rejected when the process ended before. */
  readonly ready: Promise<void>;
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  #said = '';

  constructor(command: readonly string[], env: NodeJS.ProcessEnv) {
    const startedAt = performance.now();
    const child = spawn(process.execPath, command, {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    this.#ended = once(child, 'close').then(() => undefined);
    child.stderr.setEncoding('utf8').on('data', (text: string) => this.#keep(text));
    const listens = new Promise<void>((resolve) => {
      createInterface(child.stdout).on('line', (line) => {
        this.#keep(`${line}\n`);
        if (!line.includes('"controller ready"')) return;
        this.adminKey = (JSON.parse(line) as { adminKey?: string }).adminKey ?? null;
        this.startMs = performance.now() - startedAt;
        resolve();
      });
    });
    this.ready = Promise.race([
      listens,
      this.#ended.then(() => {
        throw new Error(`the controller ended with ${child.exitCode ?? child.signalCode}: ${this.#said}`);
      }),
    ]);
    this.ready.catch(() => undefined); // whoever waits for it is told
  }

  /** From spawn to ready; null before. */
  startMs: number | null = null;

  /** Told at the first start on a folder; null otherwise. */
  adminKey: string | null = null;

  get said(): string {
    return this.#said;
  }

  /** @returns the exit code, null where the signal ended it */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> {
    this.#child.kill(signal);
    await this.#ended;
    return this.#child.exitCode;
  }

  /** @throws Error where it is not ready in time */
  async readyWithin(ms: number): Promise<void> {
    const late = new AbortController();
    const timeout = sleep(ms, undefined, { signal: late.signal }).then(
      () => {
        throw new Error(`the controller was not ready within ${ms} ms: ${this.#said}`);
      },
      () => undefined,
    );
    try {
      await Promise.race([this.ready, timeout]);
    } finally {
      late.abort();
    }
  }

  #keep(text: string): void {
    this.#said = `${this.#said}${text}`.slice(-keptCharacters);
  }
}
