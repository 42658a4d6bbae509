/** Operators of the crash test: they change, make and delete deployments and read cuts, and note what was confirmed. */
import type { Random } from '../../src/demo/random.js';
import type { Ledger } from './ledger.js';

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

export interface Pair {
  readonly end: string;
  readonly edge: string;
}

const pauseMs = 20;
/** Wishes of operators beyond the deployments that stay. */
const passing = 6;

export class Operators {
  /** Deployments that stay, and the pairs of devices that they are for. */
  readonly lasting: string[] = [];
  readonly #passing: string[] = [];
  /** API key of an admin. */
  key = '';
  #nextValue = 0;
  #working: Promise<void> = Promise.resolve();
  #paused = true;

  constructor(
    private readonly origin: string,
    private readonly random: Random,
    private readonly ledger: Ledger,
  ) {}

  /** @throws Error where the controller does not answer with `wanted` */
  async must(method: string, path: string, wanted: number, body?: object | Uint8Array): Promise<unknown> {
    const answer = await this.#ask(method, path, body);
    if (answer?.status === wanted) return answer.body;
    throw new Error(`${method} ${path}: ${JSON.stringify(answer)}`);
  }

  resume(modelId: string, pairs: readonly Pair[]): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#working = this.#work(modelId, pairs);
  }

  /** Resolves when nothing is under way any more. */
  async pause(): Promise<void> {
    this.#paused = true;
    await this.#working;
  }

  async create(modelId: string, { end, edge }: Pair): Promise<string | null> {
    const body = { modelId, end: { deviceId: end }, edge: { deviceId: edge } };
    const answer = await this.#ask('POST', '/v1/deployments', body);
    if (answer?.status !== 201) return null;
    const { id } = answer.body as { id: string };
    this.ledger.created(id);
    return id;
  }

  async #work(modelId: string, pairs: readonly Pair[]): Promise<void> {
    while (!this.#paused) {
      const draw = this.random.uniform();
      if (draw < 0.6) await this.#change(this.#any());
      else if (draw < 0.8) await this.#look(this.#any());
      else if (this.#passing.length < passing) {
        const id = await this.create(modelId, pairs[Math.floor(this.random.between(0, pairs.length))]!);
        if (id !== null) this.#passing.push(id);
      } else await this.#delete(this.#passing.shift()!);
      await new Promise((resolve) => setTimeout(resolve, this.random.between(0, pauseMs)));
    }
  }

  #any(): string {
    const all = [...this.lasting, ...this.#passing];
    return all[Math.floor(this.random.between(0, all.length))]!;
  }

  /** A bound that is always met and that no other change has. */
  async #change(id: string): Promise<void> {
    const change = this.ledger.asked(id, 100 + ++this.#nextValue / 1024);
    const body = { requirements: { latencySeconds: change.latencySeconds } };
    const answer = await this.#ask('PATCH', `/v1/deployments/${id}`, body);
    this.ledger.answered(change, outcome(answer, 200));
  }

  async #look(id: string): Promise<void> {
    const answer = await this.#ask('GET', `/v1/deployments/${id}/cut`);
    if (answer?.status !== 200) return;
    const { version, endLayers } = answer.body as { version: number; endLayers: number[] };
    this.ledger.seen({ deploymentId: id, version, cut: JSON.stringify(endLayers), by: 'operator' });
  }

  async #delete(id: string): Promise<void> {
    this.ledger.deleted(id, 'open');
    const answer = await this.#ask('DELETE', `/v1/deployments/${id}`);
    this.ledger.deleted(id, outcome(answer, 204));
  }

  /** Null where the connection broke: it may have been done or not. */
  async #ask(method: string, path: string, body?: object | Uint8Array): Promise<Answer | null> {
    const isBytes = body instanceof Uint8Array;
    try {
      const response = await fetch(`${this.origin}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${this.key}`,
          ...(body !== undefined && {
            'content-type': isBytes ? 'application/octet-stream' : 'application/json',
          }),
        },
        ...(body !== undefined && { body: isBytes ? body : JSON.stringify(body) }),
      });
      const text = await response.text();
      return { status: response.status, body: text === '' ? null : (JSON.parse(text) as unknown) };
    } catch (error) {
      if (error instanceof TypeError || error instanceof SyntaxError) return null; // broken before or inside the answer
      throw error;
    }
  }
}

function outcome(answer: Answer | null, wanted: number): 'done' | 'refused' | 'unknown' {
  if (answer === null) return 'unknown';
  return answer.status === wanted ? 'done' : 'refused';
}
