/** Who takes part in the demo: end devices and edges with their hardware, links and habits. */
import type { Power, Requirements } from '../core/context.js';
import type { LinkKind } from './bandwidthModel.js';
import { createRandom } from './random.js';

export interface EndPlan {
  readonly role: 'end';
  readonly deviceId: string;
  readonly seed: number;
  /** Seconds on this device per second on the machine that the controller runs on. */
  readonly computeRatio: number;
  /** Replaced by a recording where one is given. */
  readonly link: LinkKind;
  readonly power: Power;
  readonly batteryCapacityJoules: number;
  readonly batteryLevel: number;
  /** Watts drawn beside inference, sped up as a demo of half a minute needs it. */
  readonly drainWatts: number;
  readonly freeMemoryBytes: number;
  readonly freeStorageBytes: number;
  /** Which zoo network runs on it, and with which edge. */
  readonly modelName: string;
  readonly edgeId: string;
  readonly requirements: Requirements;
}

export interface EdgePlan {
  readonly role: 'edge';
  readonly deviceId: string;
  readonly seed: number;
  readonly computeRatio: number;
  /** Requests that wait on average when it is busy. */
  readonly busyQueueLength: number;
}

export type DevicePlan = EndPlan | EdgePlan;

export interface FleetPlan {
  readonly ends: readonly EndPlan[];
  readonly edges: readonly EdgePlan[];
}

/**
 * GoogLeNet and ResNet-50 are best left whole on plain links: their inner tensors are about as large as their
 * input, so their cuts jump from one end to the other, and stop between only where a bound asks for it.
 * MobileNetV2 shrinks early, so its best cut also lies inside.
 */
type DemoModel = 'googlenet' | 'resnet-50' | 'mobilenet-v2';

interface Kind {
  /** Which networks devices of this kind run, in turn. */
  readonly models: readonly DemoModel[];
  readonly requirements: Requirements;
  readonly name: string;
  readonly link: LinkKind;
  readonly computeRatio: number;
  readonly power: Power;
  readonly batteryCapacityJoules: number;
  readonly freeMemoryBytes: number;
  readonly freeStorageBytes: number;
}

/**
 * Kinds of end devices. Compute ratios span what phones and embedded boards need for an inference beside one
 * core of a server; power figures are of the order that their data sheets state.
 */
const kinds: readonly Kind[] = [
  {
    name: 'phone',
    link: 'lte',
    computeRatio: 8,
    power: { computeWatts: 3.5, transmitWatts: 1.8, receiveWatts: 1.1, idleWatts: 0.4 },
    batteryCapacityJoules: 54_000,
    freeMemoryBytes: 1.2e9,
    freeStorageBytes: 8e9,
    models: ['mobilenet-v2', 'googlenet'],
    requirements: {},
  },
  {
    name: 'camera',
    link: 'wifi',
    computeRatio: 4,
    power: { computeWatts: 2.5, transmitWatts: 0.9, receiveWatts: 0.6, idleWatts: 0.3 },
    batteryCapacityJoules: 36_000,
    freeMemoryBytes: 250e6,
    // Too little for all of ResNet-50: where the link is poor, it runs as much of it as it can keep.
    freeStorageBytes: 80e6,
    models: ['googlenet', 'resnet-50'],
    requirements: {},
  },
  {
    name: 'car',
    link: '5g-drive',
    computeRatio: 3,
    power: { computeWatts: 12, transmitWatts: 2.5, receiveWatts: 1.4, idleWatts: 2 },
    batteryCapacityJoules: 400_000,
    freeMemoryBytes: 3e9,
    freeStorageBytes: 30e9,
    models: ['resnet-50', 'googlenet'],
    requirements: { latencySeconds: 0.25 },
  },
  {
    name: 'glasses',
    link: '5g-drive',
    computeRatio: 12,
    power: { computeWatts: 1.6, transmitWatts: 1.2, receiveWatts: 0.8, idleWatts: 0.2 },
    batteryCapacityJoules: 6_000,
    freeMemoryBytes: 400e6,
    freeStorageBytes: 2e9,
    models: ['mobilenet-v2'],
    // Through the afternoon on one charge, an inference every two seconds.
    requirements: { batteryLifetimeSeconds: 3 * 3600, inferencesPerSecond: 0.5 },
  },
];

export const mostDevices = 64;

/**
 * The fleet for `deviceCount` end devices; the same seed gives the same fleet.
 * Kinds of devices take turns, and share the edges.
 */
export function planFleet(deviceCount: number, seed: number): FleetPlan {
  const random = createRandom(seed);
  const edgeCount = Math.max(2, Math.ceil(deviceCount / 16));
  const edges = Array.from({ length: edgeCount }, (_, index): EdgePlan => ({
    role: 'edge',
    deviceId: `edge-${index + 1}`,
    seed: seed * 1000 + 500 + index,
    computeRatio: index % 2 === 0 ? 0.3 : 0.6,
    busyQueueLength: index % 2 === 0 ? 2 : 1,
  }));
  const ends = Array.from({ length: deviceCount }, (_, index): EndPlan => {
    const { name, models, requirements, ...hardware } = kinds[index % kinds.length]!;
    const round = Math.floor(index / kinds.length);
    const level = random.between(0.25, 0.95);
    return {
      ...hardware,
      role: 'end',
      deviceId: `${name}-${index + 1}`,
      seed: seed * 1000 + index,
      computeRatio: Number((hardware.computeRatio * random.between(0.85, 1.15)).toFixed(1)),
      batteryLevel: level,
      // One percent of its charge in one to four seconds: an afternoon in half a minute.
      drainWatts: (hardware.batteryCapacityJoules * 0.01) / random.between(1, 4),
      modelName: models[round % models.length]!,
      edgeId: edges[index % edges.length]!.deviceId,
      requirements,
    };
  });
  return { ends, edges };
}
