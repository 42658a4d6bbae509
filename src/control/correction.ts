/**
 * How far measured times are from predicted ones, per stage of one deployment: a mean of the logarithm of their ratio
 * that forgets half within 8 measurements. The next predictions are multiplied by it. In memory alone: what was true of
 * a device before a restart of the controller need not be so now, and is measured again soon.
 */
import type { Prediction } from '../core/decision.js';
import type { Measurement } from './deviceAnswer.js';
import type { Corrections } from './records.js';

const halfLifeMeasurements = 8;
const keep = 2 ** (-1 / halfLifeMeasurements);
/** No ratio is taken for more than this, or for less than its inverse: times a telemetry value it stays in range. */
const largestRatio = 1_000;

const stages = ['end', 'uplink', 'edge', 'downlink', 'edgeUplink', 'cloud', 'edgeDownlink'] as const;
export type Stage = (typeof stages)[number];

/** What was measured of a stage, beside what was predicted with the correction that was in use. */
export interface StageSample {
  readonly stage: Stage;
  /** Measured per predicted second; 1: as predicted. */
  readonly ratio: number;
}

export class Correction {
  #ratios: Corrections | null = null;

  /** Measured per predicted second, as far as measured; null before the first measurement. */
  get ratios(): Corrections | null {
    return this.#ratios;
  }

  /**
   * @param prediction of the cut that was measured, made with the corrections `used`
   * @returns the stages that could be compared: those that were measured and predicted to take time
   */
  learn(measurement: Measurement, prediction: Prediction, used: Corrections | null): readonly StageSample[] {
    const samples: StageSample[] = [];
    for (const stage of stages) {
      const measuredSeconds = measurement[`${stage}Seconds`];
      const predictedSeconds = predictedOf(prediction, stage);
      if (measuredSeconds === undefined || !(predictedSeconds > 0 && predictedSeconds < Infinity)) continue;
      const ratio = measuredSeconds / predictedSeconds;
      samples.push({ stage, ratio });
      this.#take(stage, ratio * (used?.[stage] ?? 1));
    }
    return samples;
  }

  #take(stage: Stage, ratio: number): void {
    const before = Math.log(this.#ratios?.[stage] ?? 1);
    const sample = Math.log(Math.min(largestRatio, Math.max(1 / largestRatio, ratio)));
    this.#ratios = { ...this.#ratios, [stage]: Math.exp(before * keep + sample * (1 - keep)) };
  }
}

function predictedOf({ tierSeconds, uplinkSeconds, downlinkSeconds }: Prediction, stage: Stage): number {
  const seconds = {
    end: tierSeconds[0],
    edge: tierSeconds[1],
    cloud: tierSeconds[2],
    uplink: uplinkSeconds[0],
    downlink: downlinkSeconds[0],
    edgeUplink: uplinkSeconds[1],
    edgeDownlink: downlinkSeconds[1],
  };
  return seconds[stage] ?? 0;
}
