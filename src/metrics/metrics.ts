/** What happens, as figures and log lines: one method per event moves both. */
import { collectDefaultMetrics, Registry } from 'prom-client';
import type { Decision } from '../core/decision.js';
import type { DeploymentCounts } from '../control/deployments.js';
import {
  capNames,
  cutAnswerKinds,
  droppedThings,
  refinementOutcomes,
  storeUpkeeps,
  telemetryOutcomes,
  type DroppedThing,
} from '../control/events.js';
import type { Events } from '../control/ports.js';
import type { DecisionReason } from '../control/records.js';
import { storeErrorCodes } from '../control/storeError.js';
import { closeReason, closeReasons } from './closeReason.js';
import { watchDeployments } from './deploymentStates.js';
import { accessEvents, startAccessAtZero } from './accessEvents.js';
import { watchEventLoop } from './eventLoopDelay.js';
import { countsOf, remembered } from './frequent.js';
import { watchHeldConnections } from './heldConnections.js';
import { createInstruments, type Instruments } from './instruments.js';
import { storeEvents } from './storeEvents.js';
import { LogThrottle, type EventLog, type Warn } from './logThrottle.js';

export type { EventLog } from './logThrottle.js';

export interface MetricsOptions {
  readonly log: EventLog;
  /** Version of the product, for `cutpoint_build_info`. */
  readonly version: string;
  /** Most models with a figure of their own. */
  readonly maxModels: number;
  /** How finely the delay of the event loop is sampled. */
  readonly eventLoopResolutionMs: number;
  /** A clock for the log that does not go back. */
  readonly nowMs?: () => number;
}

export interface Metrics extends Events {
  readonly contentType: string;
  /** All figures in Prometheus' text format. */
  readonly render: () => Promise<string>;
  /** How deployments are is asked of `count` from now on, at each scrape. */
  readonly watchDeployments: (count: () => DeploymentCounts) => void;
  /** How many connections are not read is asked of `count` from now on, at each scrape. */
  readonly watchHeldConnections: (count: () => number) => void;
  /** Stops the sampling of the event loop. */
  readonly close: () => void;
}

/** A measured time is told in the log where it is off the prediction by this factor or more. */
const farFactor = 2;

/** Lines of the same kind (a limit hit, a request refused …) are this far apart. */
const SAME_LINE_MS = 1_000;
/** What is a state and no event (frames shed, history at its cap) has a line this often while it lasts. */
const SAME_STATE_MS = 60_000;

function throttled({ log, nowMs }: MetricsOptions, intervalMs: number): Warn {
  const throttle = new LogThrottle(intervalMs, nowMs ?? (() => performance.now()));
  return (level, kind, fields, message) => {
    const unsaid = throttle.admit(kind);
    if (unsaid !== null) log[level](unsaid > 0 ? { ...fields, unsaid } : fields, message);
  };
}

/** A figure that was never moved is 0, not absent: else the first event of its kind shows no increase. */
function startAtZero(instruments: Instruments): void {
  for (const cause of ['nack', 'prepare-timeout']) instruments.cutsSetAside.inc({ cause }, 0);
  for (const outcome of refinementOutcomes) instruments.refinements.inc({ outcome }, 0);
  for (const cap of capNames) instruments.capHits.inc({ cap }, 0);
  for (const code of [...storeErrorCodes, 'other']) instruments.storeFailures.inc({ code }, 0);
  for (const work of storeUpkeeps) instruments.storeUpkeepFailures.inc({ work }, 0);
  for (const outcome of ['ready', 'refused', 'failed']) instruments.imports.inc({ outcome }, 0);
  startAccessAtZero(instruments);
  for (const role of ['end', 'edge', 'cloud']) {
    instruments.connectedDevices.set({ role }, 0);
    instruments.connections.inc({ role }, 0);
    for (const reason of closeReasons) instruments.disconnections.inc({ role, reason }, 0);
  }
}

function deciding(to: Instruments, { log }: MetricsOptions) {
  const rowless = to.rowlessDecisions.series({});
  const frames = countsOf(telemetryOutcomes, (outcome) => to.telemetryFrames.series({ outcome }));
  const searches = remembered((algorithm: Decision['algorithm']) =>
    remembered((reason: DecisionReason) => to.searchDuration.series({ algorithm, reason })),
  );
  const changing = remembered((reason: DecisionReason) => to.decisions.series({ reason, changed: 'true' }));
  const keeping = remembered((reason: DecisionReason) => to.decisions.series({ reason, changed: 'false' }));
  return {
    searchDone: ({ algorithm, reason, nanoseconds }) =>
      searches(algorithm)(reason).observe(nanoseconds / 1e9),
    decision(decision) {
      const { reason, changed, isRow, kept } = decision;
      (changed ? changing : keeping)(reason).inc();
      if (!isRow) rowless.inc();
      if (kept !== null) to.decisionsKept.inc({ why: kept });
      if (changed) log.debug(decision, 'new cut');
    },
    refinement: (outcome) => to.refinements.inc({ outcome }),
    telemetryFrame: (outcome) => frames[outcome].inc(),
    telemetryToPush: (seconds) => to.telemetryToPush.observe(seconds),
  } satisfies Partial<Events>;
}

function deviceEvents(to: Instruments, { log }: MetricsOptions, warn: Warn) {
  const pushed = countsOf(['prepare', 'active'], (phase) => to.cutsPushed.series({ phase }));
  const answers = countsOf(cutAnswerKinds, (kind) => to.cutAnswers.series({ kind }));
  return {
    deviceConnected(device) {
      const { role } = device;
      to.connections.inc({ role });
      to.connectedDevices.inc({ role });
      log.info(device, 'device connected');
    },
    deviceDisconnected(device) {
      const { role, code } = device;
      to.disconnections.inc({ role, reason: closeReason(code) });
      to.connectedDevices.dec({ role });
      log.info(device, 'device disconnected');
    },
    cutPushed(cut) {
      pushed[cut.phase].inc();
      log.debug(cut, 'cut pushed');
    },
    cutSentAgain(cut) {
      to.cutsSentAgain.inc();
      warn('warn', 'sent again', cut, 'no ack of a cut, sent again');
    },
    cutActivated(cut) {
      to.rolloutDuration.observe(cut.seconds);
      log.debug(cut, 'cut runs on all devices that it needs');
    },
    stageMeasured(measured) {
      const { stage, ratio } = measured;
      to.measuredRatio.observe({ stage }, ratio);
      if (ratio > farFactor || ratio < 1 / farFactor) {
        warn('info', `far ${stage}`, measured, 'measured far from predicted, predictions are corrected');
      }
    },
    cutSetAside(refusal) {
      const { cause } = refusal;
      to.cutsSetAside.inc({ cause });
      warn('warn', `set aside ${cause}`, refusal, 'placement set aside, back to the last good cut');
    },
    cutAnswered(answer) {
      const { kind } = answer;
      answers[kind].inc();
      if (kind === 'nack') warn('warn', 'nack', answer, 'device refused a cut');
      else if (kind === 'fallback') warn('warn', 'fallback', answer, 'device runs its safe local cut');
      else log.debug(answer, 'device answered a cut');
    },
  } satisfies Partial<Events>;
}

function modelEvents(to: Instruments, { log, maxModels }: MetricsOptions, denied: Pick<Events, 'capHit'>) {
  /** Name under which the states of a model are shown, by its id. */
  const shown = new Map<string, string>();
  const forget = (modelId: string) => {
    const name = shown.get(modelId);
    if (name === undefined) return;
    to.modelStates.remove({ model_id: modelId, model: name });
    shown.delete(modelId);
  };
  return {
    importDone(done) {
      const { outcome, seconds } = done;
      to.imports.inc({ outcome });
      to.importDuration.observe(seconds);
      if (outcome === 'failed') log.error(done, 'import failed');
      else log.info(done, outcome === 'ready' ? 'model imported' : 'model refused');
    },
    states({ modelId, name, states }) {
      if (shown.get(modelId) !== name) forget(modelId);
      if (!shown.has(modelId) && shown.size >= maxModels) {
        denied.capHit('stateSeries', { modelId });
        return;
      }
      shown.set(modelId, name);
      to.modelStates.set({ model_id: modelId, model: name }, states);
    },
    modelRemoved: forget,
    inventory({ models, devices, deployments, idleStateGraphs, questions }) {
      if (models !== undefined) to.models.set(models);
      if (devices !== undefined) to.devices.set(devices);
      if (deployments !== undefined) to.deployments.set(deployments);
      if (idleStateGraphs !== undefined) to.idleStateGraphs.set(idleStateGraphs);
      if (questions !== undefined) to.questions.set(questions);
    },
  } satisfies Partial<Events>;
}

/** Things given up that are worth a line: the others are what more telemetry than decisions comes to. */
const toldDrops: Partial<Record<DroppedThing, string>> = {
  'shed-telemetry': 'decisions are behind, telemetry is replaced unread by later frames',
  'decision-row': 'rows of the history are given up while the store takes no writes',
};

function denials(to: Instruments, warn: Warn, warnOfState: Warn) {
  const dropped = countsOf(droppedThings, (what) => to.dropped.series({ what }));
  return {
    dropped(what, count = 1) {
      dropped[what].inc(count);
      const line = toldDrops[what];
      if (line !== undefined) warnOfState('warn', `dropped ${what}`, { what }, line);
    },
    refused(what, code, details = {}) {
      to.refused.inc({ what, code });
      warn('info', `refused ${what} ${code}`, { ...details, what, code }, `${what} refused`);
    },
    requestFailed({ operation, code, error }) {
      warn('error', `request ${operation} ${code}`, { err: error, operation, code }, 'request failed');
    },
    capHit(cap, details = {}) {
      to.capHits.inc({ cap });
      warn('warn', `cap ${cap}`, { ...details, cap }, 'limit hit');
    },
  } satisfies Partial<Events>;
}

/** The library samples the event loop too, without end; at this interval, its longest, that costs nothing. */
const NEVER_MS = 2 ** 31 - 1;

function createRegistry(): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: NEVER_MS });
  for (const { name } of registry.getMetricsAsArray()) {
    // of the delay ours is more to the point; to name all sockets takes tens of milliseconds where there are thousands
    if (/^nodejs_(eventloop_lag|active_)/.test(name)) registry.removeSingleMetric(name);
  }
  return registry;
}

/**
 * The figures of one context, in a registry of their own, with those of the process (CPU, memory, files, garbage
 * collection) by the names that Prometheus' own client uses.
 */
export function createMetrics(options: MetricsOptions): Metrics {
  const registry = createRegistry();
  const close = watchEventLoop(registry, options.eventLoopResolutionMs);
  const instruments = createInstruments(registry);
  let countDeployments = (): DeploymentCounts | null => null;
  watchDeployments(registry, () => countDeployments());
  let countHeldConnections = () => 0;
  watchHeldConnections(registry, () => countHeldConnections());
  instruments.buildInfo.set({ version: options.version, node_version: process.version }, 1);
  startAtZero(instruments);
  const warn = throttled(options, SAME_LINE_MS);
  const warnOfState = throttled(options, SAME_STATE_MS);
  const denied = denials(instruments, warn, warnOfState);
  return {
    ...deciding(instruments, options),
    ...deviceEvents(instruments, options, warn),
    ...modelEvents(instruments, options, denied),
    ...storeEvents(instruments, options.log, warn, warnOfState),
    ...accessEvents(instruments, options.log, warn, warnOfState),
    ...denied,
    contentType: registry.contentType,
    render: () => registry.metrics(),
    watchDeployments: (count) => (countDeployments = count),
    watchHeldConnections: (count) => (countHeldConnections = count),
    close,
  };
}
