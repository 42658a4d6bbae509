/** What a scenario about a server is played on: devices of its own, deployments of its own, gone afterwards. */
import type { Message } from './inbox.js';
import type { MessageCheck } from './messageCheck.js';
import { conformanceModel, modelName } from './model.js';
import { Operator, type Deployed } from './operator.js';
import { NotPlayable, Unmet } from './outcome.js';
import { Peer, type PeerOptions, type Refusal } from './peer.js';
import { CloudRollout } from './cloudRollout.js';
import { Rollout, type RolloutOptions } from './rollout.js';
import type { Playground } from './run.js';
import type { Transcript } from './transcript.js';

export interface ServerTarget {
  /** `http://host:port`, as REST has it. */
  readonly origin: string;
  /** An operator's API key. */
  readonly key: string | null;
  /** Ids of the devices played begin with it. */
  readonly prefix: string;
  /** As in `Playground`; absent: 1. */
  readonly patience?: number;
}

/** Found out once, before the scenarios. */
export interface ServerFacts {
  /** What the server says in its welcome; empty where no device could connect. */
  readonly welcome: Readonly<Record<string, unknown>>;
  /** Whether devices need a token. */
  readonly needsToken: boolean;
  /** The model to deploy, or why none can be. */
  readonly model: { readonly id: string; readonly isNew: boolean } | { readonly missing: string };
}

/** A device of which telemetry moves the cut: far slower (end) or quicker (edge) than the server. */
export const computeRatio = { end: 300, edge: 0.1 } as const;
/** With a cloud, an edge that is far slower than that, so that a link to it moves the cut as well. */
const computeRatioBelowCloud = { edge: 30, cloud: 0.1 } as const;

export class ServerStage implements Playground {
  readonly connectMs = 0;
  readonly operator: Operator;
  readonly #peers: Peer[] = [];
  readonly #broken: string[] = [];
  readonly #cleanUps: (() => Promise<unknown>)[] = [];
  readonly #tokens = new Map<string, Promise<{ readonly id: string; readonly token: string }>>();

  constructor(
    readonly target: ServerTarget,
    readonly facts: ServerFacts,
    private readonly scenario: string,
    private readonly check: MessageCheck,
    readonly transcript: Transcript,
    readonly signal: AbortSignal,
  ) {
    this.operator = new Operator(target.origin, target.key);
  }

  get patience(): number {
    return this.target.patience ?? 1;
  }

  get url(): string {
    return `${this.target.origin.replace(/^http/, 'ws')}/v1/devices`;
  }

  /** A device id that no other scenario has. */
  deviceId(name: string): string {
    return `${this.target.prefix}.${this.scenario}.${name}`;
  }

  /** A limit of the welcome. @throws Unmet where it does not say it, NotPlayable where there was none */
  limit(name: string): number {
    this.#needsWelcome();
    const limits = this.facts.welcome['limits'] as Record<string, unknown> | undefined;
    const value = limits?.[name];
    if (typeof value !== 'number') throw new Unmet(`the welcome does not say limits.${name}`);
    return value;
  }

  get heartbeatMs(): number {
    this.#needsWelcome();
    const value = this.facts.welcome['heartbeatMs'];
    if (typeof value !== 'number') throw new Unmet('the welcome does not say heartbeatMs');
    return value;
  }

  /** Without a token nothing was seen of the server's welcome. */
  #needsWelcome(): void {
    if (this.facts.needsToken && Object.keys(this.facts.welcome).length === 0) {
      throw new NotPlayable("needs an operator's key, to make a token for a device");
    }
  }

  /** The device's token; null where the server needs none. */
  async token(name: string): Promise<string | null> {
    if (!this.facts.needsToken) return null;
    return (await this.ownToken(name)).token;
  }

  /** A token that an operator made for the device, the same one each time. */
  ownToken(name: string): Promise<{ readonly id: string; readonly token: string }> {
    const id = this.deviceId(name);
    let made = this.#tokens.get(id);
    if (made === undefined) {
      made = this.operator.deviceToken(id);
      this.#tokens.set(id, made);
      this.#cleanUps.push(() => this.revoke(name));
    }
    return made;
  }

  /** The operator takes the device's token back. */
  async revoke(name: string): Promise<void> {
    const { id } = await this.ownToken(name);
    await this.operator.call('DELETE', `/v1/devices/${this.deviceId(name)}/tokens/${id}`);
  }

  /** An upgrade as this scenario wants it. */
  async upgrade(name: string, options: Partial<PeerOptions> = {}): Promise<Peer | Refusal> {
    const { url, transcript, signal, patience } = this;
    const token = 'token' in options || 'authorization' in options ? {} : { token: await this.token(name) };
    const received = (message: Message): void => {
      const wrong = this.check(message);
      if (wrong !== null) this.#broken.push(`${name} was sent a message against its schema: ${wrong}`);
    };
    const answer = await Peer.upgrade({
      ...{ url, transcript, signal, patience, name, received },
      ...token,
      ...options,
    });
    if (answer instanceof Peer) this.#peers.push(answer);
    return answer;
  }

  /** A connection before its hello. @throws Unmet where the upgrade is refused */
  async connect(name: string, options: Partial<PeerOptions> = {}): Promise<Peer> {
    const answer = await this.upgrade(name, options);
    if (answer instanceof Peer) return answer;
    throw new Unmet(`${name}: the upgrade was refused with ${answer.status}: ${answer.body}`);
  }

  /** The hello of a device of this scenario. */
  hello(name: string, more: object = {}): Record<string, unknown> {
    return { type: 'hello', deviceId: this.deviceId(name), role: 'end', ...more };
  }

  /** A welcomed device. */
  async device(name = 'device', hello: object = {}, options: Partial<PeerOptions> = {}): Promise<Peer> {
    const peer = await this.connect(name, options);
    peer.send(this.hello(name, hello));
    await peer.inbox.expect('welcome');
    return peer;
  }

  /** @returns the id of the model to deploy. @throws NotPlayable without operator REST */
  needsOperator(): string {
    const { model } = this.facts;
    if ('missing' in model) throw new NotPlayable(model.missing);
    return model.id;
  }

  /** Both devices of a deployment, welcomed, and the deployment. @throws NotPlayable without operator REST */
  async deploy(options: RolloutOptions = {}): Promise<Rollout> {
    const modelId = this.needsOperator();
    const end = await this.device('end', {
      computeRatio: computeRatio.end,
      capabilities: ['prepare'],
      ...options.endHello,
    });
    const edge = await this.device('edge', {
      role: 'edge',
      computeRatio: computeRatio.edge,
      capabilities: ['prepare'],
      ...options.edgeHello,
    });
    const id = await this.#made({ modelId, endId: this.deviceId('end'), edgeId: this.deviceId('edge') });
    return new Rollout(this, id, end, edge);
  }

  /** The same with a cloud behind the edge. @throws NotPlayable without operator REST */
  async deployWithCloud(): Promise<CloudRollout> {
    const modelId = this.needsOperator();
    const capabilities = ['prepare'];
    const { edge: edgeRatio, cloud: cloudRatio } = computeRatioBelowCloud;
    const end = await this.device('end', { computeRatio: computeRatio.end, capabilities });
    const edge = await this.device('edge', { role: 'edge', computeRatio: edgeRatio, capabilities });
    const cloud = await this.device('cloud', { role: 'cloud', computeRatio: cloudRatio, capabilities });
    const [endId, edgeId, cloudId] = ['end', 'edge', 'cloud'].map((name) => this.deviceId(name));
    const id = await this.#made({ modelId, endId: endId!, edgeId: edgeId!, cloudId: cloudId! });
    return new CloudRollout(this, id, end, edge, cloud);
  }

  async #made(wanted: Deployed): Promise<string> {
    const id = await this.operator.deploy(wanted, this.signal);
    this.transcript.add('operator', '*', `deployment ${id} made`);
    this.#cleanUps.push(() => this.operator.call('DELETE', `/v1/deployments/${id}`));
    return id;
  }

  /** @throws Unmet where the server said something against the schemas, whatever the scenario was about */
  verify(): void {
    if (this.#broken.length > 0) throw new Unmet(this.#broken[0]);
  }

  async dispose(): Promise<void> {
    await Promise.allSettled(this.#cleanUps.map((cleanUp) => cleanUp()));
    await Promise.all(this.#peers.map((peer) => peer.end()));
  }
}

/** Looks at the server once: whether it lets a device in, what it says, whether it takes a model. */
export async function inspectServer(
  target: ServerTarget,
  transcript: Transcript,
  signal: AbortSignal,
): Promise<ServerFacts> {
  const stage = (needsToken: boolean): ServerStage =>
    new ServerStage(
      target,
      { welcome: {}, needsToken, model: { missing: '' } },
      'probe',
      () => null, // what is wrong is for the scenarios to say
      transcript,
      signal,
    );
  const probe = stage(false);
  const answer = await probe.upgrade('anonymous');
  const needsToken = !(answer instanceof Peer) && answer.status === 401;
  await probe.dispose();
  const second = stage(needsToken);
  try {
    const welcome = await welcomeOf(second);
    const model = await second.operator.upload(modelName, conformanceModel()).catch(asMissing);
    return { welcome, needsToken, model };
  } finally {
    await second.dispose();
  }
}

/** Takes away what {@link inspectServer} brought. */
export async function leaveServer(target: ServerTarget, { model }: ServerFacts): Promise<void> {
  if ('id' in model && model.isNew)
    await new Operator(target.origin, target.key).call('DELETE', `/v1/models/${model.id}`);
}

/** Without a welcome the scenarios run all the same, and each says what it misses. */
async function welcomeOf(stage: ServerStage): Promise<Record<string, unknown>> {
  try {
    const peer = await stage.connect('probe');
    peer.send(stage.hello('probe'));
    return await peer.inbox.expect('welcome');
  } catch (error) {
    if (error instanceof Unmet || error instanceof NotPlayable) return {};
    throw error;
  }
}

function asMissing(error: unknown): { readonly missing: string } {
  if (error instanceof NotPlayable) return { missing: `needs operator REST: ${error.message}` };
  throw error;
}
