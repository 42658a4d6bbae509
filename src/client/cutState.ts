/**
 * One deployment on one device: what the controller wants, what is loaded, what runs. Pure: an event and a state give
 * the next state and what is to be done, in order; clock, socket and models are elsewhere.
 *
 * Loading takes time and can be given up; switching is one step. So the cut before serves until the new one is loaded.
 */
import type { CutMessage, DeviceMessage } from '../protocol/messages.js';

/** Why the safe local cut runs in place of the version that is wanted. */
export type FallbackReason = 'edge-lost' | 'time-to-live' | 'activation-failed';

/** A load or a switch that went wrong; `code` is kebab-case. */
export interface CutFailure {
  readonly code: string;
  readonly message: string;
}

export interface CutState {
  readonly deploymentId: string;
  /** The latest that the controller said, with its phase. */
  readonly desired: CutMessage | null;
  /** Being loaded now. */
  readonly loading: CutMessage | null;
  /** Loaded, and not switched to yet. */
  readonly loaded: CutMessage | null;
  /** In force; with reasons in `fallback` the safe local cut runs in its place. */
  readonly running: CutMessage | null;
  /** In force before; still answers what the other tier has on its way. */
  readonly previous: CutMessage | null;
  /** Empty: no fallback. */
  readonly fallback: readonly FallbackReason[];
  /** Nothing was heard of the controller for the time to live, and it has not named a version since. */
  readonly isSilent: boolean;
  /** The version that the controller named last on this connection; 0: none yet. */
  readonly confirmed: number;
}

export type CutEvent =
  | { readonly type: 'cut'; readonly cut: CutMessage }
  | { readonly type: 'current'; readonly version: number }
  | { readonly type: 'loaded'; readonly cut: CutMessage }
  | { readonly type: 'load-failed'; readonly cut: CutMessage; readonly failure: CutFailure }
  | { readonly type: 'activated'; readonly cut: CutMessage }
  | { readonly type: 'activation-failed'; readonly cut: CutMessage; readonly failure: CutFailure }
  | { readonly type: 'edge-lost' }
  | { readonly type: 'edge-back' }
  | { readonly type: 'time-to-live-over' }
  | { readonly type: 'sign-of-life' }
  | { readonly type: 'disconnected' }
  | { readonly type: 'previous-over'; readonly version: number }
  | { readonly type: 'removed' };

export type CutEffect =
  /** Load beside what runs; then `loaded` or `load-failed`. */
  | { readonly do: 'load'; readonly cut: CutMessage }
  /** Give a load up; should it end all the same, `loaded` says so and the cut is released. */
  | { readonly do: 'abort'; readonly cut: CutMessage }
  /** Switch to what is loaded, at once; then `activated` or `activation-failed`. */
  | { readonly do: 'activate'; readonly cut: CutMessage }
  /** Run the safe local cut in place of this one, at once. */
  | { readonly do: 'fall-back'; readonly cut: CutMessage; readonly reason: FallbackReason }
  /** This one is not needed any more. */
  | { readonly do: 'release'; readonly cut: CutMessage }
  /** Say `previous-over` after the time that the welcome named. */
  | { readonly do: 'keep-previous'; readonly cut: CutMessage }
  | { readonly do: 'send'; readonly message: DeviceMessage };

export interface CutStep {
  readonly state: CutState;
  readonly effects: readonly CutEffect[];
}

export function initialCutState(deploymentId: string): CutState {
  return {
    deploymentId,
    desired: null,
    loading: null,
    loaded: null,
    running: null,
    previous: null,
    fallback: [],
    isSilent: false,
    confirmed: 0,
  };
}

/** Whether all layers run on the end device: then there is nothing to fall back from. */
function isLocal(cut: CutMessage): boolean {
  return cut.endLayers.length === cut.layerCount;
}

/** Only an end device has all layers; an edge keeps its half ready for whoever still asks. */
function canFallBack(cut: CutMessage): boolean {
  return cut.tier === 'end' && !isLocal(cut);
}

/** What `event` makes of `state`. */
export function stepCut(state: CutState, event: CutEvent): CutStep {
  switch (event.type) {
    case 'cut':
      return told(state, event.cut);
    case 'current':
      if (state.running?.version !== event.version) return { state, effects: [] };
      return regain({ ...state, confirmed: event.version, isSilent: false }, 'time-to-live');
    case 'loaded':
      return loaded(state, event.cut);
    case 'load-failed': {
      if (state.loading !== event.cut) return { state, effects: [] };
      return { state: { ...state, loading: null }, effects: [nack(state, event.cut, event.failure)] };
    }
    case 'activated':
      return activated(state, event.cut);
    case 'activation-failed':
      return activationFailed(state, event.cut, event.failure);
    case 'edge-lost':
      return lose(state, 'edge-lost');
    case 'edge-back':
      return regain(state, 'edge-lost', 'activation-failed');
    case 'time-to-live-over':
      return lose({ ...state, isSilent: true }, 'time-to-live');
    case 'sign-of-life':
      // on a new connection the controller may want something else: it says so at once
      if (state.confirmed !== state.desired?.version) return { state, effects: [] };
      return regain({ ...state, isSilent: false }, 'time-to-live');
    case 'disconnected':
      return { state: { ...state, confirmed: 0 }, effects: [] };
    case 'previous-over':
      if (state.previous?.version !== event.version) return { state, effects: [] };
      return { state: { ...state, previous: null }, effects: [release(state.previous)] };
    case 'removed':
      return removed(state);
  }
}

/** A cut is a state: the same again does no harm and is answered again, an older one is none of ours any more. */
function told(state: CutState, cut: CutMessage): CutStep {
  const known = state.desired?.version ?? 0;
  if (cut.version < known) return { state, effects: [] };
  const effects: CutEffect[] = [];
  let next: CutState = { ...state, desired: cut, confirmed: cut.version, isSilent: false };
  if (cut.version > known) {
    if (next.loading !== null) effects.push({ do: 'abort', cut: next.loading });
    if (next.loaded !== null) effects.push(release(next.loaded));
    next = { ...next, loading: null, loaded: null };
  }
  if (next.running?.version === cut.version) return toldAgain(next, cut, effects);
  if (next.loaded !== null) return advance(next, effects);
  if (next.loading === null) {
    next = { ...next, loading: cut };
    effects.push({ do: 'load', cut });
  }
  return { state: next, effects };
}

function toldAgain(state: CutState, cut: CutMessage, effects: CutEffect[]): CutStep {
  if (cut.phase === 'prepare') effects.push(send('prepared', cut));
  else if (state.fallback.length === 0) effects.push(send('ack', cut));
  else {
    const step = regain(state, 'time-to-live', 'activation-failed');
    const [reason] = step.state.fallback;
    // the edge is still gone: an ack would say what is not so
    const answer = reason !== undefined && step.effects.length === 0 ? [fallback(cut, reason)] : [];
    return { state: step.state, effects: [...effects, ...step.effects, ...answer] };
  }
  return { state, effects };
}

function loaded(state: CutState, cut: CutMessage): CutStep {
  // given up before it ended
  if (state.loading !== cut) return { state, effects: [release(cut)] };
  return advance({ ...state, loading: null, loaded: cut }, []);
}

/** What is loaded is switched to when that is wanted, else the controller is told that it could be. */
function advance(state: CutState, effects: CutEffect[]): CutStep {
  const { desired, loaded: ready } = state;
  if (desired === null || ready === null) return { state, effects };
  if (desired.phase === 'prepare') effects.push(send('prepared', desired));
  else if (maySwitch(state, ready)) effects.push({ do: 'activate', cut: ready });
  return { state, effects };
}

/** Without contact what was wanted may be long past: the safe local cut is right then. */
function maySwitch({ isSilent }: CutState, cut: CutMessage): boolean {
  return !isSilent || !canFallBack(cut);
}

function activated(state: CutState, cut: CutMessage): CutStep {
  const ack = send('ack', cut);
  if (state.running?.version === cut.version) return { state: { ...state, fallback: [] }, effects: [ack] };
  const effects: CutEffect[] = [];
  if (state.previous !== null) effects.push(release(state.previous));
  effects.push(ack);
  if (state.running !== null) effects.push({ do: 'keep-previous', cut: state.running });
  return {
    state: { ...state, loaded: null, running: cut, previous: state.running, fallback: [] },
    effects,
  };
}

function activationFailed(state: CutState, cut: CutMessage, failure: CutFailure): CutStep {
  if (state.running?.version === cut.version) {
    // the safe local cut goes on until the controller says otherwise
    return {
      state: { ...state, fallback: ['activation-failed'] },
      effects: [nack(state, cut, failure)],
    };
  }
  return { state: { ...state, loaded: null }, effects: [release(cut), nack(state, cut, failure)] };
}

function lose(state: CutState, reason: FallbackReason): CutStep {
  const { running } = state;
  if (running === null || !canFallBack(running) || state.fallback.includes(reason))
    return { state, effects: [] };
  const next = { ...state, fallback: [...state.fallback, reason] };
  if (state.fallback.length > 0) return { state: next, effects: [] };
  return { state: next, effects: [{ do: 'fall-back', cut: running, reason }, fallback(running, reason)] };
}

/** Reasons are gone: the device switches to what is wanted, or, with the last of them, goes on with what it ran. */
function regain(state: CutState, ...reasons: FallbackReason[]): CutStep {
  const left = state.fallback.filter((reason) => !reasons.includes(reason));
  const next = { ...state, fallback: left };
  const { desired, loaded: ready, running } = next;
  if (ready !== null && desired?.phase === 'active' && maySwitch(next, ready)) {
    // until that switch is made the safe local cut runs, and goes on if it fails: the reasons end with `activated`
    return { state, effects: [{ do: 'activate', cut: ready }] };
  }
  const isOver = running !== null && state.fallback.length > 0 && left.length === 0;
  return { state: next, effects: isOver ? [{ do: 'activate', cut: running }] : [] };
}

function removed(state: CutState): CutStep {
  const effects: CutEffect[] = [];
  if (state.loading !== null) effects.push({ do: 'abort', cut: state.loading });
  for (const cut of [state.loaded, state.previous, state.running]) {
    if (cut !== null) effects.push(release(cut));
  }
  return { state: initialCutState(state.deploymentId), effects };
}

function release(cut: CutMessage): CutEffect {
  return { do: 'release', cut };
}

function send(type: 'prepared' | 'ack', { deploymentId, version }: CutMessage): CutEffect {
  return { do: 'send', message: { type, deploymentId, version } };
}

function fallback({ deploymentId, version }: CutMessage, reason: FallbackReason): CutEffect {
  return { do: 'send', message: { type: 'fallback', deploymentId, version, reason } };
}

const longestMessage = 500;

function nack(
  { running, fallback }: CutState,
  { deploymentId, version }: CutMessage,
  failure: CutFailure,
): CutEffect {
  return {
    do: 'send',
    message: {
      type: 'nack',
      deploymentId,
      version,
      code: failure.code,
      message: failure.message.slice(0, longestMessage),
      ...(running === null || fallback.length > 0 ? {} : { running: running.version }),
    },
  };
}
