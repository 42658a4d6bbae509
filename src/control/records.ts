/** What the controller remembers: the nouns that the store keeps and the operators read. */
import type { Battery, Context, Power, Requirements } from '../core/context.js';
import type { LayerGraph } from '../core/layerGraph.js';
import type { Profile, ProfileOptions, TierSeconds } from '../core/profile.js';
import type { Decision } from '../core/decision.js';
import type { VerdictReason } from '../core/policy/policy.js';

/** A tier; the cloud is the one that a deployment may have or not. */
export type Role = 'end' | 'edge' | 'cloud';

export interface ModelRecord {
  readonly id: string;
  readonly name: string;
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly status: 'importing' | 'ready' | 'failed';
  /** Why the import was refused, in the user's words; null unless status is `failed`. */
  readonly error: { readonly code: string; readonly message: string } | null;
  /** Null until status is `ready`. */
  readonly graph: LayerGraph | null;
  readonly options: ProfileOptions;
  readonly createdAtMs: number;
}

export interface ProfileRecord {
  readonly id: string;
  readonly modelId: string;
  /** `import`: taken by this controller; `upload`: taken elsewhere by `cutpoint model profile`. */
  readonly origin: 'import' | 'upload';
  readonly profile: Profile;
  readonly createdAtMs: number;
}

/** What a device says of itself in its hello. */
export interface DeviceDescription {
  readonly role: Role;
  /** Machine id of a profile taken there; a profile uploaded with this id is then used for its tier. */
  readonly machineId?: string | undefined;
  /** Seconds there per second on the controller's own machine, used where no profile of that machine is known. */
  readonly computeRatio?: number | undefined;
  readonly power?: Power | undefined;
  readonly batteryCapacityJoules?: number | undefined;
  readonly agent?: string | undefined;
  /** What the device can do beyond the least, as it names it. */
  readonly capabilities?: readonly string[] | undefined;
  /** SHA-256 of the model files that are on the device. */
  readonly models?: readonly string[] | undefined;
  /** For how long serving stops when the device switches to another cut. */
  readonly switchSeconds?: number | undefined;
}

export interface DeviceRecord {
  readonly id: string;
  readonly description: DeviceDescription;
  readonly firstSeenAtMs: number;
  readonly lastSeenAtMs: number;
}

/** Latest telemetry of a device; each value is absent until it was measured. */
export interface Telemetry {
  readonly uplinkBitsPerSecond?: number | undefined;
  readonly downlinkBitsPerSecond?: number | undefined;
  readonly rttSeconds?: number | undefined;
  /** 0 to 1 (exclusive); a slowdown that is given wins over it. */
  readonly cpuLoad?: number | undefined;
  readonly slowdown?: number | undefined;
  readonly freeMemoryBytes?: number | undefined;
  readonly freeStorageBytes?: number | undefined;
  readonly battery?: Pick<Battery, 'level' | 'charging'> | undefined;
  readonly temperatureCelsius?: number | undefined;
  readonly queueLength?: number | undefined;
  readonly meanServiceSeconds?: number | undefined;
}

/** Which profile a tier of a deployment uses; both absent: what the device said in its hello. */
export interface TierBinding {
  readonly deviceId: string;
  readonly profileId?: string | undefined;
  readonly computeRatio?: number | undefined;
}

export interface DeploymentRecord {
  readonly id: string;
  readonly modelId: string;
  readonly end: TierBinding;
  readonly edge: TierBinding;
  /** Absent: two tiers. */
  readonly cloud?: TierBinding | undefined;
  readonly requirements: Requirements;
  /** Version of the desired cut; 0 before the first one. Never goes back. */
  readonly version: number;
  /** The desired cut; null before the first decision. */
  readonly cut: StoredCut | null;
  /** Version that each tier said last that it runs; null: none. Without a cloud it has no field here. */
  readonly reported: {
    readonly end: number | null;
    readonly edge: number | null;
    readonly cloud?: number | null;
  };
  /** What all tiers that it needs ran last; null before that. A cut that is refused gives way to it. */
  readonly lastGood: VersionedCut | null;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

/** Versions of a deployment up to `untilVersion` may be known to devices though the store has no row of them. */
export interface VersionReservation {
  readonly deploymentId: string;
  readonly untilVersion: number;
}

/** A cut as it is kept and sent: independent of how states are numbered in memory. */
export interface StoredCut {
  /** Indices of the layers that run on the end device, ascending. */
  readonly endLayers: readonly number[];
  readonly layerCount: number;
  /** Names of the tensors that leave the end device, in the order of the layer graph. */
  readonly tensors: readonly string[];
  /** With three tiers: the layers on the edge, ascending; the rest runs in the cloud. Absent: the edge has the rest. */
  readonly edgeLayers?: readonly number[];
  /** With three tiers: names of the tensors that leave the edge for the cloud. */
  readonly edgeTensors?: readonly string[];
}

export interface VersionedCut {
  readonly version: number;
  readonly cut: StoredCut;
}

export type DecisionReason =
  | 'deployed' // first decision of a deployment
  | 'requirements' // an operator changed what is asked
  | 'telemetry'
  | 'device-connected'
  | 'device-disconnected'
  | 'profile' // another profile became the basis
  | 'tiers' // an operator took the cloud away that the cut has layers in
  | 'restart'
  | 'nack' // a device refused the cut in force, or did not prepare it in time
  | 'retry' // the wait after a refusal is over
  | 'measurement' // measured times correct the predictions
  | 'refinement'; // searched on where a decision had to keep short

/** Measured seconds per predicted second of a stage; a stage that was not measured is absent. */
export interface Corrections {
  readonly end?: number;
  readonly uplink?: number;
  readonly edge?: number;
  readonly downlink?: number;
  /** From the edge to the cloud. */
  readonly edgeUplink?: number;
  readonly cloud?: number;
  /** From the cloud to the edge. */
  readonly edgeDownlink?: number;
}

/** Whether the cut that was found was followed, and why or why not. */
export interface SwitchingRecord {
  readonly reason: VerdictReason | 'asked' | 'set-aside';
  /** What a switch costs, s; null: nobody states it, and it is taken to cost nothing. */
  readonly switchSeconds: number | null;
  /** Of the cut in force, where it is another one than the best; null where the best one is in force. */
  readonly kept:
    | ({ readonly why: 'not-worth-the-switch' | 'set-aside' | 'cloud-gone' | VerdictReason } & Pick<
        Decision,
        'objectiveValue' | 'prediction' | 'violations'
      >)
    | null;
}

/** One row of the decision history. */
export interface DecisionRecord {
  readonly deploymentId: string;
  readonly atMs: number;
  readonly reason: DecisionReason;
  readonly versionBefore: number;
  readonly versionAfter: number;
  readonly cutBefore: StoredCut | null;
  readonly cutAfter: StoredCut;
  readonly context: Context;
  /** The best cut in the context; `cutAfter` is another one where `switching.kept` is given. */
  readonly decision: Decision;
  /** Null for decisions that were recorded before switches were weighed. */
  readonly switching: SwitchingRecord | null;
  /** Where the seconds of each tier come from. */
  readonly secondsSources: readonly TierSeconds['source'][];
  /** By which measurements corrected the speeds and rates of the context; null where nothing was measured. */
  readonly corrections: Corrections | null;
  readonly searchNanoseconds: number;
  /** Decisions since the row before that kept the cut and have no row of their own. */
  readonly keptBefore: number;
}
