/** The device's half of the protocol, for programs that run on devices: `import { Device } from 'cutpoint/client'`. */
export { Device, type DeviceEvents, type DeviceIdentity, type DeviceOptions } from './device.js';
export type { Cut, CutHandlers } from './deviceCuts.js';
export { partOf, type CutPart } from './cutPart.js';
export { CutRefused } from './cutRefused.js';
export type { FallbackReason } from './cutState.js';
export type { DeviceClock } from './clock.js';
export type { Ending, ReconnectSettings } from './reconnect.js';
export type { StageSeconds } from './measurements.js';
export type { TelemetryValues } from './telemetryTicker.js';
