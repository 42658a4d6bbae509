/**
 * What one side of a wire has said so far, and waiting for what it says next. Messages are looked at in order: an
 * expectation that is met moves the mark behind the message that met it.
 */
import { show, Unmet } from './outcome.js';

export type Message = Readonly<Record<string, unknown>> & { readonly type: string };

export interface Closing {
  readonly code: number;
  readonly reason: string;
}

/** Matches a message by fields: equal JSON, or a function that says yes. */
export type Pattern = Readonly<Record<string, unknown>>;

export class Inbox {
  readonly messages: Message[] = [];
  closed: Closing | null = null;
  #mark = 0;
  readonly #waiting = new Set<() => void>();

  constructor(
    private readonly who: string,
    /** Ends all waiting with its reason; a wire that outlives a scenario has none. */
    private readonly signal?: AbortSignal,
    /** Times within which something must come are so much longer. */
    private readonly patience = 1,
  ) {
    signal?.addEventListener('abort', () => this.#wake(), { once: true });
  }

  take(message: Message): void {
    this.messages.push(message);
    this.#wake();
  }

  close(closing: Closing): void {
    this.closed ??= closing;
    this.#wake();
  }

  /** Forgets what came so far: expectations look at what comes from here on. */
  skip(): void {
    this.#mark = this.messages.length;
  }

  /** Messages behind the mark that match. */
  ahead(type: string, pattern: Pattern = {}): Message[] {
    return this.messages.slice(this.#mark).filter((message) => matches(message, type, pattern));
  }

  /** The next message of a type that matches. @throws Unmet when it does not come, or the wire is closed before */
  async expect(type: string, pattern: Pattern = {}, withinMs = 3_000): Promise<Message> {
    const wanted = `${type}${describe(pattern)}`;
    const found = await this.#until(() => {
      const index = this.messages.findIndex((m, i) => i >= this.#mark && matches(m, type, pattern));
      if (index >= 0) return { index };
      return this.closed === null ? undefined : { index: -1 };
    }, withinMs * this.patience);
    if (found === undefined) {
      throw new Unmet(`${this.who}: no ${wanted} within ${withinMs * this.patience} ms; ${this.#lately()}`);
    }
    if (found.index < 0) throw new Unmet(`${this.who}: closed with ${this.#closing()} before ${wanted}`);
    this.#mark = found.index + 1;
    return this.messages[found.index]!;
  }

  /** The first message behind the mark, which stays where it is. @throws Unmet when none comes */
  async next(withinMs = 3_000): Promise<Message> {
    const found = await this.#until(() => this.messages[this.#mark], withinMs * this.patience);
    if (found === undefined) throw new Unmet(`${this.who}: no message within ${withinMs * this.patience} ms`);
    return found;
  }

  /** @throws Unmet when a matching message is behind the mark or comes during that time */
  async expectNone(type: string, pattern: Pattern, duringMs: number, why: string): Promise<void> {
    const found = await this.#until(() => this.ahead(type, pattern)[0], duringMs);
    if (found !== undefined) throw new Unmet(`${this.who}: ${why}, but there came ${show(found)}`);
  }

  /** @throws Unmet when it is not closed in time, or with another code (or, where given, another reason) */
  async expectClose(code: number, reason?: string, withinMs = 3_000): Promise<void> {
    const wanted = reason === undefined ? String(code) : `${code} ${reason}`;
    const closed = await this.#until(() => this.closed ?? undefined, withinMs * this.patience);
    if (closed === undefined) {
      throw new Unmet(
        `${this.who}: not closed with ${wanted} within ${withinMs * this.patience} ms; ${this.#lately()}`,
      );
    }
    if (closed.code !== code || (reason !== undefined && closed.reason !== reason)) {
      throw new Unmet(`${this.who}: closed with ${this.#closing()}, expected ${wanted}`);
    }
  }

  /** Waits for the close, whatever its code. @throws Unmet */
  async expectClosed(withinMs = 3_000): Promise<void> {
    const closed = await this.#until(() => this.closed ?? undefined, withinMs * this.patience);
    if (closed === undefined)
      throw new Unmet(`${this.who}: not closed within ${withinMs * this.patience} ms`);
  }

  /** @throws Unmet when the wire is closed, now or during that time */
  async expectOpen(duringMs: number, why: string): Promise<void> {
    const closed = await this.#until(() => this.closed ?? undefined, duringMs);
    if (closed !== undefined) throw new Unmet(`${this.who}: ${why}, but closed with ${this.#closing()}`);
  }

  #until<T>(look: () => T | undefined, withinMs: number): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      const settle = (): boolean => {
        const found = look();
        if (found === undefined && this.signal?.aborted !== true) return false;
        clearTimeout(timer);
        this.#waiting.delete(settle);
        if (found === undefined) reject(this.signal!.reason as Error);
        else resolve(found);
        return true;
      };
      const timer = setTimeout(() => {
        this.#waiting.delete(settle);
        resolve(undefined);
      }, withinMs);
      if (!settle()) this.#waiting.add(settle);
    });
  }

  #wake(): void {
    for (const settle of [...this.#waiting]) settle();
  }

  #closing(): string {
    return `${this.closed!.code}${this.closed!.reason === '' ? '' : ` ${this.closed!.reason}`}`;
  }

  #lately(): string {
    const last = this.messages.at(-1);
    if (this.closed !== null) return `it was closed with ${this.#closing()}`;
    return last === undefined ? 'nothing came at all' : `the last message was ${show(last)}`;
  }
}

/** What a frame says; one that is none of the protocol gets a type that no expectation has. */
export function messageOf(data: Buffer, isBinary: boolean): Message {
  if (isBinary) return { type: '(binary)' };
  const text = data.toString('utf8');
  try {
    const value: unknown = JSON.parse(text);
    const isMessage = typeof value === 'object' && value !== null && 'type' in value;
    return isMessage && typeof value.type === 'string' ? (value as Message) : { type: '(untyped)', text };
  } catch {
    return { type: '(no JSON)', text };
  }
}

function matches(message: Message, type: string, pattern: Pattern): boolean {
  return (
    message.type === type &&
    Object.entries(pattern).every(([field, wanted]) =>
      typeof wanted === 'function'
        ? (wanted as (value: unknown) => boolean)(message[field])
        : show(message[field]) === show(wanted),
    )
  );
}

function describe(pattern: Pattern): string {
  const fields = Object.entries(pattern).map(([field, wanted]) =>
    typeof wanted === 'function' ? `fitting ${field}` : `${field} ${show(wanted)}`,
  );
  return fields.length === 0 ? '' : ` with ${fields.join(', ')}`;
}
