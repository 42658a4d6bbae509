/**
 * Every operation of the OpenAPI document with values made from its own schemas, right and wrong ones: whatever comes,
 * the answer is one that the document knows, and never a failure of the service.
 */
import { createRandom, type Random } from '../../../src/demo/random.js';
import type { Finding } from '../finding.js';
import { fromSchema, type Source } from '../fromSchema.js';
import type { FuzzedService } from '../service.js';
import { resetRequest } from './resetRequest.js';

interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly schema: object;
  readonly required?: boolean;
}

interface Operation {
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: object }>> };
  readonly responses: Readonly<Record<string, unknown>>;
}

interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components?: { readonly schemas?: Readonly<Record<string, object>> };
}

export interface RestFuzz {
  readonly requests: number;
  readonly operations: number;
  /** Of the requests those whose sender reset the connection. */
  readonly resets: number;
  /** How often each status came. */
  readonly statuses: Readonly<Record<string, number>>;
  readonly findings: readonly Finding[];
}

const longestMs = 10_000;
/** Of all requests, those whose connection is reset; of them, those with a key. */
const resetShare = 0.1;
const knownShare = 0.6;
/** Answers that come before an operation is found: an address that is too long, or none. */
const beforeRouting = new Set(['404', '414']);

export async function fuzzRest(
  service: FuzzedService,
  options: {
    readonly requests: number;
    readonly seed: number;
    readonly headers: Readonly<Record<string, string>>;
  },
  progress: (done: number) => void = () => undefined,
): Promise<RestFuzz> {
  const document = (await (await fetch(`${service.origin}/openapi.json`)).json()) as OpenApi;
  const random = createRandom(options.seed);
  const source: Source = {
    random,
    wrong: 0.03,
    get names() {
      return [service.modelId, service.deploymentId, 'camera', 'edge', 'tiny', 'admin'];
    },
    resolve: (reference) => document.components?.schemas?.[reference.split('/').at(-1)!] ?? null,
  };
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  );
  const statuses: Record<string, number> = {};
  const findings: Finding[] = [];
  let resets = 0;
  for (let index = 0; index < options.requests; index++) {
    if (index % operations.length === 0) await service.refill(); // one of them removes what the others need
    const { path, method, operation } = operations[index % operations.length]!;
    const address = addressOf(path, operation, source, service);
    const { body, type } = bodyOf(operation, source);
    const headers = { ...options.headers, ...(type === null ? {} : { 'content-type': type }) };
    const call = `${method} ${address} ${body?.slice(0, 1_000) ?? ''}`;
    if (random.uniform() < resetShare) {
      const { 'content-type': contentType } = headers as Record<string, string>;
      const sent = random.uniform() < knownShare ? headers : { 'content-type': contentType ?? 'text/plain' };
      await resetRequest(service.origin, { method, address, headers: sent, body }, random);
      resets++;
      progress(index + 1);
      continue;
    }
    try {
      const response = await fetch(`${service.origin}${address}`, {
        method,
        headers,
        body,
        signal: AbortSignal.timeout(longestMs),
      });
      const text = await response.text();
      statuses[response.status] = (statuses[response.status] ?? 0) + 1;
      if (response.status >= 500) findings.push({ what: `${response.status}: ${text}`, detail: call });
      else if (!(response.status in operation.responses) && !beforeRouting.has(`${response.status}`)) {
        findings.push({
          what: `${response.status} is not in the document of ${method} ${path}`,
          detail: call,
        });
      }
    } catch (error) {
      findings.push({ what: `no answer: ${String(error)}`, detail: call });
    }
    progress(index + 1);
  }
  findings.push(...(await leftByResets(service)));
  return { requests: options.requests, operations: operations.length, resets, statuses, findings };
}

/** Nobody reads the answer to a request that was reset: what went wrong with it stands in the figures and the audit. */
async function leftByResets({ context, origin }: FuzzedService): Promise<Finding[]> {
  await fetch(`${origin}/healthz`); // behind it all that came before was looked at
  const figures = await context.metrics.render();
  const failed = figures.split('\n').filter((line) => /^cutpoint_refused_total.*internal-error/.test(line));
  const nowhere = context.access.audit
    .entries({ limit: 10_000 })
    .filter(({ address, actor }) => address === null && actor !== 'start');
  return [
    ...failed.map((detail) => ({ what: 'a request failed inside', detail })),
    ...nowhere.map((entry) => ({ what: 'a change without an address', detail: JSON.stringify(entry) })),
  ];
}

function addressOf(path: string, operation: Operation, source: Source, service: FuzzedService): string {
  const parameters = operation.parameters ?? [];
  const filled = path.replace(/\{([^}]+)\}/g, (_, name: string) => {
    if (name === 'id' && source.random.uniform() < 0.6) return existing(path, service);
    const schema = parameters.find((each) => each.in === 'path' && each.name === name)?.schema ?? {};
    return encoded(fromSchema(schema, source));
  });
  const query = parameters
    .filter((each) => each.in === 'query' && (each.required === true || source.random.uniform() < 0.5))
    .map((each) => `${encodeURIComponent(each.name)}=${encoded(fromSchema(each.schema, source))}`);
  return query.length === 0 ? filled : `${filled}?${query.join('&')}`;
}

function existing(path: string, { modelId, deploymentId }: FuzzedService): string {
  if (path.startsWith('/v1/models')) return modelId;
  return path.startsWith('/v1/deployments') ? deploymentId : 'camera';
}

/** As a client library would put it into an address; a lone surrogate cannot be encoded and goes as U+FFFD. */
function encoded(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
  return encodeURIComponent(Buffer.from(text).toString()) || '%20';
}

function bodyOf(operation: Operation, source: Source): { body: string | null; type: string | null } {
  const [entry] = Object.entries(operation.requestBody?.content ?? {});
  if (entry === undefined) return { body: null, type: null };
  const [type, { schema }] = entry;
  if (!type.includes('json')) return { body: noise(source.random), type };
  const text = JSON.stringify(fromSchema(schema, source)) ?? '';
  return { body: source.random.uniform() < 0.02 ? text.slice(0, -1) : text, type };
}

function noise(random: Random): string {
  return String.fromCharCode(...Array.from({ length: 50 }, () => Math.floor(random.uniform() * 128)));
}
