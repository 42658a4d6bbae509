/** What a simulated device measures of itself, step by step: CPU bursts, a draining battery, a queue. Seeded. */
import type { Telemetry } from '../control/records.js';
import type { EdgePlan, EndPlan } from './fleetPlan.js';
import type { Link } from './link.js';
import { createRandom, type Random } from './random.js';

/** Moves on by `seconds` (> 0) and measures. */
export type Measure = (seconds: number) => Telemetry;

/** CPU load that idles low and now and then is busy for a few seconds. */
function cpuLoad(random: Random, busyLoad: readonly [number, number]): (seconds: number) => number {
  let busy = { secondsLeft: 0, load: 0 };
  return (seconds) => {
    busy.secondsLeft -= seconds;
    if (busy.secondsLeft <= 0 && random.uniform() < 1 - Math.exp(-seconds / 8)) {
      busy = { secondsLeft: random.between(1.5, 5), load: random.between(...busyLoad) };
    }
    const base = busy.secondsLeft > 0 ? busy.load : random.between(0.02, 0.12);
    return Math.min(0.95, Math.max(0, base + 0.02 * random.normal()));
  };
}

export function endDevice(plan: EndPlan, link: Link): Measure {
  const random = createRandom(plan.seed);
  const nextLoad = cpuLoad(random, [0.35, 0.75]);
  let level = plan.batteryLevel;
  let charging = false;
  return (seconds) => {
    const perSecond = plan.drainWatts / plan.batteryCapacityJoules;
    level += seconds * (charging ? 3 * perSecond : -perSecond);
    // Someone plugs it in before it goes dark, and unplugs it when it is nearly full.
    if (level < 0.08) charging = true;
    if (level > 0.9) charging = false;
    level = Math.min(1, Math.max(0, level));
    return {
      ...link.advance(seconds),
      cpuLoad: nextLoad(seconds),
      freeMemoryBytes: Math.round(plan.freeMemoryBytes * random.between(0.9, 1)),
      freeStorageBytes: plan.freeStorageBytes,
      battery: { level, charging },
      temperatureCelsius: Number((31 + 8 * random.uniform()).toFixed(1)),
    };
  };
}

export function edgeServer(plan: EdgePlan): Measure {
  const random = createRandom(plan.seed);
  const nextLoad = cpuLoad(random, [0.3, 0.7]);
  return (seconds) => {
    const load = nextLoad(seconds);
    // A queue builds up only when the server is busy.
    const queueLength = load > 0.25 ? Math.round(random.between(0, 2 * plan.busyQueueLength)) : 0;
    return { cpuLoad: load, queueLength, freeMemoryBytes: 16e9, freeStorageBytes: 200e9 };
  };
}
