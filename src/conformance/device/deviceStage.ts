/** What a scenario about a device is played on: its connections, and cuts for it. */
import { randomUUID } from 'node:crypto';
import type { Message } from '../inbox.js';
import type { MessageCheck } from '../messageCheck.js';
import { must, NotPlayable, Unmet } from '../outcome.js';
import type { Playground } from '../run.js';
import type { Transcript } from '../transcript.js';
import type { DeviceBench } from './bench.js';
import type { DeviceProcess } from './deviceProcess.js';
import type { DeviceWire } from './deviceWire.js';

const leastHeartbeatMs = 300;
export const telemetryIntervalMs = 200;
const previousCutMs = 1_000;
export const limits = {
  frameBytes: 65_536,
  jsonDepth: 8,
  framesPerSecond: 50,
  frameBurst: 100,
  outboxBytes: 1_048_576,
  deployments: 1_000,
  prepareMs: 3_000,
  helloMs: 5_000,
  tooFastMs: 5_000,
  hellosPerMinute: 30,
  helloBurst: 10,
} as const;

/** A program that was just started has so long to connect, ms. */
const startMs = 30_000;
/** A device that runs on its own may wait a minute before it comes back, ms. */
const comeBackMs = 65_000;

export interface DeviceTarget {
  readonly deviceId: string;
  readonly token: string;
  /** As in `Playground`; absent: 1. */
  readonly patience?: number;
}

export class DeviceStage implements Playground {
  readonly #wires: DeviceWire[] = [];
  readonly #deployments = new Set<string>();

  constructor(
    readonly target: DeviceTarget,
    readonly bench: DeviceBench,
    /** The device where the runner has started it; it and the bench end with the scenario if it is its own. */
    private readonly started: { readonly process: DeviceProcess; readonly isOwn: boolean } | null,
    private readonly check: MessageCheck,
    readonly transcript: Transcript,
    readonly signal: AbortSignal,
  ) {
    bench.transcript = transcript;
  }

  /** How long a connection may keep the scenario waiting. */
  get connectMs(): number {
    return this.started === null ? comeBackMs : startMs;
  }

  get patience(): number {
    return this.target.patience ?? 1;
  }

  /** A device takes three of them without a ping for the end of the connection. */
  get heartbeatMs(): number {
    return leastHeartbeatMs * this.patience;
  }

  /** Scenarios after which the device stays away can only be played where it can be started again. */
  needsCommand(): void {
    if (this.started === null) {
      throw new NotPlayable('needs a device that the runner can start: -- COMMAND');
    }
  }

  /** The next connection of the device, before anything was said. @throws Unmet */
  async connection(withinMs = this.connectMs): Promise<DeviceWire> {
    try {
      let wire = await this.bench.next(withinMs, this.signal);
      // one that came and went before anybody looked says nothing
      while (!wire.isOpen) wire = await this.bench.next(withinMs, this.signal);
      return this.#adopt(wire);
    } catch (error) {
      const ended = this.started?.process.ended ?? null;
      throw ended === null ? error : new Unmet(`the device did not connect: ${ended}`);
    }
  }

  /** A connection that says hello, not welcomed yet; an open one is closed for it. */
  async greeting(): Promise<{ readonly wire: DeviceWire; readonly hello: Message }> {
    this.bench.current?.close('shutting-down');
    const wire = await this.connection();
    return { wire, hello: await wire.inbox.expect('hello') };
  }

  /** A welcomed connection: the one that is open, or the next one. */
  async device(): Promise<DeviceWire> {
    const { current } = this.bench;
    if (current?.isWelcomed === true) {
      current.inbox.skip();
      return this.#adopt(current);
    }
    const wire = current === null ? await this.connection() : this.#adopt(current);
    await this.welcome(wire);
    return wire;
  }

  /** Takes the hello and welcomes the device. @returns the hello */
  async welcome(wire: DeviceWire): Promise<Message> {
    const known = wire.inbox.messages.find(({ type }) => type === 'hello');
    const hello = known ?? (await wire.inbox.expect('hello'));
    wire.welcome({
      type: 'welcome',
      protocol: 'cutpoint.v1',
      verdict: 'accepted',
      serverTimeMs: Date.now(),
      heartbeatMs: this.heartbeatMs,
      telemetryIntervalMs,
      previousCutMs,
      limits: { ...limits, prepareMs: limits.prepareMs * this.patience },
    });
    wire.beat(this.heartbeatMs);
    return hello;
  }

  /** The hello of this connection. */
  helloOf({ inbox }: DeviceWire): Message {
    const hello = inbox.messages.find(({ type }) => type === 'hello');
    must(hello !== undefined, 'the device said no hello');
    return hello;
  }

  /** A deployment of this scenario alone. */
  deployment(): string {
    const id = randomUUID();
    this.#deployments.add(id);
    return id;
  }

  /** A cut of a small chain of layers for this device; without `endLayers` the first of four is on the end device. */
  cut(wire: DeviceWire, deploymentId: string, version: number, more: object = {}): Record<string, unknown> {
    const { role, models } = this.helloOf(wire);
    const sha256 = Array.isArray(models) && typeof models[0] === 'string' ? models[0] : '0'.repeat(64);
    return {
      type: 'cut',
      deploymentId,
      version,
      phase: 'active',
      tier: role,
      model: { id: 'conformance', name: 'conformance', sha256 },
      layerCount: 4,
      endLayers: [0],
      tensors: [{ name: 't1', type: 'float32', shape: [1, 16], bytes: 64 }],
      predictedLatencySeconds: 0.05,
      timeToLiveMs: 60_000,
      ...more,
    };
  }

  /** The safe local cut: all layers on the end device. */
  safeCut(
    wire: DeviceWire,
    deploymentId: string,
    version: number,
    more: object = {},
  ): Record<string, unknown> {
    return this.cut(wire, deploymentId, version, { endLayers: [0, 1, 2, 3], tensors: [], ...more });
  }

  /** Brings the device to a cut over both phases. @throws NotPlayable where it refuses the cut */
  async activate(wire: DeviceWire, deploymentId: string, version: number, more: object = {}): Promise<void> {
    const about = { deploymentId, version };
    wire.send(this.cut(wire, deploymentId, version, { phase: 'prepare', ...more }));
    await this.answer(wire, 'prepared', about);
    wire.send(this.cut(wire, deploymentId, version, more));
    await this.answer(wire, 'ack', about);
  }

  /** Waits for `prepared` or `ack`. @throws NotPlayable where the device refuses, which it may */
  async answer(
    wire: DeviceWire,
    type: 'prepared' | 'ack',
    about: { deploymentId: string; version: number },
  ): Promise<Message> {
    const nack = wire.inbox.expect('nack', about, limits.prepareMs).then(
      ({ code }) => {
        throw new NotPlayable(`needs a device that can run the cut; it refused with ${String(code)}`);
      },
      () => new Promise<never>(() => undefined), // no nack is what is hoped for
    );
    return Promise.race([wire.inbox.expect(type, about, limits.prepareMs), nack]);
  }

  /** @throws NotPlayable for other roles: an edge has no safe local cut */
  needsEndDevice(wire: DeviceWire): void {
    if (this.helloOf(wire)['role'] !== 'end') throw new NotPlayable('needs a device of role end');
  }

  verify(): void {
    for (const wire of this.#wires) {
      const { messages } = wire.inbox;
      for (const message of messages) {
        const wrong = this.check(message);
        if (wrong !== null) throw new Unmet(`the device sent a message against its schema: ${wrong}`);
      }
      const early = wire.beforeWelcome.filter(({ type }) => type !== 'hello');
      if (early.length > 0) throw new Unmet(`before the welcome the device sent ${early[0]!.type}`);
      if (messages.filter(({ type }) => type === 'hello').length > 1)
        throw new Unmet('the device said hello twice');
    }
  }

  async dispose(): Promise<void> {
    if (this.started?.isOwn === true) {
      await this.started.process.stop();
      await this.bench.close();
      return;
    }
    const { current } = this.bench;
    if (current?.isWelcomed !== true) return;
    current.beat(this.heartbeatMs);
    for (const deploymentId of this.#deployments) current.send({ type: 'removed', deploymentId });
  }

  #adopt(wire: DeviceWire): DeviceWire {
    wire.transcript = this.transcript;
    if (!this.#wires.includes(wire)) this.#wires.push(wire);
    return wire;
  }
}
