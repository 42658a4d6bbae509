/** One device of the load: the device's half of the protocol, as short as it can be. */
import { frameOf, WireClient, type Address } from './wire.js';

export type Role = 'end' | 'edge';

export interface DevicePlan {
  readonly deviceId: string;
  readonly role: Role;
  readonly computeRatio: number;
}

export interface DeviceEvents {
  readonly welcomed: (device: Device) => void;
  /** A new cut of the deployment of this device; it has been acknowledged. */
  readonly cut: (device: Device) => void;
  /** An answer of the bare server. */
  readonly answered: () => void;
  /** The other side said error, warning or removed: must not happen in this load. */
  readonly refused: (device: Device, message: string) => void;
  readonly lost: (device: Device, code: number) => void;
}

export interface Running {
  readonly deploymentId: string;
  readonly version: number;
  readonly endLayers: string;
}

interface ServerMessage {
  readonly type: string;
  readonly deploymentId: string;
  readonly version: number;
  readonly phase?: 'prepare' | 'active';
  readonly endLayers: readonly number[];
  readonly message?: string;
}

/** Stated power figures of an end device, watts. */
const power = { computeWatts: 4, transmitWatts: 1.8, receiveWatts: 1.1, idleWatts: 0.6 };
const firstRetryMs = 1000;
const longestRetryMs = 60_000;

export class Device {
  running: Running | null = null;
  /** Version that it said it runs in its latest hello. */
  greetedWith = 0;
  /** Cuts that told it again what it had said it runs, or something older. */
  replays = 0;
  isWelcome = false;
  sequence = 0;
  #wire: WireClient | null = null;
  #retryMs = firstRetryMs;
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;

  constructor(
    readonly plan: DevicePlan,
    private address: Address,
    private readonly isBare: boolean,
    private readonly on: DeviceEvents,
  ) {}

  connect(): void {
    this.#wire = new WireClient(this.address, {
      opened: () => {
        if (this.isBare) this.#welcome();
        else this.#send(this.#hello());
      },
      text: (text) => this.#take(text),
      closed: (code) => this.#closed(code),
    });
  }

  /** From now on it connects there. */
  moveTo(address: Address): void {
    this.address = address;
  }

  /** False where the frame cannot go: not connected, or the kernel takes no more. @param fields as in walks.ts */
  tell(fields: string): boolean {
    const wire = this.#wire;
    if (wire === null || !this.isWelcome || wire.waitingBytes > 65_536) return false;
    wire.write(frameOf(`{"type":"telemetry","sequence":${++this.sequence},${fields}`));
    return true;
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    this.#wire?.end();
  }

  #hello(): object {
    const { deviceId, role, computeRatio } = this.plan;
    const { running } = this;
    this.greetedWith = running?.version ?? 0;
    return {
      type: 'hello',
      deviceId,
      role,
      computeRatio,
      bootEpoch: 1,
      agent: 'cutpoint-bench',
      ...(role === 'end' ? { power, batteryCapacityJoules: 40_000 } : {}),
      running: running === null ? [] : [{ deploymentId: running.deploymentId, version: running.version }],
    };
  }

  #take(text: string): void {
    if (this.isBare) {
      this.on.answered();
      return;
    }
    const message = JSON.parse(text) as ServerMessage;
    const { type, deploymentId, version } = message;
    if (type === 'welcome') this.#welcome();
    else if (type === 'cut') this.#cut(message);
    else if (type === 'error' || type === 'warning' || type === 'removed') this.on.refused(this, text);
    else if (type !== 'current') this.on.refused(this, `unknown: ${deploymentId} ${version}`);
  }

  #cut({ deploymentId, version, phase, endLayers }: ServerMessage): void {
    if (phase === 'prepare') {
      this.#send({ type: 'prepared', deploymentId, version });
      return;
    }
    if (version <= this.greetedWith) this.replays++;
    this.#send({ type: 'ack', deploymentId, version });
    if (version <= (this.running?.version ?? 0)) return;
    this.running = { deploymentId, version, endLayers: endLayers.join() };
    this.on.cut(this);
  }

  #welcome(): void {
    this.isWelcome = true;
    this.#retryMs = firstRetryMs;
    this.on.welcomed(this);
  }

  #closed(code: number): void {
    this.isWelcome = false;
    this.#wire = null;
    if (this.#isStopped) return;
    this.on.lost(this, code);
    // the come-back rule of the protocol: doubling, with jitter
    this.#timer = setTimeout(() => this.connect(), this.#retryMs * (0.5 + 0.5 * Math.random()));
    this.#retryMs = Math.min(longestRetryMs, 2 * this.#retryMs);
  }

  #send(message: object): void {
    this.#wire?.write(frameOf(JSON.stringify(message)));
  }
}
