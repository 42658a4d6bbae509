/** How far a deployment is, and what it stands on. */
import type { Partitioner } from '../core/partitioner.js';
import type { TierSeconds } from '../core/profile.js';
import type { PartitionerLease } from './partitioners.js';
import type { TierSecondsSource } from './tierSeconds.js';

export type DeploymentStatus =
  | { readonly kind: 'waiting'; readonly missing: readonly string[] }
  /** `fraction` of the work is done, 0 to 1. */
  | { readonly kind: 'building'; readonly fraction: number }
  | { readonly kind: 'failed'; readonly message: string }
  /** Restored after a start; the cut of before stays until the devices had the time to come back. */
  | { readonly kind: 'holding'; readonly missing: readonly string[] }
  | { readonly kind: 'active' };

/** A device could not do what a cut asks; the last one of each tier is kept for the operators. */
export interface Nack {
  readonly version: number;
  readonly code: string;
  readonly message: string | null;
  readonly atMs: number;
}

/** What the decisions of a deployment stand on. */
export interface Basis {
  /** Model, profiles and ratios: equal keys mean equal decisions. */
  readonly key: string;
  readonly lease: PartitionerLease;
  readonly partitioner: Partitioner;
  /** Where the seconds of each tier come from, tier 0 first. */
  readonly sources: readonly TierSeconds['source'][];
  /** Seconds of all layers on each tier, before slowdown. */
  readonly wholeModelSeconds: readonly number[];
}

/** The basis that is being built to replace another. */
export interface PendingBasis {
  readonly key: string;
  readonly lease: PartitionerLease;
  readonly tiers: readonly TierSecondsSource[];
}
