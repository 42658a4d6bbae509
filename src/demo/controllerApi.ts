/** The operator API of a controller, as far as the demo uses it. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import type { Context, Requirements } from '../core/context.js';
import type { Prediction, Violation } from '../core/decision.js';
import type { LayerGraph } from '../core/layerGraph.js';
import type { Profile, TierSeconds } from '../core/profile.js';

export interface ModelView {
  readonly id: string;
  readonly status: 'importing' | 'ready' | 'failed';
  readonly error: { readonly message: string } | null;
  readonly progress: { readonly stage: string; readonly fraction: number } | null;
}

export interface DeploymentView {
  readonly id: string;
  readonly status: { readonly kind: string; readonly missing?: readonly string[]; readonly message?: string };
  readonly secondsSources: readonly TierSeconds['source'][] | null;
}

export interface DecisionRow {
  readonly id: number;
  readonly atMs: number;
  readonly versionAfter: number;
  readonly context: Context;
  readonly cutAfter: { readonly endLayers: readonly number[] };
  readonly prediction: Prediction;
  readonly violations: readonly Violation[];
  readonly searchNanoseconds: number;
}

/** The controller answered with a problem, or not at all. */
export class ControllerFailure extends Error {
  override readonly name = 'ControllerFailure';
  readonly code = 'controller-failure';
}

const timeoutMs = 30_000;

export interface ControllerApi {
  readonly url: string;
  upload(name: string, file: string): Promise<ModelView>;
  model(id: string): Promise<ModelView>;
  /** Makes a token for the device, with which it connects. */
  deviceToken(deviceId: string): Promise<string>;
  graph(modelId: string): Promise<LayerGraph>;
  /** The profile that the controller took when it imported the model. */
  importProfile(modelId: string): Promise<Profile>;
  deploy(modelId: string, endId: string, edgeId: string, requirements: Requirements): Promise<DeploymentView>;
  deployment(id: string): Promise<DeploymentView>;
  /** Newest first. */
  decisions(deploymentId: string, limit: number, before?: number): Promise<readonly DecisionRow[]>;
  /** Sum of each metric over its labels, and each labelled series under its full name. */
  metrics(): Promise<ReadonlyMap<string, number>>;
}

/** @param key API key of an operator @param signal ends every call that is under way */
export function controllerApi(url: string, key: string, signal: AbortSignal): ControllerApi {
  async function call(path: string, init: RequestInit = {}): Promise<Response> {
    const response = await fetch(`${url}${path}`, {
      ...init,
      headers: { ...(init.headers as Record<string, string>), authorization: `Bearer ${key}` },
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    }).catch((error: unknown) => {
      signal.throwIfAborted();
      throw new ControllerFailure(`the controller does not answer at ${url}${path}`, { cause: error });
    });
    if (!response.ok) throw new ControllerFailure(await problemText(response, path));
    return response;
  }
  const json = async <T>(path: string, init?: RequestInit): Promise<T> =>
    (await (await call(path, init)).json()) as T;

  return {
    url,
    async upload(name, file) {
      const { size } = await stat(file);
      return json(`/v1/models?name=${encodeURIComponent(name)}&waitSeconds=0`, {
        method: 'POST',
        headers: { 'content-type': 'application/octet-stream', 'content-length': String(size) },
        body: Readable.toWeb(createReadStream(file)) as ReadableStream,
        duplex: 'half',
      });
    },
    model: (id) => json(`/v1/models/${id}`),
    async deviceToken(deviceId) {
      const { token } = await json<{ token: string }>(`/v1/devices/${deviceId}/tokens`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{}',
      });
      return token;
    },
    graph: (modelId) => json(`/v1/models/${modelId}/graph`),
    async importProfile(modelId) {
      const { profiles } = await json<{ profiles: { id: string; origin: string }[] }>(
        `/v1/models/${modelId}/profiles`,
      );
      const own = profiles.find(({ origin }) => origin === 'import');
      if (own === undefined) throw new ControllerFailure(`model ${modelId} has no profile of its import`);
      return json(`/v1/models/${modelId}/profiles/${own.id}`);
    },
    deploy: (modelId, endId, edgeId, requirements) =>
      json('/v1/deployments', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ modelId, end: { deviceId: endId }, edge: { deviceId: edgeId }, requirements }),
      }),
    deployment: (id) => json(`/v1/deployments/${id}`),
    async decisions(deploymentId, limit, before) {
      const page = before === undefined ? '' : `&before=${before}`;
      const { decisions } = await json<{ decisions: DecisionRow[] }>(
        `/v1/deployments/${deploymentId}/decisions?limit=${limit}${page}`,
      );
      return decisions;
    },
    metrics: async () => parseMetrics(await (await call('/metrics')).text()),
  };
}

async function problemText(response: Response, path: string): Promise<string> {
  const body = await response.text();
  if (response.headers.get('content-type')?.startsWith('application/problem+json') === true) {
    const { detail } = JSON.parse(body) as { detail?: string };
    if (detail !== undefined) return `the controller refused ${path}: ${detail}`;
  }
  return `the controller answered ${path} with status ${response.status}`;
}

/** The text format of Prometheus: `name{labels} value`. */
export function parseMetrics(text: string): Map<string, number> {
  const values = new Map<string, number>();
  const add = (name: string, value: number): void => void values.set(name, (values.get(name) ?? 0) + value);
  for (const line of text.split('\n')) {
    const match = /^([A-Za-z_:][\w:]*)(\{.*\})? (\S+)/.exec(line);
    if (match === null) continue; // comments and blank lines
    const value = Number(match[3]);
    add(match[1]!, value);
    if (match[2] !== undefined) add(`${match[1]!}${match[2]}`, value);
  }
  return values;
}
