/** Calls the REST face and holds every answer against the OpenAPI document that the service gives out. */
import assert from 'node:assert/strict';
import { Ajv } from 'ajv';
import { adminKey, bearer } from './credentials.js';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed JSON; null where the body is empty. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- tests reach into documents of many shapes
  readonly body: any;
}

interface OpenApi {
  readonly paths: Record<
    string,
    Record<string, { responses: Record<string, { content?: Record<string, { schema: object }> }> }>
  >;
  readonly components: object;
}

/**
 * Each request has a connection of its own. One that idles while a model is imported is closed by the service after a
 * while; a process that is late to see that would send on it, and a change must not be sent twice to find out.
 */
const ownConnection = { connection: 'close' } as const;

/** @param key the API key it calls with; that of the admin where none is given */
export async function restClient(origin: string, key: string = adminKey(origin)) {
  const document = (await (
    await fetch(`${origin}/openapi.json`, { headers: ownConnection })
  ).json()) as OpenApi;
  const ajv = new Ajv({ strict: false, allErrors: true });
  ajv.addSchema({ $id: 'openapi', components: document.components });

  function operationOf(method: string, path: string) {
    const template = Object.keys(document.paths).find((known) =>
      new RegExp(`^${known.replace(/\{[^}]+\}/g, '[^/]+')}$`).test(path),
    );
    const operation = document.paths[template ?? '']?.[method.toLowerCase()];
    assert.ok(operation, `${method} ${path} is not in the OpenAPI document`);
    return operation;
  }

  function check(method: string, path: string, answer: Answer): void {
    const response = operationOf(method, path).responses[answer.status];
    assert.ok(
      response,
      `${method} ${path} answers ${answer.status}, which the OpenAPI document does not know`,
    );
    if (answer.body === null || response.content === undefined) return;
    const type = answer.headers.get('content-type')!.split(';')[0]!;
    const schema = response.content[type]?.schema;
    assert.ok(schema, `${method} ${path} answers ${answer.status} as ${type}, which is not in the document`);
    const located = JSON.parse(
      JSON.stringify(schema).replaceAll('"#/components', '"openapi#/components'),
    ) as object;
    const validate = ajv.compile(located);
    assert.ok(
      validate(answer.body),
      `${method} ${path} ${answer.status}: ${JSON.stringify(validate.errors)}`,
    );
  }

  async function send(method: string, address: string, init: RequestInit = {}): Promise<Answer> {
    const headers = { ...ownConnection, ...bearer(key), ...(init.headers as Record<string, string>) };
    const response = await fetch(`${origin}${address}`, { method, ...init, headers });
    const text = await response.text();
    const isJson = /json/.test(response.headers.get('content-type') ?? '');
    const answer = {
      status: response.status,
      headers: response.headers,
      body: text === '' ? null : isJson ? (JSON.parse(text) as unknown) : text,
    };
    check(method, address.split('?')[0]!, answer);
    return answer;
  }

  const withBody = (method: string) => (address: string, body: unknown) =>
    send(method, address, { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  return {
    document,
    send,
    get: (address: string) => send('GET', address),
    delete: (address: string) => send('DELETE', address),
    post: withBody('POST'),
    patch: withBody('PATCH'),
    upload: (query: string, bytes: Uint8Array | string) =>
      send('POST', `/v1/models?${query}`, {
        headers: { 'content-type': 'application/octet-stream' },
        body: bytes,
      }),
  };
}

export type RestClient = Awaited<ReturnType<typeof restClient>>;
