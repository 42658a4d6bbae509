/** What devices say of the versions of their deployments. */

/** A deployment and version that a device says it runs. */
export interface Running {
  readonly deploymentId: string;
  readonly version: number;
  /** The safe local cut runs in place of it. */
  readonly fallback?: boolean | null | undefined;
}

/** Means over `count` inferences with a version, s; a stage that was not measured is absent. */
export interface Measurement {
  readonly count: number;
  readonly endSeconds?: number | undefined;
  readonly uplinkSeconds?: number | undefined;
  readonly edgeSeconds?: number | undefined;
  readonly downlinkSeconds?: number | undefined;
  /** From the edge to the cloud. */
  readonly edgeUplinkSeconds?: number | undefined;
  readonly cloudSeconds?: number | undefined;
  /** From the cloud to the edge. */
  readonly edgeDownlinkSeconds?: number | undefined;
  readonly latencySeconds?: number | undefined;
}

interface OfVersion {
  readonly deploymentId: string;
  readonly version: number;
}

export type DeviceAnswer = OfVersion &
  (
    | { readonly type: 'prepared' | 'ack' }
    | {
        readonly type: 'nack';
        readonly code: string;
        readonly message?: string | undefined;
        /** The version that still runs; absent: none. */
        readonly running?: number | undefined;
      }
    | { readonly type: 'fallback'; readonly reason: string }
    | ({ readonly type: 'measurement' } & Measurement)
  );

/** Why an answer is not taken. */
export type AnswerRefusal = 'unknown-deployment' | 'unknown-version';
