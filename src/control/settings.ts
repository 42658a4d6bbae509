/** What control is told by the configuration; every cap of what it holds stands here. */
import type { RolloutSettings } from './tierRollout.js';
import type { ProfileOptions } from '../core/profile.js';

export interface ControlSettings {
  readonly limits: {
    readonly maxModels: number;
    readonly maxProfilesPerModel: number;
    readonly maxDevices: number;
    /** Of one device id. */
    readonly hellosPerMinute: number;
    readonly helloBurst: number;
    readonly maxDeployments: number;
    readonly maxDeploymentsPerDevice: number;
    /** Questions of operators that take long, worked on or waiting at once. */
    readonly maxQuestions: number;
  };
  readonly decisions: RolloutSettings & {
    /** Placements of a deployment that are remembered as refused. */
    readonly maxSetAside: number;
    /** Least time between two commits; what is decided meanwhile is committed together, ms. */
    readonly flushMs: number;
    /** Rows that may wait for a commit; at the cap decisions wait too, and telemetry coalesces. */
    readonly queueRows: number;
    /** Least time between two rows of decisions that keep the cut of a deployment, ms; 0: each is a row. */
    readonly keptRowMs: number;
    /** What becomes of cuts while the store takes no writes: they wait for it, or go out on reserved versions. */
    readonly whenStoreFails: 'hold' | 'continue';
    /** Versions reserved ahead per deployment for the latter. */
    readonly reservedVersions: number;
    /** Rows of history kept in the store. */
    readonly keepRows: number;
    /** Deployments decided before other work of the process has its turn. */
    readonly batchDeployments: number;
    /** Time that long computations have in a turn of the event loop, ms. */
    readonly sliceMs: number;
  };
  readonly states: {
    /** State graphs kept while no deployment needs them. */
    readonly maxIdle: number;
  };
  readonly imports: {
    /** Imports that may wait behind the running one. */
    readonly queue: number;
    readonly options: Omit<ProfileOptions, 'inputs'>;
  };
  /** After a start, so long a known edge has to come back before its absence changes a cut, ms. */
  readonly restartGraceMs: number;
}
