/**
 * Links of the demo: a seeded model of LTE on the move, of WiFi, and of 5G in a driving car.
 *
 * Problem: rates must swing as real ones do, or the best cut would never move; yet the same seed must
 * give the same links everywhere.
 *
 * Model: the logarithm of the uplink rate is a first-order autoregressive process,
 *   x(t + dt) = a x(t) + sigma sqrt(1 - a^2) N(0, 1),  a = exp(-dt / tau),  uplink = median exp(x),
 * so the rate is log-normal around its median and forgets its past within tau. The downlink is the uplink
 * times the ratio usual for the technology. Handovers (for WiFi: contention and roaming) come as a Poisson
 * process; while one lasts, both rates fall to a small share and the round trip gets longer. The round trip
 * also grows as the rate falls below its median, as queues of a busy cell do. The 5G car also leaves and
 * re-enters high-band cells: a second Poisson process switches between two medians.
 *
 * Figures: sigma and tau are set so that the share of consecutive seconds whose rate differs by more than
 * 20 % lies where public recordings have it (LTE and 5G drives 39-64 %, WiFi 14-37 %); a test counts it.
 * Medians are of the order that operators and those recordings report, uplinks well below downlinks.
 *
 * Rejected: replaying a recording by default, which would need a file; `--trace` does it on request.
 */
import type { Link, LinkSample } from './link.js';
import { createRandom } from './random.js';

export type LinkKind = 'lte' | 'wifi' | '5g-drive';
export const linkKinds: readonly LinkKind[] = ['lte', 'wifi', '5g-drive'];

interface LinkModel {
  readonly medianUplinkBitsPerSecond: number;
  /** Downlink per uplink. */
  readonly downlinkRatio: number;
  readonly sigma: number;
  readonly tauSeconds: number;
  readonly medianRttSeconds: number;
  readonly secondsBetweenHandovers: number;
  readonly handoverSeconds: readonly [number, number];
  /** Share of the rate that is left during a handover. */
  readonly handoverRate: readonly [number, number];
  readonly handoverRttSeconds: readonly [number, number];
  /** Rate in a low-band cell as a share of that in a high-band cell, and how long either lasts. */
  readonly bands?: { readonly lowRate: number; readonly secondsInBand: number };
}

const models: Readonly<Record<LinkKind, LinkModel>> = {
  lte: {
    medianUplinkBitsPerSecond: 9e6,
    downlinkRatio: 4,
    sigma: 0.6,
    tauSeconds: 8,
    medianRttSeconds: 0.045,
    secondsBetweenHandovers: 20,
    handoverSeconds: [0.5, 2],
    handoverRate: [0.03, 0.2],
    handoverRttSeconds: [0.1, 0.4],
  },
  wifi: {
    medianUplinkBitsPerSecond: 40e6,
    downlinkRatio: 1.3,
    sigma: 0.35,
    tauSeconds: 8,
    medianRttSeconds: 0.006,
    secondsBetweenHandovers: 25,
    handoverSeconds: [0.5, 3],
    handoverRate: [0.05, 0.3],
    handoverRttSeconds: [0.02, 0.08],
  },
  '5g-drive': {
    medianUplinkBitsPerSecond: 60e6,
    downlinkRatio: 8,
    sigma: 0.7,
    tauSeconds: 10,
    medianRttSeconds: 0.022,
    secondsBetweenHandovers: 12,
    handoverSeconds: [0.3, 1.5],
    handoverRate: [0.01, 0.1],
    handoverRttSeconds: [0.05, 0.3],
    bands: { lowRate: 0.15, secondsInBand: 8 },
  },
};

/** No radio link is slower than this and still a link, nor faster than a gigabit. */
const slowestBitsPerSecond = 50_000;
const fastestBitsPerSecond = 1e9;

/** A link of the given kind; the same seed and the same steps give the same samples. */
export function createModelLink(kind: LinkKind, seed: number): Link {
  const model = models[kind];
  const random = createRandom(seed);
  let x = random.normal() * model.sigma;
  let lowBand = false;
  let handover: { secondsLeft: number; rate: number; rttSeconds: number } | null = null;

  // Probability that a Poisson process with this mean interval fires within the step.
  const fires = (seconds: number, meanSeconds: number): boolean =>
    random.uniform() < 1 - Math.exp(-seconds / meanSeconds);

  function step(seconds: number): void {
    const a = Math.exp(-seconds / model.tauSeconds);
    x = a * x + model.sigma * Math.sqrt(1 - a * a) * random.normal();
    if (model.bands !== undefined && fires(seconds, model.bands.secondsInBand)) lowBand = !lowBand;
    if (handover !== null) {
      handover.secondsLeft -= seconds;
      if (handover.secondsLeft <= 0) handover = null;
    } else if (fires(seconds, model.secondsBetweenHandovers)) {
      handover = {
        secondsLeft: random.between(...model.handoverSeconds),
        rate: random.between(...model.handoverRate),
        rttSeconds: random.between(...model.handoverRttSeconds),
      };
    }
  }

  function measure(): LinkSample {
    const share = Math.exp(x) * (lowBand ? (model.bands?.lowRate ?? 1) : 1) * (handover?.rate ?? 1);
    const uplink = clamp(model.medianUplinkBitsPerSecond * share);
    return {
      uplinkBitsPerSecond: Math.round(uplink),
      downlinkBitsPerSecond: Math.round(clamp(uplink * model.downlinkRatio)),
      rttSeconds: model.medianRttSeconds * Math.max(1, share ** -0.3) + (handover?.rttSeconds ?? 0),
    };
  }

  return {
    advance(seconds) {
      step(seconds);
      return measure();
    },
  };
}

function clamp(bitsPerSecond: number): number {
  return Math.min(fastestBitsPerSecond, Math.max(slowestBitsPerSecond, bitsPerSecond));
}
