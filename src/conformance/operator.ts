/** The operator's side of the server under test: models, deployments, tokens of devices, as docs/rest.md has them. */
import { NotPlayable, Unmet } from './outcome.js';

/** JSON of the server, read by path: nothing is assumed of what it says. */
export class View {
  constructor(readonly value: unknown) {}

  /** The value at a path, undefined where there is none. */
  at(...path: readonly (string | number)[]): unknown {
    return path.reduce<unknown>((value, key) => (value as Record<string, unknown> | null)?.[key], this.value);
  }

  /** @throws Unmet where it is no text */
  text(...path: readonly (string | number)[]): string {
    const value = this.at(...path);
    if (typeof value !== 'string') throw new Unmet(`${path.join('.')} is no text: ${JSON.stringify(value)}`);
    return value;
  }
}

export interface Answer {
  readonly status: number;
  readonly view: View;
}

export interface Deployed {
  readonly modelId: string;
  readonly endId: string;
  readonly edgeId: string;
  /** Absent: two tiers. */
  readonly cloudId?: string;
}

const callTimeoutMs = 20_000;
/** A busy server may take so long to import a small model, ms. */
const importMs = 90_000;

export class Operator {
  /**
   * @param origin `http://host:port` or `https://…`
   * @param key an API key of an operator; null where the server asks for none
   */
  constructor(
    private readonly origin: string,
    private readonly key: string | null,
  ) {}

  /** @throws NotPlayable where the server cannot be reached */
  async call(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<Answer> {
    const isBytes = Buffer.isBuffer(body);
    const type = isBytes ? 'application/octet-stream' : 'application/json';
    const timeout = AbortSignal.timeout(callTimeoutMs);
    const response = await fetch(`${this.origin}${path}`, {
      method,
      headers: {
        ...(this.key === null ? {} : { authorization: `Bearer ${this.key}` }),
        ...(body === undefined ? {} : { 'content-type': type }),
      },
      ...(body === undefined ? {} : { body: isBytes ? new Uint8Array(body) : JSON.stringify(body) }),
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
    }).catch((error: unknown) => {
      signal?.throwIfAborted();
      throw new NotPlayable(`${method} ${path} is not answered: ${String(error)}`);
    });
    const text = await response.text();
    return { status: response.status, view: new View(parse(text)) };
  }

  /** Uploads the model, or finds it there. @throws NotPlayable where the server has no such REST */
  async upload(name: string, bytes: Buffer): Promise<{ readonly id: string; readonly isNew: boolean }> {
    const answer = await this.call('POST', `/v1/models?name=${name}&waitSeconds=15`, bytes);
    const { status, view } = answer;
    if (![200, 201, 202].includes(status))
      throw new NotPlayable(`no model can be uploaded (${problem(answer)})`);
    const id = view.text('id');
    const endMs = performance.now() + importMs;
    while (performance.now() < endMs) {
      const model = await this.call('GET', `/v1/models/${id}`);
      if (model.view.at('status') === 'ready') return { id, isNew: status !== 200 };
      if (model.view.at('status') === 'failed') {
        throw new NotPlayable(`the model cannot be imported (${problem(model)})`);
      }
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    throw new NotPlayable('the model is not imported in time');
  }

  /** @returns the id of the deployment. @throws Unmet */
  async deploy({ modelId, endId, edgeId, cloudId }: Deployed, signal: AbortSignal): Promise<string> {
    const cloud = cloudId === undefined ? {} : { cloud: { deviceId: cloudId } };
    const body = { modelId, end: { deviceId: endId }, edge: { deviceId: edgeId }, ...cloud };
    const answer = await this.call('POST', '/v1/deployments', body, signal);
    if (answer.status !== 201) throw new Unmet(`a deployment cannot be made: ${problem(answer)}`);
    return answer.view.text('id');
  }

  /** @returns a token for this device, and its id to revoke it by. @throws NotPlayable */
  async deviceToken(deviceId: string): Promise<{ readonly id: string; readonly token: string }> {
    const answer = await this.call('POST', `/v1/devices/${deviceId}/tokens`, {});
    if (answer.status !== 201) {
      throw new NotPlayable(`needs a token for a device, and the server makes none (${problem(answer)})`);
    }
    return { id: answer.view.text('id'), token: answer.view.text('token') };
  }
}

/** What a refusal says, for a message. */
function problem({ status, view }: Answer): string {
  const said = [view.at('detail'), view.at('error', 'message')].find((text) => typeof text === 'string');
  return said === undefined ? String(status) : `${status} ${said}`;
}

function parse(text: string): unknown {
  try {
    return text === '' ? null : JSON.parse(text);
  } catch {
    return text;
  }
}
