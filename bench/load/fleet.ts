/** All devices of the load, one socket each: pairs of an end device and an edge that share one deployment. */
import { setTimeout as sleep } from 'node:timers/promises';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { createRandom } from '../../src/demo/random.js';
import { Device, type DevicePlan, type Running } from './device.js';
import { Probe } from './probe.js';
import { processFigures } from './processFigures.js';
import { quantilesOf, type Quantiles } from './quantiles.js';
import { createWalks, stepSeconds, type Walk } from './walks.js';
import type { Address } from './wire.js';

export interface FleetPlan {
  readonly address: Address;
  readonly isBare: boolean;
  readonly pairs: number;
  /** The first so many pairs are probes. */
  readonly probes: number;
  /** Changed cuts that all probes together ask for. */
  readonly probeCutsPerSecond: number;
  /** bit/s around which the links of each model move; pair p has model p modulo their number. */
  readonly baseRates: readonly number[];
  /** Texts of recorded links. */
  readonly traces: readonly string[];
  readonly seed: number;
}

export interface Offer {
  readonly framesPerSecond: number;
  readonly seconds: number;
}

export interface Offered {
  readonly seconds: number;
  /** Telemetry frames written, those of the probes included. */
  readonly sent: number;
  /** Frames that a device could not write because the kernel took no more. */
  readonly heldBack: number;
  /** Cuts that came to end devices. */
  readonly cuts: number;
  /** Answers of the bare server. */
  readonly answers: number;
  /** From the latest telemetry frame of a pair to the cut at its end device, all pairs but the probes. */
  readonly telemetryToCutMs: Quantiles | null;
  /** The same of the probes: each frame changes the cut. */
  readonly probeMs: Quantiles | null;
  readonly probesLost: number;
  readonly cpuSeconds: number;
  /** How late the loop that offers the load was. */
  readonly ownDelayMs: { readonly p99: number; readonly max: number };
}

interface Pair {
  readonly end: Device;
  readonly edge: Device;
  lastSentAt: number;
}

interface Sender {
  readonly device: Device;
  readonly pair: Pair;
  readonly walk: Walk;
  /** Its step at the start of this process. */
  readonly offset: number;
}

const connecting = 250;
const tickMs = 1;
/** Most frames written in one go, so that answers are read in between. */
const burst = 1000;

export class Fleet {
  readonly #pairs: Pair[] = [];
  readonly #pairOf = new Map<Device, Pair>();
  readonly #probes = new Map<Device, Probe>();
  readonly #senders: Sender[] = [];
  readonly #refusals = new Map<string, number>();
  #next = 0;
  #answers = 0;
  #cuts = 0;
  #samplesMs: number[] = [];
  #welcomes = 0;
  #losses = 0;
  #lastWelcomeAtMs = 0;
  #firstWelcomeAtMs = 0;

  constructor(private readonly plan: FleetPlan) {
    const random = createRandom(plan.seed);
    const walks = createWalks(plan.baseRates, plan.traces, plan.seed);
    const ends: Sender[] = [];
    const edges: Sender[] = [];
    for (let p = 0; p < plan.pairs; p++) {
      const isProbe = p < plan.probes;
      const endRatio = isProbe ? 12 : Math.exp(random.between(Math.log(2), Math.log(20)));
      const edgeRatio = isProbe ? 0.5 : random.between(0.3, 1);
      const pair: Pair = {
        end: this.#device({ deviceId: `end-${p}`, role: 'end', computeRatio: rounded(endRatio) }),
        edge: this.#device({ deviceId: `edge-${p}`, role: 'edge', computeRatio: rounded(edgeRatio) }),
        lastSentAt: 0,
      };
      this.#pairs.push(pair);
      this.#pairOf.set(pair.end, pair);
      this.#pairOf.set(pair.edge, pair);
      if (isProbe) {
        const everyMs = (1e3 * plan.probes) / plan.probeCutsPerSecond;
        this.#probes.set(pair.end, new Probe(pair.end, pair.edge, everyMs));
        continue;
      }
      const endWalks = walks.ends[p % walks.ends.length]!;
      const sender = (device: Device, walk: Walk): Sender => ({
        device,
        pair,
        walk,
        offset: Math.floor(random.uniform() * walk.length),
      });
      ends.push(sender(pair.end, endWalks[Math.floor(random.uniform() * endWalks.length)]!));
      edges.push(sender(pair.edge, walks.edges[Math.floor(random.uniform() * walks.edges.length)]!));
    }
    // the two of a pair speak half a round apart
    this.#senders = [...ends, ...edges];
  }

  /** Connects all devices, some hundreds at a time; seconds until the last one was welcome. */
  async connect(): Promise<number> {
    const startedAt = performance.now();
    const all = this.#devices();
    let begun = 0;
    while (this.#welcomes < all.length) {
      while (begun < all.length && begun - this.#welcomes < connecting) all[begun++]!.connect();
      await sleep(2);
      if (this.#losses > 0) throw new Error(`a device was not let in: ${this.#refusalText()}`);
    }
    return (performance.now() - startedAt) / 1e3;
  }

  async offer({ framesPerSecond, seconds }: Offer): Promise<Offered> {
    const answersBefore = this.#answers;
    this.#cuts = 0;
    this.#samplesMs = [];
    const before = processFigures().cpuSeconds;
    const delay = monitorEventLoopDelay({ resolution: 1 });
    delay.enable();
    for (const probe of this.#probes.values()) probe.start();
    const startedAt = performance.now();
    let sent = 0;
    let heldBack = 0;
    for (;;) {
      const elapsed = (performance.now() - startedAt) / 1e3;
      if (elapsed >= seconds) break;
      const due = Math.min(burst, Math.floor(elapsed * framesPerSecond) - sent - heldBack);
      for (let i = 0; i < due; i++) {
        if (this.#sendNext()) sent++;
        else heldBack++;
      }
      if (due < burst) await sleep(tickMs);
      else await new Promise(setImmediate);
    }
    delay.disable();
    const probes = [...this.#probes.values()];
    for (const probe of probes) probe.stop();
    return {
      seconds: (performance.now() - startedAt) / 1e3,
      sent: sent + probes.reduce((sum, probe) => sum + probe.sent, 0),
      heldBack,
      cuts: this.#cuts,
      answers: this.#answers - answersBefore,
      telemetryToCutMs: quantilesOf(this.#samplesMs),
      probeMs: quantilesOf(probes.flatMap((probe) => probe.samplesMs)),
      probesLost: probes.reduce((sum, probe) => sum + probe.lost, 0),
      cpuSeconds: processFigures().cpuSeconds - before,
      ownDelayMs: { p99: delay.percentile(99) / 1e6, max: delay.max / 1e6 },
    };
  }

  get answers(): number {
    return this.#answers;
  }

  /** From now on devices that lose their connection come back there. */
  moveTo(address: Address): void {
    this.#welcomes = 0;
    this.#losses = 0;
    this.#firstWelcomeAtMs = 0;
    for (const device of this.#devices()) {
      device.moveTo(address);
      device.replays = 0;
    }
  }

  returned(): { lost: number; welcome: number; firstAtMs: number; lastAtMs: number; replays: number } {
    return {
      lost: this.#losses,
      welcome: this.#welcomes,
      firstAtMs: this.#firstWelcomeAtMs,
      lastAtMs: this.#lastWelcomeAtMs,
      replays: this.#devices().reduce((sum, device) => sum + device.replays, 0),
    };
  }

  /** What each device runs. */
  running(): { readonly deviceId: string; readonly running: Running | null }[] {
    return this.#devices().map(({ plan: { deviceId }, running }) => ({ deviceId, running }));
  }

  /** What the other side refused, by its text, with how often. */
  refusals(): readonly (readonly [string, number])[] {
    return [...this.#refusals];
  }

  stop(): void {
    for (const device of this.#devices()) device.stop();
  }

  #sendNext(): boolean {
    const sender = this.#senders[this.#next]!;
    this.#next = (this.#next + 1) % this.#senders.length;
    const now = performance.now();
    const step = sender.offset + Math.floor(now / (1e3 * stepSeconds));
    sender.pair.lastSentAt = now;
    return sender.device.tell(sender.walk[step % sender.walk.length]!);
  }

  #devices(): Device[] {
    return this.#pairs.flatMap(({ end, edge }) => [end, edge]);
  }

  #device(plan: DevicePlan): Device {
    return new Device(plan, this.plan.address, this.plan.isBare, {
      welcomed: () => {
        this.#welcomes++;
        this.#lastWelcomeAtMs = Date.now();
        this.#firstWelcomeAtMs ||= this.#lastWelcomeAtMs;
      },
      cut: (device) => this.#cut(device),
      answered: () => this.#answers++,
      refused: (_device, message) => this.#refused(message),
      lost: (_device, code) => {
        this.#losses++;
        this.#refused(`close ${code}`);
      },
    });
  }

  #cut(device: Device): void {
    if (device.plan.role !== 'end') return;
    this.#cuts++;
    const probe = this.#probes.get(device);
    if (probe === undefined) this.#samplesMs.push(performance.now() - this.#pairOf.get(device)!.lastSentAt);
    else probe.cut();
  }

  /** Few texts are kept: ids in them would make each one new. */
  #refused(message: string): void {
    if (this.#refusals.size < 20 || this.#refusals.has(message)) {
      this.#refusals.set(message, (this.#refusals.get(message) ?? 0) + 1);
    }
  }

  #refusalText(): string {
    return [...this.#refusals.keys()].join('; ');
  }
}

const rounded = (value: number): number => Number(value.toFixed(4));
