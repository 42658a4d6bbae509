/** The controller's answer to a hello: what holds on this connection. */
import { protocolName, type ControllerMessageOf } from '../protocol/messages.js';
import { tooFastMs } from './frameRate.js';
import type { SocketSettings } from './socketSettings.js';

/** @param nowMs by the clock on the wall */
export function welcomeOf(settings: SocketSettings, nowMs: number): ControllerMessageOf<'welcome'> {
  return {
    type: 'welcome',
    protocol: protocolName,
    verdict: 'accepted',
    serverTimeMs: nowMs,
    heartbeatMs: settings.heartbeatMs,
    telemetryIntervalMs: settings.telemetryIntervalMs,
    previousCutMs: settings.previousCutMs,
    limits: {
      frameBytes: settings.frameBytes,
      jsonDepth: settings.jsonDepth,
      framesPerSecond: settings.framesPerSecond,
      frameBurst: settings.frameBurst,
      outboxBytes: settings.outboxBytes,
      deployments: settings.maxDeploymentsPerDevice,
      prepareMs: settings.prepareTimeoutMs,
      helloMs: settings.helloTimeoutMs,
      tooFastMs,
      hellosPerMinute: settings.hellosPerMinute,
      helloBurst: settings.helloBurst,
    },
  };
}
