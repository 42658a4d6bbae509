/**
 * A device of the controller: connects and comes back, says what it is and runs, sends telemetry and measurements,
 * and brings its deployments to the cuts that the controller wants, or to the safe local cut where it is left alone.
 */
import type {
  ControllerMessage,
  ControllerMessageOf,
  DeviceMessage,
  DeviceMessageOf,
} from '../protocol/messages.js';
import { systemClock, type DeviceClock } from './clock.js';
import { Connection, type ConnectionSettings } from './connection.js';
import { DeviceCuts, type CutHandlers, type RunningCuts } from './deviceCuts.js';
import { Measurements, type StageSeconds } from './measurements.js';
import { defaultReconnect, Reconnect, type Ending, type ReconnectSettings } from './reconnect.js';
import { TelemetryTicker, type TelemetryFrame, type TelemetryValues } from './telemetryTicker.js';

/** What the device is; `capabilities` without `prepare`, which follows from the handlers. */
export type DeviceIdentity = Readonly<Omit<DeviceMessageOf<'hello'>, 'type' | 'running'>>;

export interface DeviceEvents {
  readonly welcomed?: (welcome: ControllerMessageOf<'welcome'>) => void;
  /** The controller did not take a message of this device. */
  readonly refused?: (error: ControllerMessageOf<'error'>) => void;
  readonly warned?: (warning: ControllerMessageOf<'warning'>) => void;
  /** A connection, or an attempt at one, ended; `pauseMs` until the next attempt, null: there will be none. */
  readonly disconnected?: (ending: Ending, pauseMs: number | null) => void;
  /** A handler threw where the controller cannot be told of it, or the controller broke the protocol. */
  readonly problem?: (error: unknown) => void;
}

export interface DeviceOptions extends Partial<
  Pick<ConnectionSettings, 'token' | 'ca' | 'welcomeTimeoutMs' | 'maxFrameBytes' | 'maxBufferedBytes'>
> {
  /** Of the controller, `ws://host:port` or `wss://host:port`. */
  readonly url: string;
  readonly identity: DeviceIdentity;
  readonly handlers: CutHandlers;
  /** All that the device knows now; called when a frame can be sent. */
  readonly telemetry: () => TelemetryValues;
  readonly events?: DeviceEvents;
  readonly reconnect?: Partial<ReconnectSettings>;
  /** Deployments above it are refused with `too-many-deployments`. */
  readonly maxDeployments?: number;
  readonly clock?: DeviceClock;
  /** In [0, 1); for the jitter of the pauses. */
  readonly random?: () => number;
}

const defaults = {
  welcomeTimeoutMs: 15_000,
  maxFrameBytes: 4 * 1024 * 1024,
  maxBufferedBytes: 64 * 1024,
  // as many as a hello can name
  maxDeployments: 1_000,
};
/** Telemetry takes at most this share of the frames that the controller allows. */
const telemetryShare = 0.25;

export class Device {
  readonly #options: DeviceOptions & typeof defaults;
  readonly #clock: DeviceClock;
  readonly #identity: DeviceIdentity;
  readonly #cuts: DeviceCuts;
  readonly #ticker: TelemetryTicker;
  readonly #measurements = new Measurements();
  readonly #reconnect: Reconnect;
  #connection: Connection | null = null;
  #stopPause: (() => void) | null = null;
  #isStopped = false;

  /** Connects at once. */
  constructor(options: DeviceOptions) {
    this.#options = { ...defaults, ...options };
    this.#clock = options.clock ?? systemClock;
    this.#identity = identityOf(options);
    this.#cuts = new DeviceCuts({
      handlers: options.handlers,
      clock: this.#clock,
      send: (message) => this.#send(message),
      problem: (error) => this.#problem(error),
      maxDeployments: this.#options.maxDeployments,
    });
    this.#ticker = new TelemetryTicker({
      clock: this.#clock,
      measure: () => options.telemetry(),
      isWritable: () => this.#connection?.isWritable ?? false,
      send: (message) => {
        this.#report();
        return this.#send(message);
      },
    });
    this.#reconnect = new Reconnect(
      { ...defaultReconnect, ...options.reconnect },
      options.random ?? Math.random,
    );
    this.#connect();
  }

  get isWelcomed(): boolean {
    return this.#connection?.isWelcomed ?? false;
  }

  /** What runs here, as the next hello would say it. */
  get running(): RunningCuts {
    return this.#cuts.running;
  }

  /** Something changed that the controller should hear of before the telemetry interval is over. */
  changed(): void {
    this.#ticker.changed();
  }

  /** The data plane cannot reach the edge of a deployment: the safe local cut takes over. */
  edgeLost(deploymentId: string): void {
    this.#cuts.edgeLost(deploymentId);
  }

  /** The edge is there again: the cut that is wanted takes over. */
  edgeBack(deploymentId: string): void {
    this.#cuts.edgeBack(deploymentId);
  }

  /**
   * Seconds that one inference with `version` took; reported as means, with the telemetry.
   * @returns false where that version does not serve here now: nothing is taken
   * @throws RangeError where no stage was measured, or one is not a finite number above 0
   */
  measured(deploymentId: string, version: number, seconds: StageSeconds): boolean {
    if (!this.#cuts.serves(deploymentId, version)) return false;
    this.#measurements.add(deploymentId, version, seconds);
    return true;
  }

  /** Closes the connection for good. What runs goes on until its owner stops it. */
  stop(): void {
    this.#isStopped = true;
    this.#stopPause?.();
    this.#ticker.stop();
    this.#cuts.stop();
    this.#connection?.close();
  }

  #connect(): void {
    const { url, token, ca, welcomeTimeoutMs, maxFrameBytes, maxBufferedBytes } = this.#options;
    const settings = { url, token, ca, welcomeTimeoutMs, maxFrameBytes, maxBufferedBytes };
    this.#connection = new Connection(settings, this.#clock, {
      hello: () => ({ type: 'hello', ...this.#identity, running: this.#cuts.running }),
      signOfLife: () => this.#cuts.signOfLife(),
      message: (message) => this.#receive(message),
      wrong: (problem) => this.#problem(new Error(`the controller sent ${problem}`)),
      ended: (ending, heldMs) => this.#ended(ending, heldMs),
    });
  }

  #receive(message: ControllerMessage): void {
    const { events } = this.#options;
    if (this.#isStopped) return;
    switch (message.type) {
      case 'welcome': {
        this.#cuts.previousCutMs = message.previousCutMs;
        const leastGapMs = 1_000 / (telemetryShare * message.limits.framesPerSecond);
        this.#ticker.start(message.telemetryIntervalMs, leastGapMs);
        events?.welcomed?.(message);
        break;
      }
      case 'cut':
        this.#cuts.cut(message);
        break;
      case 'current':
        this.#cuts.current(message.deploymentId, message.version);
        break;
      case 'removed':
        this.#cuts.removed(message.deploymentId);
        this.#measurements.forget(message.deploymentId);
        break;
      case 'error':
        events?.refused?.(message);
        break;
      case 'warning':
        events?.warned?.(message);
        break;
    }
  }

  #ended(ending: Ending, heldMs: number): void {
    this.#connection = null;
    this.#ticker.stop();
    if (this.#isStopped) return;
    this.#cuts.disconnected();
    const pauseMs = this.#reconnect.pauseMs(ending, heldMs);
    if (pauseMs !== null) this.#stopPause = this.#clock.after(pauseMs, () => this.#connect());
    this.#options.events?.disconnected?.(ending, pauseMs);
  }

  #report(): void {
    for (const message of this.#measurements.take()) this.#send(message);
  }

  #send(message: DeviceMessage | TelemetryFrame): boolean {
    // before the welcome nothing but the hello may go; it says all that an answer would have said
    return this.isWelcomed && (this.#connection?.send(message) ?? false);
  }

  #problem(error: unknown): void {
    this.#options.events?.problem?.(error);
  }
}

function identityOf({ identity, handlers }: DeviceOptions): DeviceIdentity {
  const capabilities = new Set(identity.capabilities ?? []);
  if (handlers.prepare !== undefined) capabilities.add('prepare');
  return {
    // within this object's life sequences go on; the next start is another epoch
    bootEpoch: Date.now(),
    ...identity,
    capabilities: [...capabilities],
  };
}
