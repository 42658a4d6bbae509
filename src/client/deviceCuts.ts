/** All deployments of one device: runs what their states ask for, and watches the time that a cut holds by itself. */
import type { CutMessage, DeviceMessage, DeviceMessageOf } from '../protocol/messages.js';
import type { DeviceClock } from './clock.js';
import { failureOf } from './cutRefused.js';
import {
  initialCutState,
  stepCut,
  type CutEffect,
  type CutEvent,
  type CutState,
  type FallbackReason,
} from './cutState.js';

/** A cut as the device handles it: the same object from `prepare` to `release`. */
export type Cut = Readonly<Omit<CutMessage, 'type' | 'phase'>>;

/** What runs, as a hello says it. */
export type RunningCuts = NonNullable<DeviceMessageOf<'hello'>['running']>;

/** What the device does with cuts. Errors become refusals; see `CutRefused` for their code. */
export interface CutHandlers {
  /**
   * Loads what `cut` needs while the cut before goes on. `signal` is aborted when a newer version made this one
   * needless; if it ends all the same, `release` follows. Absent: nothing has to be loaded.
   */
  prepare?(cut: Cut, signal: AbortSignal): Promise<void>;
  /** Switches to `cut`, at once: everything slow belongs into `prepare`. Also ends a fallback to the safe local cut. */
  activate(cut: Cut): void;
  /** Runs the safe local cut (all layers here) in place of `cut`, at once. Only called on end devices. */
  fallBack(cut: Cut, reason: FallbackReason): void;
  /** `cut` is not needed any more, neither here nor by the other tier. */
  release?(cut: Cut): void;
  /** The deployment is gone; its cuts were released. */
  removed?(deploymentId: string): void;
}

export interface DeviceCutsOptions {
  readonly handlers: CutHandlers;
  readonly clock: DeviceClock;
  readonly send: (message: DeviceMessage) => void;
  /** What the device's own code threw where nobody else is told of it. */
  readonly problem: (error: unknown) => void;
  readonly maxDeployments: number;
}

interface Held {
  state: CutState;
  load: { readonly cut: CutMessage; readonly abort: AbortController } | null;
  stopPrevious: (() => void) | null;
}

export class DeviceCuts {
  readonly #held = new Map<string, Held>();
  readonly #queue: { readonly id: string; readonly event: CutEvent }[] = [];
  #isStepping = false;
  #previousCutMs = 0;
  #lastSignMs: number;
  #silentCount = 0;
  #stopTimer: (() => void) | null = null;
  #timerDueMs = Infinity;

  constructor(private readonly options: DeviceCutsOptions) {
    this.#lastSignMs = options.clock.nowMs();
  }

  /** For the hello. */
  get running(): RunningCuts {
    return [...this.#held.values()].flatMap(({ state: { deploymentId, running, fallback } }) =>
      running === null
        ? []
        : [{ deploymentId, version: running.version, ...(fallback.length > 0 ? { fallback: true } : {}) }],
    );
  }

  /** Whether `version` itself serves, not the safe local cut in its place. */
  serves(deploymentId: string, version: number): boolean {
    const state = this.#held.get(deploymentId)?.state;
    return state?.running?.version === version && state.fallback.length === 0;
  }

  set previousCutMs(value: number) {
    this.#previousCutMs = value;
  }

  /** Any frame or ping of the controller. */
  signOfLife(): void {
    this.#lastSignMs = this.options.clock.nowMs();
    if (this.#silentCount === 0) return;
    for (const [id, { state }] of this.#held) if (state.isSilent) this.#step(id, { type: 'sign-of-life' });
    this.#watch();
  }

  disconnected(): void {
    for (const id of this.#held.keys()) this.#step(id, { type: 'disconnected' });
  }

  cut(cut: CutMessage): void {
    const { deploymentId, version } = cut;
    if (!this.#held.has(deploymentId)) {
      const { maxDeployments, send } = this.options;
      if (this.#held.size >= maxDeployments) {
        const message = `this device keeps at most ${maxDeployments} deployments`;
        send({ type: 'nack', deploymentId, version, code: 'too-many-deployments', message });
        return;
      }
      this.#held.set(deploymentId, { state: initialCutState(deploymentId), load: null, stopPrevious: null });
    }
    this.#step(deploymentId, { type: 'cut', cut });
    this.#watch();
  }

  current(deploymentId: string, version: number): void {
    this.#step(deploymentId, { type: 'current', version });
    this.#watch();
  }

  removed(deploymentId: string): void {
    this.#step(deploymentId, { type: 'removed' });
  }

  /** The data plane cannot reach the edge of these deployments. */
  edgeLost(deploymentId: string): void {
    this.#step(deploymentId, { type: 'edge-lost' });
  }

  edgeBack(deploymentId: string): void {
    this.#step(deploymentId, { type: 'edge-back' });
  }

  /** Gives up what is loading and stops all timers; what runs goes on. */
  stop(): void {
    this.#stopTimer?.();
    this.#stopTimer = null;
    for (const { load, stopPrevious } of this.#held.values()) {
      load?.abort.abort();
      stopPrevious?.();
    }
    this.#held.clear();
  }

  /** Handlers may call back in here: what they cause waits until the step at hand is done. */
  #step(id: string, event: CutEvent): void {
    this.#queue.push({ id, event });
    if (this.#isStepping) return;
    this.#isStepping = true;
    try {
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
        this.#take(next.id, next.event);
      }
    } finally {
      this.#isStepping = false;
    }
  }

  #take(id: string, event: CutEvent): void {
    const held = this.#held.get(id);
    if (held === undefined) return;
    const { state, effects } = stepCut(held.state, event);
    this.#silentCount += Number(state.isSilent) - Number(held.state.isSilent);
    held.state = state;
    for (const effect of effects) this.#run(id, held, effect);
    if (event.type !== 'removed') return;
    held.stopPrevious?.();
    this.#held.delete(id);
    this.#guarded(() => this.options.handlers.removed?.(id));
  }

  #run(id: string, held: Held, effect: CutEffect): void {
    const { handlers, send, clock } = this.options;
    switch (effect.do) {
      case 'send':
        send(effect.message);
        break;
      case 'load':
        this.#load(id, held, effect.cut);
        break;
      case 'abort':
        held.load?.abort.abort();
        break;
      case 'activate':
        this.#activate(id, effect.cut);
        break;
      case 'fall-back':
        this.#guarded(() => handlers.fallBack(effect.cut, effect.reason));
        break;
      case 'release':
        this.#guarded(() => handlers.release?.(effect.cut));
        break;
      case 'keep-previous': {
        const { version } = effect.cut;
        held.stopPrevious?.();
        held.stopPrevious = clock.after(this.#previousCutMs, () => {
          this.#step(id, { type: 'previous-over', version });
        });
        break;
      }
    }
  }

  #load(id: string, held: Held, cut: CutMessage): void {
    const abort = new AbortController();
    held.load = { cut, abort };
    const prepare = async (): Promise<void> => this.options.handlers.prepare?.(cut, abort.signal);
    prepare().then(
      () => {
        // a load that was given up, or whose deployment is gone, leaves something to clean up
        if (this.#held.get(id) === held) this.#step(id, { type: 'loaded', cut });
        else this.#guarded(() => this.options.handlers.release?.(cut));
      },
      (error: unknown) => {
        if (this.#held.get(id) !== held) return;
        this.#step(id, { type: 'load-failed', cut, failure: failureOf(error, 'prepare-failed') });
      },
    );
  }

  #activate(id: string, cut: CutMessage): void {
    let event: CutEvent = { type: 'activated', cut };
    try {
      this.options.handlers.activate(cut);
    } catch (error) {
      event = { type: 'activation-failed', cut, failure: failureOf(error, 'activate-failed') };
    }
    // before anything that the handler caused: the state has to know first whether the switch was made
    this.#queue.unshift({ id, event });
  }

  #guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.options.problem(error);
    }
  }

  /** Sets the one timer to when the first cut has held for its time without a sign of life. */
  #watch(): void {
    let dueMs = Infinity;
    for (const { state } of this.#held.values()) {
      if (state.desired === null || state.isSilent) continue;
      dueMs = Math.min(dueMs, this.#lastSignMs + state.desired.timeToLiveMs);
    }
    if (dueMs >= this.#timerDueMs) return;
    this.#stopTimer?.();
    this.#timerDueMs = dueMs;
    const { clock } = this.options;
    this.#stopTimer = clock.after(Math.max(0, dueMs - clock.nowMs()), () => {
      this.#stopTimer = null;
      this.#timerDueMs = Infinity;
      this.#endLives();
      this.#watch();
    });
  }

  #endLives(): void {
    const silentMs = this.options.clock.nowMs() - this.#lastSignMs;
    for (const [id, { state }] of this.#held) {
      const isOver = state.desired !== null && silentMs >= state.desired.timeToLiveMs;
      if (isOver && !state.isSilent) this.#step(id, { type: 'time-to-live-over' });
    }
  }
}
