/**
 * Sends what the device knows, at the interval that the controller asked for, or sooner where something changed.
 * Nothing waits in a queue: a snapshot is taken when it can be sent, so a slow connection gets the latest, not all.
 */
import type { DeviceMessageOf } from '../protocol/messages.js';
import type { DeviceClock } from './clock.js';

type Telemetry = Omit<DeviceMessageOf<'telemetry'>, 'type' | 'sequence'>;

/** All that the device knows now; a value that is absent, undefined or null is unknown. */
export type TelemetryValues = { readonly [Name in keyof Telemetry]?: Telemetry[Name] | undefined };

/** JSON has no undefined: what is undefined here is absent there. */
export type TelemetryFrame = TelemetryValues & { readonly type: 'telemetry'; readonly sequence: number };

export interface TelemetryPorts {
  readonly clock: DeviceClock;
  readonly measure: () => TelemetryValues;
  readonly isWritable: () => boolean;
  readonly send: (message: TelemetryFrame) => boolean;
}

export class TelemetryTicker {
  #sequence = 0;
  #stopTimer: (() => void) | null = null;
  #intervalMs = 0;
  #leastGapMs = 0;
  #lastSentMs = -Infinity;
  #heldBackCount = 0;

  constructor(private readonly ports: TelemetryPorts) {}

  /** Times at which a snapshot was due and the connection could not take it. */
  get heldBackCount(): number {
    return this.#heldBackCount;
  }

  /**
   * Sends one now, then one per interval.
   * @param leastGapMs never sooner after one another than this
   */
  start(intervalMs: number, leastGapMs: number): void {
    this.#intervalMs = Math.max(intervalMs, leastGapMs);
    this.#leastGapMs = leastGapMs;
    this.#tick();
  }

  /** Something changed that the controller should hear of before the interval is over. */
  changed(): void {
    if (this.#stopTimer === null) return;
    const waitMs = this.#lastSentMs + this.#leastGapMs - this.ports.clock.nowMs();
    if (waitMs <= 0) this.#tick();
    else this.#next(waitMs);
  }

  stop(): void {
    this.#stopTimer?.();
    this.#stopTimer = null;
  }

  #tick(): void {
    const { measure, isWritable, send, clock } = this.ports;
    this.#next(this.#intervalMs);
    if (!isWritable()) {
      this.#heldBackCount++;
      return;
    }
    const values = measure();
    if (!send({ type: 'telemetry', sequence: this.#sequence + 1, ...values })) return;
    this.#sequence++;
    this.#lastSentMs = clock.nowMs();
  }

  #next(ms: number): void {
    this.#stopTimer?.();
    this.#stopTimer = this.ports.clock.after(ms, () => this.#tick());
  }
}
