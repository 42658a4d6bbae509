/**
 * What a request costs with a cut, where a request that the edge does not answer in time is done by the end
 * device itself: it waits `unansweredSeconds` and then runs the whole model there. The first answer counts, so the
 * latency is the least of the predicted one and of waiting plus device-only. Without this, one second without a link
 * would cost infinitely much and nothing could be compared.
 */
import type { Alternative } from '../partitioner.js';

/** Seconds until a request is answered, given the latency of its cut and that of device-only in the same context. */
export function answeredSeconds(
  latencySeconds: number,
  deviceOnlySeconds: number,
  unansweredSeconds: number,
): number {
  return Math.min(latencySeconds, unansweredSeconds + deviceOnlySeconds);
}

/**
 * The same for any objective: the objective's value of the cut, or that of device-only and of the wait. For latency
 * these are seconds.
 */
export function requestCost(
  alternative: Alternative,
  deviceOnly: Alternative,
  unansweredSeconds: number,
): number {
  const { latencySeconds } = alternative.prediction;
  if (latencySeconds < unansweredSeconds + deviceOnly.prediction.latencySeconds)
    return alternative.objectiveValue;
  return deviceOnly.objectiveValue + unansweredSeconds * worthOfSecond(deviceOnly);
}

/** What a second of latency is worth in the unit of the objective: device-only's value per second; 1 for latency. */
export function worthOfSecond({ objectiveValue, prediction }: Alternative): number {
  return prediction.latencySeconds > 0 ? objectiveValue / prediction.latencySeconds : 1;
}
