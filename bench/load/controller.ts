/** The controller under load: a real `cutpoint serve` with a database on disk, and what is asked of it over REST. */
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Profiler } from 'node:inspector';
import { endChild } from '../../src/demo/childProcess.js';
import { parseMetrics } from '../../src/demo/controllerApi.js';
import type { LayerGraph } from '../../src/core/layerGraph.js';
import type { Profile } from '../../src/core/profile.js';
import type { Collections } from './collections.js';
import { startProcess } from './pinned.js';
import type { ProcessFigures } from './processFigures.js';
import { Remote } from './remote.js';
import type { Address } from './wire.js';

/** What differs from the defaults: stated in the report. */
export const settings: Readonly<Record<string, string>> = {
  CUTPOINT_IMPORT__RUNS: '3',
  CUTPOINT_IMPORT__WARMUP_RUNS: '1',
  CUTPOINT_LIMITS__MAX_CONNECTIONS: '10100',
  // as behind one address of a NAT: all devices come from this machine, and at once after the restart
  CUTPOINT_LIMITS__MAX_STRANGERS_PER_ADDRESS: '10100',
  // the few devices of a quick run send more than any one device should
  CUTPOINT_LIMITS__FRAMES_PER_SECOND: '10000',
  CUTPOINT_LIMITS__FRAME_BURST: '100000',
  CUTPOINT_AUTH__ANONYMOUS_DEVICES: 'true', // ten thousand tokens would be made before anything is measured
};

const graceMs = 20_000;

export interface DeploymentView {
  readonly id: string;
  readonly version: number;
  readonly status: { readonly kind: string };
  readonly end: { readonly deviceId: string };
  readonly edge: { readonly deviceId: string };
  readonly reported: { readonly end: number | null; readonly edge: number | null };
}

export interface NewDeployment {
  readonly modelId: string;
  readonly end: { readonly deviceId: string };
  readonly edge: { readonly deviceId: string };
  readonly requirements: object;
}

/** Its line when it listens. */
interface Ready {
  readonly origin: string;
  /** At the first start on a folder alone. */
  readonly adminKey?: string;
}

export class Controller {
  private constructor(
    private readonly child: ChildProcess,
    private readonly remote: Remote,
    /** Of the first start on the folder. */
    readonly adminKey: string,
    readonly origin: string,
    /** From the start of the process until it listens. */
    readonly startSeconds: number,
  ) {}

  /** @param port 0 for a free one @param before the controller that ran on the folder before, whose key is good still */
  static async start(folder: string, port = 0, before?: Controller): Promise<Controller> {
    const startedAt = performance.now();
    const own = Object.entries(process.env).filter(([name]) => !name.startsWith('CUTPOINT_'));
    const child = startProcess(new URL('../../src/main.js', import.meta.url), ['serve'], {
      side: 'server',
      cwd: folder,
      env: {
        ...Object.fromEntries(own),
        ...settings,
        CUTPOINT_LISTEN__PORT: String(port),
        CUTPOINT_DATA__DIRECTORY: folder,
      },
      nodeOptions: ['--import', new URL('./serverProbe.js', import.meta.url).href],
    });
    const { origin, adminKey } = await new Promise<Ready>((resolve, reject) => {
      const said: string[] = [];
      child.once('exit', (code) =>
        reject(new Error(`the controller ended (${String(code)}): ${said.join('\n')}`)),
      );
      // read on to the end, so that its log never waits for us
      createInterface({ input: child.stdout! }).on('line', (line) => {
        if (said.length < 20) said.push(line);
        if (!line.includes('"origin"')) return;
        resolve(JSON.parse(line) as Ready);
      });
    });
    const key = adminKey ?? before?.adminKey;
    if (key === undefined) throw new Error('the controller told no key of an admin');
    return new Controller(child, new Remote(child), key, origin, (performance.now() - startedAt) / 1e3);
  }

  get address(): Address {
    const { hostname, port } = new URL(this.origin);
    return { host: hostname, port: Number(port), path: '/v1/devices', protocol: 'cutpoint.v1' };
  }

  figures(): Promise<ProcessFigures> {
    return this.remote.call('figures');
  }

  /** Of its garbage, since it began. */
  collections(): Promise<Collections> {
    return this.remote.call('collections');
  }

  /** What it does for `seconds`, sampled. */
  async profile(during: () => Promise<unknown>): Promise<Profiler.Profile> {
    await this.remote.call('profileStart');
    await during();
    return this.remote.call('profileStop');
  }

  async stop(): Promise<void> {
    await endChild(this.child, graceMs, () => this.child.kill('SIGTERM'));
  }

  async metrics(): Promise<ReadonlyMap<string, number>> {
    return parseMetrics(await (await this.#call('/metrics')).text());
  }

  /** Uploads a model and waits until it can be deployed. */
  async importModel(name: string, bytes: Uint8Array): Promise<string> {
    const response = await this.#call(`/v1/models?name=${name}&waitSeconds=60`, {
      method: 'POST',
      headers: { 'content-type': 'application/octet-stream' },
      body: new Blob([Uint8Array.from(bytes)]),
    });
    const model = (await response.json()) as { readonly id: string; readonly status: string };
    if (model.status !== 'ready') throw new Error(`model ${name} is ${model.status}`);
    return model.id;
  }

  async modelFacts(modelId: string): Promise<{ readonly graph: LayerGraph; readonly profile: Profile }> {
    const graph = await this.#json<LayerGraph>(`/v1/models/${modelId}/graph`);
    const { profiles } = await this.#json<{ profiles: { id: string }[] }>(`/v1/models/${modelId}/profiles`);
    const profile = await this.#json<Profile>(`/v1/models/${modelId}/profiles/${profiles[0]!.id}`);
    return { graph, profile };
  }

  async deploy(deployment: NewDeployment): Promise<void> {
    await this.#json('/v1/deployments', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(deployment),
    });
  }

  async deployments(): Promise<DeploymentView[]> {
    const all: DeploymentView[] = [];
    for (let after = ''; ;) {
      const page = await this.#json<{ deployments: DeploymentView[]; next: string | null }>(
        `/v1/deployments?limit=200${after}`,
      );
      all.push(...page.deployments);
      if (page.next === null) return all;
      after = `&after=${page.next}`;
    }
  }

  /** Layers on the end device of the present cut, as the history has it. */
  async endLayers(deploymentId: string): Promise<string> {
    const path = `/v1/deployments/${deploymentId}/decisions?limit=1`;
    const { decisions } = await this.#json<{ decisions: { cutAfter: { endLayers: number[] } }[] }>(path);
    return decisions[0]!.cutAfter.endLayers.join();
  }

  async #json<T>(path: string, init?: RequestInit): Promise<T> {
    return (await (await this.#call(path, init)).json()) as T;
  }

  async #call(path: string, init?: RequestInit): Promise<Response> {
    const headers = { ...(init?.headers as object), authorization: `Bearer ${this.adminKey}` };
    const response = await fetch(`${this.origin}${path}`, { ...init, headers });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response;
  }
}
