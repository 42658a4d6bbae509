/** What was done to the controller, counted: a fault that never happened was not survived. */

import type { Chance } from './random.js';

export class Faults {
  readonly counts: Record<string, number> = {};

  /** True for a fault that has not happened yet, else with probability `share`: no run is without one of its kind. */
  due(name: string, share: number, chance: Chance): boolean {
    const isDue = this.counts[name] === undefined || chance.happens(share);
    if (isDue) this.count(name);
    return isDue;
  }

  count(name: string): void {
    this.counts[name] = (this.counts[name] ?? 0) + 1;
  }
}

/** Every kind that a run must have had. */
export const faultKinds = [
  'proxy cut',
  'proxy reset',
  'proxy stall',
  'proxy delay',
  'proxy split',
  'refused prepare',
  'refused activate',
  'prepare that hangs',
  'edge flaps',
  'id taken over',
  'token revoked',
  'duplicate telemetry',
  'reordered telemetry',
  'slow reader',
  'too fast sender',
  'oversized frame',
  'deeply nested frame',
  'compressed bomb',
  'upgrade without credentials',
  'silent socket',
  'clock jump',
  'requirements changed',
  'deployment made and deleted',
] as const;
