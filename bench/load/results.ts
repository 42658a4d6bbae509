/** The figures of a load run as they are written. Names that others read are stable. */
import type { ModuleShare } from '../profileSummary.js';
import type { Collections } from './collections.js';
import type { Offered } from './fleet.js';
import type { ProcessFigures } from './processFigures.js';
import type { Quantiles } from './quantiles.js';

/** One stretch of load on one target. */
export interface Trial {
  readonly target: 'ceiling' | 'cutpoint';
  readonly offeredPerSecond: number;
  /** Taken and looked at (cutpoint), parsed and answered (ceiling), in the time of the trial. */
  readonly servedPerSecond: number;
  /** Given up because a newer frame of the same device stands in their place. */
  readonly droppedFrames: number;
  readonly isSustained: boolean;
  /** Share of its core that the server took. */
  readonly serverCpu: number;
  readonly clients: Offered;
}

export interface LoadReport {
  readonly takenAt: string;
  readonly quick: boolean;
  readonly seconds: number;
  readonly machine: {
    readonly cpu: string;
    readonly logicalCores: number;
    readonly memoryBytes: number;
    readonly node: string;
    readonly platform: string;
    readonly loadAverage: number;
    readonly pinned: { readonly server: number; readonly clients: number } | null;
  };
  readonly settings: Readonly<Record<string, string>>;
  readonly devices: number;
  readonly deployments: number;
  readonly models: readonly { readonly name: string; readonly layers: number }[];
  readonly links: { readonly recordings: readonly string[] };
  readonly ceiling: { readonly framesPerSecond: number };
  readonly maximum: {
    readonly framesPerSecond: number;
    /** Of the ceiling. */
    readonly share: number;
    readonly decisionsPerSecond: number;
    readonly cutsPerSecond: number;
  };
  readonly half: {
    readonly framesPerSecond: number;
    readonly telemetryToCutMs: Quantiles | null;
    /** The same of the probes, whose every frame changes the cut. */
    readonly probeMs: Quantiles | null;
    readonly cuts: number;
    readonly seconds: number;
    readonly collections: Collections;
  };
  /** About how many cuts the probes make. */
  readonly probeCutsPerSecond: number;
  readonly overload: {
    readonly offeredPerSecond: number;
    readonly servedPerSecond: number;
    readonly droppedFrames: number;
    readonly p50Ms: number | null;
    readonly p99Ms: number | null;
    readonly probesLost: number;
    readonly probeCuts: number;
    readonly seconds: number;
    /** From the first quarter of the stretch to the last. */
    readonly rssGrowthBytes: number;
    /** Resident bytes over the stretch, one per sample. */
    readonly rssBytes: readonly number[];
    /** The same load as `half`, right after. */
    readonly after: Trial;
  };
  readonly rssPerDeviceBytes: number;
  readonly memory: {
    readonly empty: ProcessFigures;
    readonly connected: ProcessFigures;
    readonly afterHalf: ProcessFigures;
  };
  readonly reconnect: {
    /** From the end of the old process (its last connection gone) to the last welcome of the new one. */
    readonly seconds: number;
    readonly startSeconds: number;
    readonly wrongCuts: number;
    readonly replayedCuts: number;
    readonly devicesBack: number;
  };
  readonly profile: {
    readonly at: string;
    readonly modules: readonly ModuleShare[];
    readonly functions: readonly ModuleShare[];
  };
  readonly trials: readonly Trial[];
  /** What the controller refused of this load: nothing in a sound run. */
  readonly refusals: readonly (readonly [string, number])[];
}
