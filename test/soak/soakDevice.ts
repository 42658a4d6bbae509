/** A device that means well, by the product's own client library; its data plane fails now and then. */
import { CutRefused, Device, type Cut } from '../../src/client/index.js';
import type { Faults } from './faults.js';
import type { Chance } from './random.js';

const hangMs = 5_000;

export interface SoakDeviceOptions {
  readonly id: string;
  readonly role: 'end' | 'edge';
  readonly url: string;
  readonly token: string;
  readonly chance: Chance;
  readonly faults: Faults;
  /** While true, cuts fail now and then and links change. */
  readonly isChaos: () => boolean;
}

export class SoakDevice {
  readonly problems: unknown[] = [];
  readonly #active = new Map<string, Cut>();
  readonly #device: Device;
  #uplink = 5e6;

  constructor(private readonly options: SoakDeviceOptions) {
    const { id, role, url, token } = options;
    this.#device = new Device({
      url,
      token,
      identity: { deviceId: id, role, computeRatio: role === 'end' ? 8 : 1, switchSeconds: 0 },
      reconnect: { firstPauseMs: 100, longestPauseMs: 1_000 },
      handlers: {
        prepare: (cut, signal) => this.#prepare(cut, signal),
        activate: (cut) => this.#activate(cut),
        fallBack: () => undefined,
        release: () => undefined,
        removed: (deploymentId) => this.#active.delete(deploymentId),
      },
      telemetry: () => this.#telemetry(),
      events: { problem: (error) => this.problems.push(error) },
    });
  }

  get id(): string {
    return this.options.id;
  }

  get running() {
    return this.#device.running;
  }

  get isWelcomed(): boolean {
    return this.#device.isWelcomed;
  }

  /** The cut that is active here. */
  cutOf(deploymentId: string): Cut | undefined {
    return this.#active.get(deploymentId);
  }

  /** The data plane loses and finds the edge of all its deployments. */
  flap(): void {
    for (const { deploymentId } of this.running) {
      this.#device.edgeLost(deploymentId);
      setTimeout(() => this.#device.edgeBack(deploymentId), 200).unref();
    }
  }

  stop(): void {
    this.#device.stop();
  }

  async #prepare(_cut: Cut, signal: AbortSignal): Promise<void> {
    const { chance, faults, isChaos } = this.options;
    if (isChaos() && faults.due('refused prepare', 0.06, chance)) {
      throw new CutRefused('no-memory', 'for the soak');
    }
    if (isChaos() && faults.due('prepare that hangs', 0.03, chance)) {
      // longer than the controller waits; a newer version ends it sooner
      await new Promise((resolve) => {
        signal.addEventListener('abort', resolve, { once: true });
        setTimeout(resolve, hangMs).unref();
      });
      throw new CutRefused('too-slow', 'for the soak');
    }
    await new Promise((resolve) => setTimeout(resolve, 5 + chance.below(30)));
  }

  #activate(cut: Cut): void {
    const { chance, faults, isChaos } = this.options;
    if (isChaos() && faults.due('refused activate', 0.03, chance)) {
      throw new CutRefused('no-memory', 'for the soak');
    }
    this.#active.set(cut.deploymentId, cut);
  }

  #telemetry() {
    const { chance, role, isChaos } = this.options;
    if (role === 'edge') return { cpuLoad: isChaos() ? chance.between(0, 0.6) : 0.1, queueLength: 0 };
    if (isChaos()) this.#uplink = Math.min(1e9, Math.max(1e3, this.#uplink * Math.exp(chance.normal())));
    return {
      uplinkBitsPerSecond: this.#uplink,
      downlinkBitsPerSecond: 5 * this.#uplink,
      rttSeconds: 0.005,
      cpuLoad: isChaos() ? chance.between(0, 0.6) : 0.1,
    };
  }
}
