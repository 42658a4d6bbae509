/** The two targets under the same load: the controller, and the bare server that is the ceiling. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ChildProcess } from 'node:child_process';
import { endChild } from '../../src/demo/childProcess.js';
import type { Controller } from './controller.js';
import type { FleetPlan, Offered } from './fleet.js';
import { startProcess } from './pinned.js';
import type { ProcessFigures } from './processFigures.js';
import { Remote } from './remote.js';
import type { Trial } from './results.js';
import type { Address } from './wire.js';

/** A trial is sustained when this share of what was offered was served. */
const sustainedShare = 0.98;

/** Devices in a process of their own. */
export class Clients {
  readonly remote: Remote;
  private constructor(private readonly child: ChildProcess) {
    this.remote = new Remote(child);
  }

  static async start(plan: FleetPlan): Promise<Clients> {
    const clients = new Clients(
      startProcess(new URL('./fleetProcess.js', import.meta.url), [], { side: 'clients' }),
    );
    await clients.remote.call('plan', plan);
    return clients;
  }

  offer(framesPerSecond: number, seconds: number): Promise<Offered> {
    return this.remote.call('offer', { framesPerSecond, seconds });
  }

  async stop(): Promise<void> {
    await endChild(this.child, 1000, () => this.child.kill('SIGKILL'));
  }
}

/** What a server has done so far. */
interface Counters {
  readonly served: number;
  readonly dropped: number;
  readonly cpuSeconds: number;
}

export interface Target {
  readonly name: Trial['target'];
  readonly clients: Clients;
  counters(): Promise<Counters>;
}

/** Offers a load to `target` and says what became of it. */
export async function trial(target: Target, framesPerSecond: number, seconds: number): Promise<Trial> {
  const before = await target.counters();
  const startedAt = performance.now();
  const clients = await target.clients.offer(framesPerSecond, seconds);
  const after = await target.counters();
  const took = (performance.now() - startedAt) / 1e3;
  const served = after.served - before.served;
  const dropped = after.dropped - before.dropped;
  const offered = clients.sent + clients.heldBack;
  await settled(target);
  return {
    target: target.name,
    offeredPerSecond: offered / clients.seconds,
    servedPerSecond: served / clients.seconds,
    droppedFrames: dropped + clients.heldBack,
    isSustained: served >= sustainedShare * offered,
    serverCpu: (after.cpuSeconds - before.cpuSeconds) / took,
    clients,
  };
}

/** Waits until what is under way has been served, so that a trial does not begin with what another one left. */
async function settled(target: Target): Promise<void> {
  for (let before = await target.counters(); ;) {
    await sleep(300);
    const now = await target.counters();
    if (now.served === before.served && now.dropped === before.dropped) return;
    before = now;
  }
}

/** The highest load that `target` sustains, to about 5 %; each step also tells what happened. */
export class Search {
  #low = 0;
  #high = Infinity;
  /** Was not sustained once: one stop of the machine must not bound the search. */
  #doubted = 0;
  best: Trial | null = null;

  constructor(
    private readonly target: Target,
    private next: number,
    private readonly record: (trial: Trial) => void,
  ) {}

  async step(seconds: number): Promise<void> {
    const result = await trial(this.target, this.next, seconds);
    this.record(result);
    if (this.best === null || isBetter(result, this.best)) this.best = result;
    if (result.isSustained) {
      this.#low = Math.max(this.#low, this.next);
      // the clients cannot offer more
      if (result.offeredPerSecond < sustainedShare * this.next) this.#high = this.next;
    } else if (this.#doubted !== this.next) {
      this.#doubted = this.next;
      return;
    } else {
      this.#high = Math.min(this.#high, this.next);
    }
    this.next =
      this.#high === Infinity
        ? this.#low * 1.4
        : this.#low === 0
          ? Math.min(this.#high * 0.7, Math.max(result.servedPerSecond, this.#high * 0.3))
          : (this.#low + this.#high) / 2;
  }

  get isDone(): boolean {
    return this.#low > 0 && this.#high / this.#low < 1.05;
  }
}

/** On a busy machine nothing may be sustained: then the highest rate served counts. */
function isBetter(a: Trial, b: Trial): boolean {
  return a.isSustained === b.isSustained ? a.servedPerSecond > b.servedPerSecond : a.isSustained;
}

export function controllerTarget(controller: Controller, clients: Clients): Target {
  return {
    name: 'cutpoint',
    clients,
    async counters() {
      const metrics = await controller.metrics();
      const of = (name: string): number => metrics.get(name) ?? 0;
      const coalesced = of('cutpoint_dropped_total{what="superseded-telemetry"}');
      return {
        // a frame that was taken and replaced before anyone looked at it was not served
        served: of('cutpoint_telemetry_frames_total{outcome="accepted"}') - coalesced,
        dropped: coalesced + of('cutpoint_dropped_total{what="shed-telemetry"}'),
        cpuSeconds: of('process_cpu_seconds_total'),
      };
    },
  };
}

/** The bare server, with clients of its own. */
export class Ceiling {
  private constructor(
    private readonly child: ChildProcess,
    private readonly remote: Remote,
    readonly target: Target,
  ) {}

  static async start(plan: Omit<FleetPlan, 'address' | 'isBare' | 'probes'>): Promise<Ceiling> {
    const child = startProcess(new URL('./bareServer.js', import.meta.url), [], { side: 'server' });
    const remote = new Remote(child);
    const address: Address = { host: '127.0.0.1', port: await remote.call<number>('port'), path: '/' };
    const clients = await Clients.start({ ...plan, address, isBare: true, probes: 0 });
    await clients.remote.call('connect');
    const target: Target = {
      name: 'ceiling',
      clients,
      async counters() {
        const { cpuSeconds } = await remote.call<ProcessFigures>('figures');
        return { served: await clients.remote.call<number>('answers'), dropped: 0, cpuSeconds };
      },
    };
    return new Ceiling(child, remote, target);
  }

  async stop(): Promise<void> {
    await this.target.clients.stop();
    await endChild(this.child, 1000, () => this.child.kill('SIGKILL'));
  }
}
