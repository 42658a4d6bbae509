/**
 * What happens in the controller, told once: the implementation moves the counter and writes the log
 * line that belong together. Names in the unions become label values, so they stay few; ids are given for
 * the log line alone and never become labels.
 */
import type { Decision } from '../core/decision.js';
import type { AuditEntry } from './access/records.js';
import type { Rejection } from './access/credential.js';
import type { Stage } from './correction.js';
import type { DecisionReason, Role } from './records.js';

export const telemetryOutcomes = [
  'accepted',
  'invalid', // a value outside its schema: answered with an error that names the field
  'stale', // sequence not above the last one of this boot epoch
  'unexpected', // before the hello, or of a device that is no longer known
] as const;
export type TelemetryOutcome = (typeof telemetryOutcomes)[number];

/** What a device says of a cut. */
export const cutAnswerKinds = ['prepared', 'ack', 'nack', 'fallback', 'measurement'] as const;
export type CutAnswerKind = (typeof cutAnswerKinds)[number];

/** Things given up on purpose because something newer or more important stands in their place. */
export const droppedThings = [
  'superseded-telemetry', // replaced by a later frame before it was looked at
  'shed-telemetry', // the same, unread: decisions were behind
  'superseded-cut', // replaced in an outbox by a later cut of the same deployment
  'too-fast-frame', // of a connection that sends more than it may
  'undeliverable-cut', // its device is not connected; it is told the latest when it is back
  'decision-row', // of the history, while the store takes no writes and cuts go on
  'log-line', // whoever reads the log does not keep up
] as const;
export type DroppedThing = (typeof droppedThings)[number];

export const refinementOutcomes = [
  'better', // another cut, or a smaller gap
  'same',
  'superseded', // the deployment was decided anew meanwhile
] as const;
export type RefinementOutcome = (typeof refinementOutcomes)[number];

/** Requests that were answered with no. */
export type RefusedThing = 'connection' | 'frame' | 'model' | 'profile' | 'deployment' | 'request';

/** Limits of the configuration that something ran into. */
export const capNames = [
  'models',
  'modelBytes',
  'profilesPerModel',
  'devices',
  'connections',
  'deployments',
  'deploymentsPerDevice',
  'frameBytes',
  'framesPerSecond',
  'hellosPerMinute',
  'outboxBytes',
  'restBodyBytes',
  'setAside',
  'decisionQueueRows',
  'reservedVersions',
  'states',
  'idleStateGraphs', // built, needed by no deployment any more, and given up for newer ones
  'importQueue',
  'importSeconds',
  'stateSeries',
  'sockets',
  'strangersPerAddress',
  'trackedAddresses',
  'questions',
  'storeLogBytes',
] as const;
export type CapName = (typeof capNames)[number];

export const storeUpkeeps = [
  'checkpoint', // of the write-ahead log into the database
  'check', // of the whole database for damage
] as const;
export type StoreUpkeep = (typeof storeUpkeeps)[number];

export interface Events {
  searchDone(search: {
    readonly algorithm: Decision['algorithm'];
    readonly reason: DecisionReason;
    readonly nanoseconds: number;
  }): void;
  /** `changed`: the cut is another one than before. */
  decision(decision: {
    readonly deploymentId: string;
    readonly reason: DecisionReason;
    readonly changed: boolean;
    readonly version: number;
    /** Null where the cut in force was confirmed, and nobody asked what it costs now. */
    readonly latencySeconds: number | null;
    readonly optimality: Decision['optimality']['kind'];
    readonly violations: number;
    /** Why another cut than the best one is in force; null where the best one is. */
    readonly kept: string | null;
    /** Whether it becomes a row of the history. */
    readonly isRow: boolean;
  }): void;
  /** A decision that had to keep short was searched on: what came of it. */
  refinement(outcome: RefinementOutcome): void;
  telemetryFrame(outcome: TelemetryOutcome): void;
  /** From the arrival of the frame that caused a new cut to that cut in the outbox of a device. */
  telemetryToPush(seconds: number): void;
  deviceConnected(device: { readonly deviceId: string; readonly role: Role }): void;
  deviceDisconnected(device: {
    readonly deviceId: string;
    readonly role: Role;
    readonly code: number;
    readonly reason: string;
  }): void;
  cutPushed(cut: {
    readonly deploymentId: string;
    readonly deviceId: string;
    readonly version: number;
    readonly phase: 'prepare' | 'active';
  }): void;
  /** A device did not answer in time, or refused what there is nothing else for. */
  cutSentAgain(cut: { readonly deploymentId: string; readonly role: Role; readonly version: number }): void;
  /** All devices that a cut needs run it. */
  cutActivated(cut: {
    readonly deploymentId: string;
    readonly version: number;
    /** Since it was durable. */
    readonly seconds: number;
  }): void;
  /** What a stage took, by what was predicted of it. */
  stageMeasured(measured: {
    readonly deploymentId: string;
    readonly version: number;
    readonly stage: Stage;
    /** Measured per predicted second. */
    readonly ratio: number;
  }): void;
  /** A placement that a device cannot have is left alone for a while. */
  cutSetAside(refusal: {
    readonly deploymentId: string;
    readonly version: number;
    readonly role: Role;
    readonly cause: 'nack' | 'prepare-timeout';
    /** Of the device. */
    readonly code: string;
    /** Times that this placement was refused. */
    readonly count: number;
    /** Until it may be tried again. */
    readonly waitMs: number;
  }): void;
  cutAnswered(answer: {
    readonly kind: CutAnswerKind;
    readonly deploymentId: string;
    readonly deviceId: string;
    readonly version: number;
    /** Reason of a nack or a fallback. */
    readonly code?: string | undefined;
  }): void;
  importDone(done: {
    readonly modelId: string;
    readonly name: string;
    readonly outcome: 'ready' | 'refused' | 'failed';
    readonly seconds: number;
    /** Why not, where the outcome is not `ready`. */
    readonly message?: string | undefined;
  }): void;
  /** States held for a model; the latest graph of the model counts. */
  states(model: { readonly modelId: string; readonly name: string; readonly states: number }): void;
  modelRemoved(modelId: string): void;
  /** How many there are now of each thing that has a cap. */
  inventory(counts: {
    readonly models?: number;
    readonly devices?: number;
    readonly deployments?: number;
    readonly idleStateGraphs?: number;
    /** Of operators, worked on or waiting. */
    readonly questions?: number;
  }): void;
  /** Rows that wait in memory for the next commit. */
  decisionQueue(rows: number): void;
  storeCommitted(commit: { readonly rows: number; readonly seconds: number }): void;
  storeFailed(failure: { readonly operation: string; readonly error: unknown }): void;
  /** The store began or ceased to fail. */
  storeFailing(isFailing: boolean): void;
  /** Work on the database that nobody waits for did not come about; it is tried again, or was for once. */
  storeUpkeepFailed(failure: { readonly work: StoreUpkeep; readonly error: Error }): void;
  /** It was found damaged while it is in use. */
  storeDamaged(error: Error): void;
  /** Of the write-ahead log, what is still to be kept. */
  storeLog(bytes: number): void;
  /** Deployments whose state was not taken: they are stored with a newer version, or are gone. */
  storeRowsRefused(deploymentIds: readonly string[]): void;
  /** A cut went to its devices on a reserved version, before its decision is stored. */
  givenOutUnstored(): void;
  decisionsPruned(rows: number): void;
  /** `limited`: the address failed too often before and is only told to slow down. */
  authenticationFailed(failure: {
    readonly face: 'operator' | 'device';
    readonly reason: Rejection;
    readonly address: string;
    readonly limited: boolean;
  }): void;
  /** Tokens and keys that are refused although the store could not take that yet. */
  revocationsUnstored(count: number): void;
  /** Told once, at the start. */
  anonymousDevices(areTaken: boolean): void;
  /** A change that an operator asked for, with what became of it. */
  audited(entry: AuditEntry): void;
  auditPruned(rows: number): void;
  /** A certificate was loaded (`endsAtMs`: when it ends), or the new one is of no use and the one before stays. */
  certificate(
    loaded: { readonly ok: true; readonly endsAtMs: number } | { readonly ok: false; readonly error: Error },
  ): void;
  dropped(what: DroppedThing, count?: number): void;
  /** `code` is the stable code of the answer; `details` go to the log line. */
  refused(what: RefusedThing, code: string, details?: Readonly<Record<string, unknown>>): void;
  /** A fault of ours or of the store, not of the request. */
  requestFailed(failure: { readonly operation: string; readonly code: string; readonly error: Error }): void;
  capHit(cap: CapName, details?: Readonly<Record<string, unknown>>): void;
}
