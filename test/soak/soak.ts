/**
 * A controller, a fleet that means well, and everything that goes wrong in life; then quiet, and the question whether
 * anything is left of it.
 *
 * The fleet comes through a TCP proxy that cuts, stalls, delays and splits; rogues come straight. In the end each
 * device must run the cut that is stored, memory and handles must be back where they were, and the log must hold no
 * error.
 */
import { tinyModel } from '../fuzz/models/tinyModel.js';
import { startController, type Controller } from './controller.js';
import type { Measured } from './controllerProcess.js';
import { faultKinds, Faults } from './faults.js';
import { Operator } from './operator.js';
import { startProxy, type Proxy } from './proxy.js';
import { createChance, type Chance } from './random.js';
import { knock, rogue, rogueFaults, silent, takeOver } from './rogues.js';
import { SoakDevice } from './soakDevice.js';

export interface SoakPlan {
  /** Of chaos; start and settling come on top. */
  readonly seconds: number;
  readonly seed: number;
  readonly ends: number;
  readonly edges: number;
  /** Time that the fleet has to come to rest, ms. */
  readonly settleMs?: number;
}

export interface Soak {
  readonly seconds: number;
  readonly seed: number;
  readonly devices: number;
  readonly deployments: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly settleSeconds: number | null;
  readonly before: Measured;
  readonly after: Measured;
  /** What must not be; empty when all went well. */
  readonly findings: readonly string[];
}

/** Heartbeats and times to live as in life, but shorter, so that they pass within a run. */
const settings = {
  CUTPOINT_LIMITS__HEARTBEAT_MS: '1000',
  CUTPOINT_LIMITS__TELEMETRY_INTERVAL_MS: '200',
  CUTPOINT_LIMITS__HELLO_TIMEOUT_MS: '2000',
  CUTPOINT_LIMITS__FRAMES_PER_SECOND: '500',
  CUTPOINT_LIMITS__FRAME_BURST: '1000',
  // an hour of coming and going passes in a minute
  CUTPOINT_LIMITS__HELLOS_PER_MINUTE: '600',
  CUTPOINT_LIMITS__HELLO_BURST: '600',
  CUTPOINT_LIMITS__OUTBOX_BYTES: '65536',
  CUTPOINT_DECISIONS__PREPARE_TIMEOUT_MS: '2000',
  CUTPOINT_DECISIONS__TIME_TO_LIVE_MS: '4000',
  CUTPOINT_DECISIONS__PREVIOUS_CUT_MS: '500',
  CUTPOINT_DECISIONS__RESTART_GRACE_MS: '1000',
  CUTPOINT_DECISIONS__KEEP_ROWS: '500',
  CUTPOINT_LOG__LEVEL: 'warn',
};
const defaultSettleMs = 45_000;
/** A collector leaves something; a leak of this chaos would be far more. */
const heapToleranceBytes = 24 * 2 ** 20;
const handleTolerance = 8;

class SoakRun {
  readonly findings: string[] = [];
  readonly devices = new Map<string, SoakDevice>();
  readonly #tokens = new Map<string, { readonly id: string; readonly token: string }>();
  readonly #deployments: string[] = [];
  #modelId = '';
  #isChaos = false;

  constructor(
    private readonly plan: SoakPlan,
    private readonly controller: Controller,
    private readonly proxy: Proxy,
    private readonly operator: Operator,
    private readonly chance: Chance,
    private readonly faults: Faults,
  ) {}

  get deploymentCount(): number {
    return this.#deployments.length;
  }

  async deployFleet(): Promise<void> {
    const modelId = await this.operator.upload('tiny', tinyModel());
    this.#modelId = modelId;
    for (let e = 0; e < this.plan.edges; e++) await this.#add(`edge-${e}`, 'edge');
    for (let e = 0; e < this.plan.ends; e++) {
      await this.#add(`end-${e}`, 'end');
      this.#deployments.push(await this.operator.deploy(modelId, `end-${e}`, `edge-${e % this.plan.edges}`));
    }
    for (const id of ['rogue', 'mute']) this.#tokens.set(id, await this.operator.token(id));
    await Promise.all([
      this.#rogue(rogueFaults[0]!), // what a rogue needs is there before memory is measured
      this.settled(),
    ]);
  }

  async #add(id: string, role: 'end' | 'edge'): Promise<void> {
    const token = this.#tokens.get(id) ?? (await this.operator.token(id));
    this.#tokens.set(id, token);
    const { chance, faults, proxy } = this;
    const isChaos = (): boolean => this.#isChaos;
    this.devices.set(
      id,
      new SoakDevice({ id, role, url: proxy.url, token: token.token, chance, faults, isChaos }),
    );
  }

  /** @param progress told every second how many seconds are over */
  async chaos(progress: (seconds: number) => void): Promise<void> {
    this.#isChaos = true;
    const until = performance.now() + this.plan.seconds * 1_000;
    let second = 0;
    const running = new Set<Promise<void>>();
    while (performance.now() < until) {
      for (const deed of this.#deedsOf(second)) {
        const done = deed().catch(
          (error: unknown) => void this.findings.push(`chaos itself failed: ${String(error)}`),
        );
        running.add(done);
        void done.then(() => running.delete(done));
      }
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      progress(++second);
    }
    this.#isChaos = false;
    this.proxy.calm();
    this.controller.setClock(0);
    await Promise.all(running);
  }

  /** What happens in one second; every kind has its turn within twelve. */
  #deedsOf(second: number): (() => Promise<void>)[] {
    const { url } = this;
    const deeds: (() => Promise<void>)[] = [];
    this.proxy.disturb(0.08);
    if (this.chance.happens(0.3)) this.#flapEdge();
    deeds.push(() => this.#rogue(rogueFaults[second % rogueFaults.length]!));
    if (second % 3 === 0) deeds.push(() => this.#changeRequirements());
    if (second % 4 === 1) deeds.push(() => this.#takeOver());
    if (second % 5 === 2) deeds.push(() => this.#revoke());
    if (second % 6 === 3) deeds.push(() => this.#makeAndDelete());
    if (second % 7 === 4)
      deeds.push(() =>
        silent({ url, deviceId: 'mute', faults: this.faults, token: this.#tokens.get('mute')!.token }),
      );
    if (second % 8 === 5) deeds.push(() => knock(url, 150, this.faults));
    if (second % 10 === 6) this.#jump();
    return deeds;
  }

  get url(): string {
    return this.controller.origin.replace('http', 'ws');
  }

  #flapEdge(): void {
    const ends = [...this.devices.values()].filter((device) => device.id.startsWith('end-'));
    this.chance.pick(ends).flap();
    this.faults.count('edge flaps');
  }

  #rogue(fault: string): Promise<void> {
    const { url, faults } = this;
    return rogue(fault, { url, faults, deviceId: 'rogue', token: this.#tokens.get('rogue')!.token });
  }

  async #changeRequirements(): Promise<void> {
    const requirements = this.chance.pick([
      { latencySeconds: this.chance.between(0.001, 1) },
      { objective: 'energy' },
      { objective: 'latency' },
      { privacyDepth: this.chance.below(3) },
      { latencySeconds: null, privacyDepth: null, objective: null },
    ]);
    await this.operator.require(this.chance.pick(this.#deployments), requirements);
    this.faults.count('requirements changed');
  }

  /** The id is then in use elsewhere, so the library stops; as an operator would, the device is started again. */
  async #takeOver(): Promise<void> {
    const device = this.chance.pick([...this.devices.values()]);
    const { url, faults } = this;
    await takeOver({ url, faults, deviceId: device.id, token: this.#tokens.get(device.id)!.token });
    await this.#restart(device);
  }

  async #revoke(): Promise<void> {
    const device = this.chance.pick([...this.devices.values()]);
    const { id } = this.#tokens.get(device.id)!;
    this.#tokens.delete(device.id); // whoever restarts the device meanwhile makes a new one
    await this.operator.revoke(device.id, id);
    this.faults.count('token revoked');
    await this.#restart(device);
  }

  async #restart(device: SoakDevice): Promise<void> {
    device.stop();
    if (this.devices.get(device.id) !== device) return; // someone else did
    this.devices.delete(device.id);
    this.#keepProblems(device);
    await this.#add(device.id, device.id.startsWith('end-') ? 'end' : 'edge');
  }

  async #makeAndDelete(): Promise<void> {
    const end = `end-${this.chance.below(this.plan.ends)}`;
    const id = await this.operator.deploy(this.#modelId, end, `edge-${this.chance.below(this.plan.edges)}`);
    await new Promise((resolve) => setTimeout(resolve, 300));
    await this.operator.remove(id);
    this.faults.count('deployment made and deleted');
  }

  #jump(): void {
    this.controller.setClock(Math.round(this.chance.between(-86_400e3, 86_400e3)));
    this.faults.count('clock jump');
  }

  /** Waits until every device runs the version that is wanted, and no safe local cut in its place. */
  async settled(): Promise<number | null> {
    const { settleMs = defaultSettleMs } = this.plan;
    const start = performance.now();
    let wrong: string[] = [];
    while (performance.now() - start < settleMs) {
      wrong = await this.#unsettled();
      if (wrong.length === 0) return (performance.now() - start) / 1_000;
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
    this.findings.push(...wrong);
    return null;
  }

  async #unsettled(): Promise<string[]> {
    const wrong = [...this.devices.values()]
      .filter((device) => !device.isWelcomed)
      .map(({ id }) => `${id} is not connected`);
    for (const id of this.#deployments) {
      const view = await this.operator.deployment(id);
      for (const role of ['end', 'edge'] as const) {
        const device = this.devices.get(view[role].deviceId);
        const runs = device?.running.find((each) => each.deploymentId === id);
        const said = `${id} on ${view[role].deviceId}: wanted ${view.version}, runs ${runs?.version}, reported ${view.reported[role]}, ${JSON.stringify(view.rollout)}`;
        if (runs?.version !== view.version || view.reported[role] !== view.version) wrong.push(said);
        else if (runs.fallback === true) wrong.push(`${said}, but the safe local cut in its place`);
        else if (device!.cutOf(id)?.endLayers.join() !== (await this.operator.storedEndLayers(id)).join())
          wrong.push(`${said}, but another cut than is stored`);
      }
    }
    return wrong;
  }

  #keepProblems(device: SoakDevice): void {
    this.findings.push(...device.problems.map((error) => `${device.id}: ${String(error)}`));
  }

  stop(): void {
    for (const device of this.devices.values()) {
      this.#keepProblems(device);
      device.stop();
    }
  }
}

/**
 * @param folder for the controller's data, empty; the caller removes it
 * @param progress told what is done at present
 */
export async function soak(plan: SoakPlan, folder: string, progress: (text: string) => void): Promise<Soak> {
  const chance = createChance(plan.seed);
  const controller = await startController(folder, settings);
  const faults = new Faults();
  const proxy = await startProxy(controller.origin, chance, faults);
  const operator = new Operator(controller.origin, controller.adminKey);
  const run = new SoakRun(plan, controller, proxy, operator, chance, faults);
  try {
    progress('starting the fleet');
    await run.deployFleet();
    const before = await controller.measure();
    await run.chaos((second) => progress(`chaos: ${second} of ${plan.seconds} s`));
    progress('settling');
    const settleSeconds = await run.settled();
    const after = await calmed(controller, before);
    const { counts } = faults;
    const findings = [
      ...run.findings,
      ...controller.complaints.map((line) => `the log complains: ${line}`),
      ...leaks(before, after),
      ...faultKinds.filter((kind) => counts[kind] === undefined).map((kind) => `never happened: ${kind}`),
    ];
    return {
      seconds: plan.seconds,
      seed: plan.seed,
      devices: run.devices.size,
      deployments: run.deploymentCount,
      faults: counts,
      settleSeconds,
      before,
      after,
      findings,
    };
  } finally {
    run.stop();
    await proxy.close();
    await controller.stop();
  }
}

/** What closes a little later (timers, sockets in their last words) has ten seconds for it. */
async function calmed(controller: Controller, before: Measured): Promise<Measured> {
  let after = await controller.measure();
  for (let second = 0; second < 10 && leaks(before, after).length > 0; second++) {
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    after = await controller.measure();
  }
  return after;
}

function leaks(before: Measured, after: Measured): string[] {
  const found: string[] = [];
  const grown = after.heapBytes - before.heapBytes;
  if (grown > heapToleranceBytes) found.push(`the heap grew by ${grown} bytes`);
  for (const [kind, count] of Object.entries(after.handles)) {
    if (count - (before.handles[kind] ?? 0) > handleTolerance) {
      found.push(`${count} handles of kind ${kind}, ${before.handles[kind] ?? 0} before`);
    }
  }
  return found;
}
