/**
 * The crash test: a real controller under load is ended at random points, again and again, and after each start the
 * store is held against what devices and operators were told before.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createRandom, type Random } from '../../src/demo/random.js';
import { writeZooModel } from '../../src/zoo/zoo.js';
import { CrashDevice } from './crashDevice.js';
import { Ledger, type Contradiction } from './ledger.js';
import { Operators, type Pair } from './operators.js';
import { StoredState } from './storedState.js';
import { Victim } from './victim.js';

export interface CrashOptions {
  /** How often the controller is killed. */
  readonly kills: number;
  /** How often it is told to stop by SIGTERM, under the same load. */
  readonly terms: number;
  readonly seed: number;
  /** Arguments of node that start the controller, which takes its settings from the environment. */
  readonly command: readonly string[];
  readonly ends: number;
  readonly edges: number;
  /** Longest time from ready to the signal. */
  readonly longestRunMs: number;
  /** Stop at the first contradiction. */
  readonly untilFirst?: boolean;
  readonly progress?: (report: CrashReport) => void;
}

export interface CrashReport {
  readonly seed: number;
  readonly kills: number;
  /** Of these, before the controller was ready. */
  readonly killsDuringStart: number;
  readonly terms: number;
  readonly seconds: number;
  readonly startMs: { readonly median: number; readonly max: number };
  readonly devices: number;
  readonly deployments: number;
  readonly framesSent: number;
  readonly cutsSeen: number;
  readonly distinctVersions: number;
  readonly acknowledged: number;
  readonly confirmedChanges: number;
  readonly contradictions: number;
  readonly acknowledgedLost: number;
  readonly byKind: Readonly<Record<string, number>>;
  /** The first ones. */
  readonly examples: readonly Contradiction[];
  /** What else went wrong: a start that failed, a stop that was not in order, a device at another version. */
  readonly faults: readonly string[];
}

const startTimeoutMs = 60_000;
const settleTimeoutMs = 30_000;
/** Share of the kills that come while the controller starts. */
const duringStart = 0.2;
const shownExamples = 10;

export async function crashRun(options: CrashOptions): Promise<CrashReport> {
  const folder = await mkdtemp(join(tmpdir(), 'cutpoint-crash-'));
  const run = new CrashRun(options, folder, await freePort());
  try {
    return await run.run();
  } finally {
    await run.end();
    await rm(folder, { recursive: true, force: true });
  }
}

class CrashRun {
  readonly #ledger = new Ledger();
  readonly #random: Random;
  readonly #operators: Operators;
  readonly #stored: StoredState;
  readonly #devices: CrashDevice[] = [];
  readonly #pairs: Pair[] = [];
  readonly #startMs: number[] = [];
  readonly #faults: string[] = [];
  readonly #startedAt = performance.now();
  #modelId = '';
  #victim: Victim | null = null;
  #kills = 0;
  #killsDuringStart = 0;
  #terms = 0;

  constructor(
    private readonly options: CrashOptions,
    private readonly folder: string,
    private readonly port: number,
  ) {
    this.#random = createRandom(options.seed);
    this.#operators = new Operators(`http://127.0.0.1:${port}`, this.#random, this.#ledger);
    this.#stored = new StoredState(join(folder, 'data', 'cutpoint.db'));
    for (let end = 0; end < options.ends; end++) {
      for (const edge of [end, end + 1]) {
        this.#pairs.push({ end: `end-${end}`, edge: `edge-${edge % options.edges}` });
      }
    }
  }

  async run(): Promise<CrashReport> {
    await this.#prepare();
    const { kills, terms } = this.options;
    const every = terms === 0 ? Infinity : Math.max(1, Math.floor((kills + terms) / terms));
    for (let round = 1; this.#kills < kills || this.#terms < terms; round++) {
      const isTerm = this.#kills === kills || (round % every === 0 && this.#terms < terms);
      await (isTerm ? this.#term() : this.#kill());
      this.options.progress?.(this.report());
      if (this.options.untilFirst === true && this.#ledger.contradictions.length > 0) return this.report();
    }
    await this.#settle();
    await this.#term(false);
    return this.report();
  }

  async end(): Promise<void> {
    await this.#operators.pause();
    for (const device of this.#devices) device.stop();
    await this.#victim?.end('SIGKILL');
  }

  report(): CrashReport {
    const { contradictions } = this.#ledger;
    const byKind: Record<string, number> = {};
    for (const { kind } of contradictions) byKind[kind] = (byKind[kind] ?? 0) + 1;
    const sorted = [...this.#startMs].sort((a, b) => a - b).map(Math.round);
    return {
      seed: this.options.seed,
      kills: this.#kills,
      killsDuringStart: this.#killsDuringStart,
      terms: this.#terms,
      seconds: Math.round((performance.now() - this.#startedAt) / 100) / 10,
      startMs: { median: sorted[sorted.length >> 1] ?? 0, max: sorted.at(-1) ?? 0 },
      devices: this.#devices.length,
      deployments: this.#operators.lasting.length,
      framesSent: this.#devices.reduce((sum, device) => sum + device.framesSent, 0),
      cutsSeen: this.#ledger.sightings,
      distinctVersions: this.#ledger.distinctVersions,
      acknowledged: this.#ledger.acknowledged,
      confirmedChanges: this.#ledger.confirmedChanges,
      contradictions: contradictions.length,
      acknowledgedLost: byKind['acknowledged-lost'] ?? 0,
      byKind,
      examples: contradictions.slice(0, shownExamples),
      faults: this.#faults,
    };
  }

  /** A model, a deployment for each pair, and all devices connected. */
  async #prepare(): Promise<void> {
    const model = join(this.folder, 'squeezenet.onnx');
    await writeZooModel('squeezenet-1.1', model, { weights: 'constant' });
    const { adminKey } = await this.#start();
    this.#operators.key = adminKey!;
    const path = '/v1/models?name=crash&waitSeconds=60';
    const added = await this.#operators.must('POST', path, 201, await readFile(model));
    this.#modelId = (added as { id: string }).id;
    for (const pair of this.#pairs) {
      const id = await this.#operators.create(this.#modelId, pair);
      if (id === null) throw new Error('a deployment could not be made');
      this.#operators.lasting.push(id);
    }
    const connect = (role: 'end' | 'edge', index: number) =>
      this.#devices.push(
        new CrashDevice(
          `ws://127.0.0.1:${this.port}`,
          {
            deviceId: `${role}-${index}`,
            role,
            capabilities: index % 2 === 0 ? ['prepare'] : [],
            telemetryMs: role === 'end' ? 40 : 400,
          },
          createRandom(this.options.seed + this.#devices.length + 1),
          this.#ledger,
        ),
      );
    for (let index = 0; index < this.options.edges; index++) connect('edge', index);
    for (let index = 0; index < this.options.ends; index++) connect('end', index);
    await this.#until('the first cuts', () => this.#ledger.distinctVersions >= this.#pairs.length);
  }

  /** Starts the controller and holds what it starts from against the ledger. */
  async #start(): Promise<Victim> {
    const victim = this.#spawn();
    await victim.readyWithin(startTimeoutMs);
    this.#startMs.push(victim.startMs!);
    this.#ledger.compare(this.#stored.read(), false);
    return victim;
  }

  #spawn(): Victim {
    this.#victim = new Victim(this.options.command, {
      CUTPOINT_LISTEN__HOST: '127.0.0.1',
      CUTPOINT_LISTEN__PORT: String(this.port),
      CUTPOINT_DATA__DIRECTORY: join(this.folder, 'data'),
      CUTPOINT_AUTH__ANONYMOUS_DEVICES: 'true',
      CUTPOINT_IMPORT__RUNS: '2',
      CUTPOINT_IMPORT__WARMUP_RUNS: '1',
      CUTPOINT_LIMITS__FRAMES_PER_SECOND: '10000',
      CUTPOINT_LIMITS__FRAME_BURST: '10000',
      CUTPOINT_LIMITS__MAX_DEPLOYMENTS_PER_DEVICE: '1000',
    });
    return this.#victim;
  }

  async #load(): Promise<void> {
    this.#operators.resume(this.#modelId, this.#pairs);
    await sleep(this.#random.between(0, this.options.longestRunMs));
  }

  async #kill(): Promise<void> {
    const victim = this.#victim!;
    await this.#load();
    await victim.end('SIGKILL');
    this.#kills++;
    await this.#operators.pause();
    while (this.#kills < this.options.kills && this.#random.uniform() < duringStart) {
      const next = this.#spawn();
      const usualMs = this.#startMs.at(-1)!;
      await Promise.race([next.ready, sleep(this.#random.between(0, usualMs))]);
      await next.end('SIGKILL');
      this.#kills++;
      this.#killsDuringStart++;
    }
    await this.#start();
  }

  /** Stops it in order under load: all is recorded, exit code 0, and each device was told why. */
  async #term(goOn = true): Promise<void> {
    const victim = this.#victim!;
    if (goOn) await this.#load();
    await this.#until('all devices', () => this.#devices.every((device) => device.isWelcome));
    for (const device of this.#devices) device.closeCodes.length = 0;
    const code = await victim.end('SIGTERM');
    await this.#operators.pause();
    this.#terms++;
    if (code !== 0) this.#faults.push(`SIGTERM ended the controller with ${code}: ${victim.said}`);
    await this.#until('all closes', () => this.#devices.every((device) => device.closeCodes.length > 0));
    const others = this.#devices.map((device) => device.closeCodes[0]!).filter((each) => each !== 4000);
    if (others.length > 0) this.#faults.push(`SIGTERM: devices closed with ${others.join(', ')}`);
    this.#ledger.compare(this.#stored.read(!goOn), !goOn);
    if (goOn) await this.#start();
  }

  /** Without load each device ends at the version that the store says. */
  async #settle(): Promise<void> {
    await this.#operators.pause();
    for (const device of this.#devices) device.quieten();
    const wrong = (): string[] => {
      const { deployments } = this.#stored.read();
      return this.#pairs.flatMap(({ end, edge }, index) => {
        const id = this.#operators.lasting[index]!;
        const { version } = deployments.get(id)!;
        return this.#devices
          .filter(({ deviceId }) => deviceId === end || deviceId === edge)
          .filter((device) => device.active.get(id) !== version)
          .map(
            ({ deviceId, active }) =>
              `${deviceId} runs ${active.get(id) ?? 'nothing'}, not ${version} of ${id}`,
          );
      });
    };
    const end = performance.now() + settleTimeoutMs;
    while (wrong().length > 0 && performance.now() < end) await sleep(50);
    this.#faults.push(...wrong());
  }

  async #until(what: string, condition: () => boolean): Promise<void> {
    const end = performance.now() + settleTimeoutMs;
    while (!condition()) {
      if (performance.now() > end) {
        throw new Error(`${what} did not come within ${settleTimeoutMs} ms: ${this.#victim?.said ?? ''}`);
      }
      await sleep(5);
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
