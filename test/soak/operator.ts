/** What operators do, over REST. */
import { bearer } from '../support/credentials.js';

export interface DeploymentView {
  readonly id: string;
  readonly version: number;
  readonly reported: { readonly end: number | null; readonly edge: number | null };
  readonly status: { readonly kind: string };
  readonly rollout: unknown;
  readonly end: { readonly deviceId: string };
  readonly edge: { readonly deviceId: string };
}

export class Operator {
  constructor(
    private readonly origin: string,
    private readonly adminKey: string,
  ) {}

  async upload(name: string, bytes: Uint8Array): Promise<string> {
    const { id } = (await this.#call('POST', `/v1/models?name=${name}`, bytes)) as { id: string };
    for (;;) {
      const { status } = (await this.#call('GET', `/v1/models/${id}`)) as { status: string };
      if (status === 'ready') return id;
      if (status !== 'importing') throw new Error(`the model is ${status}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async token(deviceId: string): Promise<{ readonly id: string; readonly token: string }> {
    return (await this.#call('POST', `/v1/devices/${deviceId}/tokens`, {})) as { id: string; token: string };
  }

  async revoke(deviceId: string, tokenId: string): Promise<void> {
    await this.#call('DELETE', `/v1/devices/${deviceId}/tokens/${tokenId}`);
  }

  async deploy(modelId: string, end: string, edge: string): Promise<string> {
    const body = { modelId, end: { deviceId: end }, edge: { deviceId: edge }, requirements: {} };
    return ((await this.#call('POST', '/v1/deployments', body)) as { id: string }).id;
  }

  async require(deploymentId: string, requirements: object): Promise<void> {
    await this.#call('PATCH', `/v1/deployments/${deploymentId}`, { requirements });
  }

  async remove(deploymentId: string): Promise<void> {
    await this.#call('DELETE', `/v1/deployments/${deploymentId}`);
  }

  async deployment(id: string): Promise<DeploymentView> {
    return (await this.#call('GET', `/v1/deployments/${id}`)) as DeploymentView;
  }

  /**
   * Layers on the end device by the latest decision in the history; where the deployment was quiet for so long that
   * the rows of others took the place of its own, by the cut in force.
   */
  async storedEndLayers(id: string): Promise<readonly number[]> {
    const { decisions } = (await this.#call('GET', `/v1/deployments/${id}/decisions?limit=1`)) as {
      decisions: { cutAfter: { endLayers: number[] } }[];
    };
    if (decisions[0] !== undefined) return decisions[0].cutAfter.endLayers;
    return ((await this.#call('GET', `/v1/deployments/${id}/cut`)) as { endLayers: number[] }).endLayers;
  }

  async #call(method: string, path: string, body?: unknown): Promise<unknown> {
    const isBytes = body instanceof Uint8Array;
    const response = await fetch(`${this.origin}${path}`, {
      method,
      headers: {
        ...bearer(this.adminKey),
        ...(body === undefined
          ? {}
          : { 'content-type': isBytes ? 'application/octet-stream' : 'application/json' }),
      },
      ...(body === undefined ? {} : { body: isBytes ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text === '' ? null : JSON.parse(text);
  }
}
