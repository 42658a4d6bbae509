/** How long each layer takes on one machine: measured, never guessed. */

export type OptimizationLevel = 'disabled' | 'basic' | 'extended' | 'all';

export interface Machine {
  /** Hash of the fields below: two profiles with the same id are comparable. */
  readonly id: string;
  readonly cpuModel: string;
  readonly logicalCores: number;
  readonly architecture: string;
  readonly platform: string;
  readonly memoryBytes: number;
  /** Version of the runtime that executed the model. */
  readonly runtime: string;
}

export interface ProfileOptions {
  readonly optimizationLevel: OptimizationLevel;
  readonly intraOpThreads: number;
  readonly runs: number;
  readonly warmupRuns: number;
  /** Shapes and fill values that inputs with unknown dimensions took; part of what a profile is taken with. */
  readonly inputs: Readonly<Record<string, { readonly shape: readonly number[]; readonly fill?: number }>>;
}

/** Spread of a measured duration over the runs, seconds. */
export interface Spread {
  readonly medianSeconds: number;
  readonly minSeconds: number;
  readonly maxSeconds: number;
}

export interface Profile {
  readonly modelSha256: string;
  readonly machine: Machine;
  readonly options: ProfileOptions;
  /** Same order and length as `LayerGraph.layers`. */
  readonly layers: readonly (Spread & { readonly name: string })[];
  /** The whole model in one run: not the sum of the layers, since a run also has what lies between them. */
  readonly wholeModel: Spread;
}

/**
 * Seconds per layer on one tier, and where they come from. A decision repeats `source`, so that nobody
 * mistakes a scaled profile for a measured one.
 */
export interface TierSeconds {
  readonly seconds: readonly number[];
  readonly source:
    | { readonly kind: 'measured'; readonly machineId: string }
    | { readonly kind: 'scaled'; readonly machineId: string; readonly computeRatio: number };
}

/** The measured seconds of a profile (medians), for the tier whose machine took it. */
export function measuredSeconds(profile: Profile): TierSeconds {
  return {
    seconds: profile.layers.map((layer) => layer.medianSeconds),
    source: { kind: 'measured', machineId: profile.machine.id },
  };
}

/**
 * The seconds of a tier that has no profile of its own: those of `profile` times `computeRatio`
 * (seconds there per second on the profiled machine, > 0; 4 means four times slower).
 */
export function scaledSeconds(profile: Profile, computeRatio: number): TierSeconds {
  if (!(computeRatio > 0) || !Number.isFinite(computeRatio)) {
    throw new RangeError(`computeRatio must be a finite number above 0, not ${computeRatio}`);
  }
  return {
    seconds: profile.layers.map((layer) => layer.medianSeconds * computeRatio),
    source: { kind: 'scaled', machineId: profile.machine.id, computeRatio },
  };
}
