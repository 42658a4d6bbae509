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

export const demoModels = ['googlenet', 'resnet-50'] as const;

interface Hardware {
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
const kinds: readonly Hardware[] = [
  {
    name: 'phone',
    link: 'lte',
    computeRatio: 4,
    power: { computeWatts: 3.5, transmitWatts: 1.8, receiveWatts: 1.1, idleWatts: 0.4 },
    batteryCapacityJoules: 54_000,
    freeMemoryBytes: 1.2e9,
    freeStorageBytes: 8e9,
  },
  {
    name: 'camera',
    link: 'wifi',
    computeRatio: 10,
    power: { computeWatts: 2.5, transmitWatts: 0.9, receiveWatts: 0.6, idleWatts: 0.3 },
    batteryCapacityJoules: 36_000,
    freeMemoryBytes: 250e6,
    // Too little for all of ResNet-50: its cut has to leave weights to the edge.
    freeStorageBytes: 80e6,
  },
  {
    name: 'car',
    link: '5g-drive',
    computeRatio: 3,
    power: { computeWatts: 12, transmitWatts: 2.5, receiveWatts: 1.4, idleWatts: 2 },
    batteryCapacityJoules: 400_000,
    freeMemoryBytes: 3e9,
    freeStorageBytes: 30e9,
  },
  {
    name: 'glasses',
    link: '5g-drive',
    computeRatio: 7,
    power: { computeWatts: 1.6, transmitWatts: 1.2, receiveWatts: 0.8, idleWatts: 0.2 },
    batteryCapacityJoules: 6_000,
    freeMemoryBytes: 400e6,
    freeStorageBytes: 2e9,
  },
];

export const mostDevices = 64;

/**
 * The fleet for `deviceCount` end devices; the same seed gives the same fleet.
 * Each model meets each kind of device, and edges are shared.
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
    const { name, ...hardware } = kinds[index % kinds.length]!;
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
      modelName: demoModels[Math.floor(index / 2) % demoModels.length]!,
      edgeId: edges[index % edges.length]!.deviceId,
      requirements: requirementsOf(name),
    };
  });
  return { ends, edges };
}

/** Glasses must get through the afternoon on one charge; a car answers within a quarter of a second. */
function requirementsOf(kind: string): Requirements {
  switch (kind) {
    case 'glasses':
      return { batteryLifetimeSeconds: 3 * 3600, inferencesPerSecond: 1 };
    case 'car':
      return { latencySeconds: 0.25 };
    default:
      return {};
  }
}
