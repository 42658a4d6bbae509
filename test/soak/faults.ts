/** What was done to the controller, counted: a fault that never happened was not survived. */

export class Faults {
  readonly counts: Record<string, number> = {};

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
