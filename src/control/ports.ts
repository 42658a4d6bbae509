/** What control needs from outside; implemented in store, onnx, metrics and ws, wired in appContext. */
export type { Events } from './events.js';
export { StoreError } from './storeError.js';
import type { AccessStore } from './access/records.js';
import type { LayerGraph, Tensor } from '../core/layerGraph.js';
import type { Partitioner } from '../core/partitioner.js';
import type { PartitionInput } from '../core/stateGraph.js';
import type { Profile, ProfileOptions } from '../core/profile.js';
import type {
  DecisionRecord,
  DeploymentRecord,
  DeviceRecord,
  ModelRecord,
  ProfileRecord,
  Role,
  StoredCut,
  VersionReservation,
} from './records.js';

export interface Clock {
  nowMs(): number;
  monotonicNanoseconds(): bigint;
}

/** Time that does not go back, ms. */
export function monotonicMs(clock: Clock): number {
  return Number(clock.monotonicNanoseconds()) / 1e6;
}

/** A model without its layer graph, which can be large. */
export type ModelSummary = Omit<ModelRecord, 'graph'>;

/**
 * Synchronous, and safe from the end of the process (also by kill -9) at return.
 * Every method throws `StoreError` for an operational failure.
 */
export interface Store extends AccessStore {
  models(): ModelRecord[];
  modelSummaries(): ModelSummary[];
  model(id: string): ModelRecord | null;
  saveModel(model: ModelRecord): void;
  /** Model and profile in one transaction. */
  saveImport(model: ModelRecord, profile: ProfileRecord): void;
  /** Its profiles go with it. @throws StoreError `constraint` while a deployment uses it */
  deleteModel(id: string): void;
  profiles(modelId: string): ProfileRecord[];
  saveProfile(profile: ProfileRecord): void;
  deleteProfile(id: string): void;
  devices(): DeviceRecord[];
  saveDevices(devices: readonly DeviceRecord[]): void;
  deleteDevice(id: string): void;
  deployments(): DeploymentRecord[];
  /** @throws StoreError `version-back` when a newer version is stored, `constraint` when its model is not */
  saveDeployment(deployment: DeploymentRecord): void;
  /** Rows of its decision history stay until they are pruned; a deployment made anew under its id begins one of its own. */
  deleteDeployment(id: string): void;
  /**
   * One transaction: the decisions, and each deployment's version, cut, reports and time of update as the
   * records say (its requirements and tiers stay as saved). A deployment that was deleted meanwhile stays
   * deleted and one stored with a newer version stays as it is; the ids of both are returned.
   * Durable at return; a cut may be pushed to devices only after, or within a reservation that was stored before.
   */
  commit(
    decisions: readonly DecisionRecord[],
    deployments: readonly DeploymentRecord[],
    reservations?: readonly VersionReservation[],
  ): readonly string[];
  reservations(): VersionReservation[];
  /** Every version that was given out is stored. */
  releaseReservations(): void;
  /**
   * Of a deployment that is there, newest first; `beforeId`, a row of it, pages on. Ids rise with time.
   * @throws RangeError where `beforeId` is a row of another deployment
   */
  decisions(
    deploymentId: string,
    page: { limit: number; beforeId?: number | undefined },
  ): (DecisionRecord & { id: number })[];
  /** Deletes the oldest decisions above `keepRows`; returns how many went (bounded per call by `batchRows`). */
  pruneDecisions(keepRows: number, batchRows: number): number;
  /**
   * True while a commit that can wait should: for as long as it takes to copy what little is left of the write-ahead log,
   * so that it can begin anew; longer only where the disk does not keep up. A commit now is none the less right.
   */
  asksToWait(): boolean;
  /** A cheap write probe for readiness. @throws when the database cannot be written */
  probe(): void;
  close(): void;
}

/** An import that the user can be told about in their own words. */
export class ImportRefused extends Error {
  override readonly name = 'ImportRefused';
  constructor(
    /** Stable, kebab-case: `not-onnx`, `truncated`, `sequence-type`, `missing-external-data`, `custom-domain`, `no-opset`, … */
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

export interface ImportResult {
  readonly graph: LayerGraph;
  readonly profile: Profile;
}

/** Imports ONNX files outside this process's main thread. */
export interface ModelImporter {
  /**
   * @throws ImportRefused where the file cannot be imported; any other error is a failure of the importer
   */
  import(
    file: string,
    options: ProfileOptions,
    hooks: { signal?: AbortSignal; progress?: (stage: string, fraction: number) => void },
  ): Promise<ImportResult>;
  close(): Promise<void>;
}

/** Builds partition state graphs outside the main thread; the answer then decides on it, in microseconds. */
export interface PartitionerBuilder {
  /** Rejects as soon as `signal` is aborted. `progress` is told the fraction done, from 0 to 1, rising. */
  build(
    input: PartitionInput,
    hooks: { readonly signal: AbortSignal; readonly progress: (fraction: number) => void },
  ): Promise<Partitioner>;
  close(): Promise<void>;
}

/** The ONNX files of the models, by the hash of their bytes. */
export interface ModelFiles {
  /** Moves an uploaded file to its place; returns that place. */
  keep(uploadedFile: string, sha256: string): Promise<string>;
  /** Where the file is, or null when it is not there. */
  find(sha256: string): Promise<string | null>;
  remove(sha256: string): Promise<void>;
}

/** Why the controller ends the connection of a device; ws gives each a close code. */
export type CloseReason = 'taken-over' | 'shutting-down' | 'revoked';

/** What a device is told about one of its deployments. */
export interface CutNotice {
  readonly deploymentId: string;
  readonly version: number;
  /** `prepare`: load it, the cut before serves on; `active`: switch to it. */
  readonly phase: 'prepare' | 'active';
  readonly tier: Role;
  readonly model: { readonly id: string; readonly name: string; readonly sha256: string };
  readonly cut: StoredCut;
  readonly tensors: readonly Tensor[];
  /** From the edge to the cloud, where the deployment has one. */
  readonly edgeTensors?: readonly Tensor[];
  /** Of the decision that chose this cut, or of the latest one that kept it; null where none is recorded. */
  readonly predictedLatencySeconds: number | null;
}

/** The connection of a device as control sees it; every method returns at once and never throws. */
export interface DeviceConnection {
  /** Replaces a cut of the same deployment that was not sent yet. */
  sendCut(notice: CutNotice): void;
  /** What the device said it runs is what is wanted. */
  sendCurrent(deploymentId: string, version: number): void;
  sendRemoved(deploymentId: string): void;
  close(reason: CloseReason): void;
}
