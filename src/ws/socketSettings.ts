/** What holds for the connection of each device. */
import type { FrameRateSettings } from './frameRate.js';

export interface SocketSettings extends FrameRateSettings {
  readonly frameBytes: number;
  /** Objects and arrays of a frame that may stand in one another. */
  readonly jsonDepth: number;
  readonly outboxBytes: number;
  readonly helloTimeoutMs: number;
  /** Of one device id, over all of its connections. */
  readonly hellosPerMinute: number;
  readonly helloBurst: number;
  readonly heartbeatMs: number;
  readonly telemetryIntervalMs: number;
  readonly maxDeploymentsPerDevice: number;
  /** A device has this long to prepare a cut. */
  readonly prepareTimeoutMs: number;
  /** For so long a cut holds without a sign of life from here. */
  readonly timeToLiveMs: number;
  /** For so long after a switch a device keeps the cut before. */
  readonly previousCutMs: number;
}
