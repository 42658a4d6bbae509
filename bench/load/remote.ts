/** Calls from one process into another over the channel that Node opens between them. */
import type { ChildProcess } from 'node:child_process';

interface Call {
  readonly id: number;
  readonly name: string;
  readonly argument: unknown;
}

interface Reply {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}

/** What a process can be asked to do, by name. */
export type Calls = Readonly<Record<string, (argument: never) => unknown>>;

/** Answers the calls of the parent. The channel does not keep the process alive when `isDetached`. */
export function answerCalls(calls: Calls, isDetached = false): void {
  process.on('message', (message: Call) => {
    const { id, name, argument } = message;
    void Promise.resolve()
      .then(() => calls[name]!(argument as never))
      .then(
        (result) => process.send?.({ id, result } satisfies Reply),
        (error: unknown) =>
          process.send?.({
            id,
            error: error instanceof Error ? (error.stack ?? error.message) : String(error),
          } satisfies Reply),
      );
  });
  if (isDetached) process.channel?.unref();
}

/** The other side of `answerCalls`. */
export class Remote {
  readonly #waiting = new Map<number, { done: (result: unknown) => void; failed: (error: Error) => void }>();
  #nextId = 1;

  constructor(readonly child: ChildProcess) {
    child.on('message', (reply: Reply) => {
      const waiting = this.#waiting.get(reply.id);
      this.#waiting.delete(reply.id);
      if (reply.error === undefined) waiting?.done(reply.result);
      else waiting?.failed(new Error(reply.error));
    });
    child.once('exit', (code, signal) => {
      const error = new Error(`the process ended (${signal ?? `exit code ${String(code)}`})`);
      for (const { failed } of this.#waiting.values()) failed(error);
      this.#waiting.clear();
    });
  }

  /** `Result` is what the call of that name gives back. */
  call<Result>(name: string, argument: unknown = null): Promise<Result> {
    const id = this.#nextId++;
    return new Promise<Result>((done, failed) => {
      this.#waiting.set(id, { done: (result) => done(result as Result), failed });
      this.child.send({ id, name, argument } satisfies Call, (error) => {
        if (error === null) return;
        this.#waiting.delete(id);
        failed(error);
      });
    });
  }
}
