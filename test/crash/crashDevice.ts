/** A device of the crash test: plain ws and JSON, it notes each cut that it is told and comes back at once. */
import { WebSocket } from 'ws';
import type { Random } from '../../src/demo/random.js';
import type { Ledger } from './ledger.js';

interface ControllerMessage {
  readonly type: string;
  readonly deploymentId: string;
  readonly version: number;
  readonly phase?: 'prepare' | 'active';
  readonly endLayers: readonly number[];
  readonly code?: string;
  readonly message?: string;
}

export interface CrashDevicePlan {
  readonly deviceId: string;
  readonly role: 'end' | 'edge';
  readonly capabilities: readonly string[];
  /** Between two telemetry frames; the link changes with each. */
  readonly telemetryMs: number;
}

const comeBackMs = 15;

export class CrashDevice {
  /** What it runs, by deployment. */
  readonly active = new Map<string, number>();
  /** Codes of the connections that ended. */
  readonly closeCodes: number[] = [];
  readonly errors: string[] = [];
  framesSent = 0;
  /** Connected, and the hello was answered. */
  isWelcome = false;
  #socket: WebSocket | null = null;
  #sequence = 0;
  #timer: NodeJS.Timeout | null = null;
  #comeBack: NodeJS.Timeout | null = null;
  #stopped = false;
  #quiet = false;

  constructor(
    private readonly url: string,
    private readonly plan: CrashDevicePlan,
    private readonly random: Random,
    private readonly ledger: Ledger,
  ) {
    this.#connect();
  }

  get deviceId(): string {
    return this.plan.deviceId;
  }

  /** No telemetry from now on; cuts are still taken. */
  quieten(): void {
    this.#quiet = true;
  }

  stop(): void {
    this.#stopped = true;
    if (this.#timer !== null) clearInterval(this.#timer);
    if (this.#comeBack !== null) clearTimeout(this.#comeBack);
    this.#socket?.terminate();
  }

  #connect(): void {
    const socket = new WebSocket(`${this.url}/v1/devices`, 'cutpoint.v1');
    this.#socket = socket;
    socket.on('open', () => {
      const running = [...this.active].map(([deploymentId, version]) => ({ deploymentId, version }));
      const { deviceId, role, capabilities } = this.plan;
      const computeRatio = role === 'end' ? 20 : 0.5;
      // one boot epoch for all connections: the sequence goes on
      this.#send({ type: 'hello', deviceId, role, computeRatio, bootEpoch: 1, capabilities, running });
    });
    socket.on('message', (data: Buffer) => this.#take(JSON.parse(data.toString()) as ControllerMessage));
    socket.on('error', () => {
      // refused while the controller is away; a close event follows
    });
    socket.on('close', (code) => {
      this.isWelcome = false;
      if (this.#timer !== null) clearInterval(this.#timer);
      if (this.#stopped) return;
      this.closeCodes.push(code);
      this.#comeBack = setTimeout(() => this.#connect(), comeBackMs);
    });
  }

  #take(message: ControllerMessage): void {
    const { deploymentId, version } = message;
    switch (message.type) {
      case 'welcome':
        this.isWelcome = true;
        this.#timer = setInterval(() => this.#telemetry(), this.plan.telemetryMs);
        break;
      case 'cut': {
        const cut = JSON.stringify(message.endLayers);
        this.ledger.seen({ deploymentId, version, cut, by: this.plan.deviceId });
        if (message.phase === 'prepare') {
          this.#send({ type: 'prepared', deploymentId, version });
          break;
        }
        this.active.set(deploymentId, version);
        this.ledger.ack(deploymentId, version);
        this.#send({ type: 'ack', deploymentId, version });
        break;
      }
      case 'removed':
        this.active.delete(deploymentId);
        break;
      case 'error':
      case 'warning':
        this.errors.push(`${message.code ?? message.type}: ${message.message ?? ''}`);
        break;
      default:
        break; // `current`, and what later versions may say
    }
  }

  /** Between a link that keeps all layers here and one that takes all of them away. */
  #telemetry(): void {
    if (this.#quiet) return;
    const bitsPerSecond = 10 ** this.random.between(4, 9);
    this.#send({
      type: 'telemetry',
      sequence: ++this.#sequence,
      ...(this.plan.role === 'edge'
        ? { cpuLoad: this.random.between(0, 0.9) }
        : { uplinkBitsPerSecond: bitsPerSecond, downlinkBitsPerSecond: bitsPerSecond, rttSeconds: 0.005 }),
    });
  }

  #send(message: object): void {
    if (this.#socket?.readyState !== WebSocket.OPEN) return;
    this.framesSent++;
    this.#socket.send(JSON.stringify(message));
  }
}
