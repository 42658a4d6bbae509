/** What the benchmark and the process that measures one model say to one another. */
import type { LayerGraph } from '../../src/core/layerGraph.js';
import type { TraceFile } from './contexts.js';
import type { GrowthResult, ModelResult, ProfileResult } from './results.js';
import type { SyntheticShape } from './synthetic.js';

export interface Effort {
  /** Contexts of the random walk per mode; those of the traces come on top. */
  readonly contexts: number;
  /** Samples taken of each trace, from its start. */
  readonly traceSamples: number;
  readonly repeats: number;
  /** Per contender and mode. */
  readonly warmUpSeconds: number;
  readonly raceSeconds: number;
  /** For checking the answers of one mode. */
  readonly oracleSeconds: number;
  /** The same where the oracle, and the answer itself, are a minimum cut each. */
  readonly cutOracleSeconds: number;
  readonly neighbourSeconds: number;
  readonly maxStates: { readonly two: number; readonly three: number };
}

export interface ModelJob {
  readonly kind: 'model';
  readonly name: string;
  readonly source: 'zoo' | 'shared' | 'synthetic';
  readonly tiers: number;
  readonly graph: LayerGraph;
  readonly seconds: readonly number[];
  readonly traces: readonly TraceFile[];
  readonly effort: Effort;
}

export interface GrowthJob {
  readonly kind: 'growth';
  readonly name: string;
  readonly series: string;
  readonly shape: SyntheticShape;
  readonly tiers: number;
  readonly effort: Effort;
}

export interface ProfileJob extends Omit<ModelJob, 'kind'> {
  readonly kind: 'profile';
  readonly profileSeconds: number;
}

export type Job = ModelJob | GrowthJob | ProfileJob;
export type Reply =
  { readonly model: ModelResult } | { readonly growth: GrowthResult } | { readonly profile: ProfileResult };
