/** What the search benchmark writes: the shape of its JSON. Times in microseconds unless a name says otherwise. */
import type { ModuleShare } from '../profileSummary.js';

/** Searches of one contender; the cost of reading the clock is taken off. */
export interface Timing {
  readonly p50Us: number;
  readonly p99Us: number;
  readonly meanUs: number;
  readonly samples: number;
  /** Least and largest median of the repeats: how far the machine can be trusted. */
  readonly p50SpreadUs: readonly [number, number];
}

/** Contenders by the name that they have in the JSON. */
export const contenders = [
  'gadsWarm',
  'gadsCold',
  'scan',
  'neurosurgeon',
  'dads',
  'dadsRebuilt',
  'qdmp',
  'qdmpRebuilt',
] as const;
export type Contender = (typeof contenders)[number];

/** What is asked in a mode, see contexts.ts. */
export type ModeName = 'latency' | 'constrained' | 'objectives';

export interface ModeResult {
  readonly mode: ModeName;
  readonly contexts: number;
  /** Contexts in which the bounds keep out what would be best without them. */
  readonly constraintsActive: number;
  /** Contexts in which no cut meets all bounds. */
  readonly infeasible: number;
  readonly mismatches: number;
  /** Contexts whose answer an oracle knew; the rest could not be checked. */
  readonly checked: number;
  readonly gadsWarm: Timing;
  readonly gadsCold: Timing;
  readonly scan: Timing | null;
  readonly visited: { readonly warm: Visited; readonly cold: Visited };
}

/** States and tree nodes that a search looked at. */
export interface Visited {
  readonly p50: number;
  readonly p99: number;
  readonly mean: number;
}

export interface NeighbourEffect {
  /** Steps from one context to the next that were looked at, and those in which the optimum moved. */
  readonly steps: number;
  readonly moves: number;
  /** Moves by distance in the partition state graph: `hops[3]` moves were three hops. */
  readonly hops: readonly number[];
  /** Moves that were farther than was looked for, or not connected. */
  readonly beyond: number;
  /** Steps after which walking to better neighbours alone, without proof, ended at the optimum. */
  readonly walkFoundOptimum: number;
}

/** Decisions on the traces at 1 Hz that a certificate proved, so that no search ran. */
export interface Spared {
  readonly decisions: number;
  readonly withoutSearch: number;
  /** Decisions that were held against the oracle. */
  readonly checked: number;
  readonly mismatches: number;
  /** The whole of a decision: reading the context, certificate or search, prediction. */
  readonly decide: Timing;
}

export interface BuildResult {
  readonly ms: number;
  /** Growth of the resident memory at its peak while the states were built. */
  readonly peakBytes: number;
  /** What stays held. */
  readonly heldBytes: number;
}

export interface ModelResult {
  readonly name: string;
  readonly source: 'zoo' | 'shared' | 'synthetic';
  readonly tiers: number;
  readonly layers: number;
  /** Valid cuts before pruning. A lower bound where `rawCutsAtLeast` is true. */
  readonly rawCuts: number;
  readonly rawCutsAtLeast: boolean;
  /** States kept; 0 where they are too many to hold and each decision is a minimum cut. */
  readonly states: number;
  readonly neighbours: number;
  readonly algorithm: 'gads' | 'min-cut';
  readonly oracle: string;
  readonly contexts: number;
  /** Of the contexts that the oracle judged; null where there is none. */
  readonly mismatches: number | null;
  readonly build: BuildResult;
  /** Over the contexts of mode `latency`, in one interleaved run; null where a contender knows no such problem. */
  readonly search: Readonly<Record<Contender, Timing | null>>;
  /** Mean of the latency of a contender's cut over the least latency. */
  readonly latencyRatio: Readonly<Record<string, number | null>>;
  /** Answers of rivals that claim exactness and were not the optimum. */
  readonly rivalMismatches: Readonly<Record<string, number>>;
  readonly modes: readonly ModeResult[];
  readonly neighbourEffect: {
    readonly walks: NeighbourEffect;
    readonly traces: NeighbourEffect | null;
  } | null;
  readonly spared: Spared | null;
}

export interface GrowthResult {
  /** What grows in the series that this graph belongs to. */
  readonly series: string;
  readonly name: string;
  readonly shape: string;
  readonly layers: number;
  readonly width: number;
  readonly tiers: number;
  readonly rawCuts: number | null;
  readonly states: number;
  readonly build: BuildResult;
  readonly gadsWarm: Timing | null;
  readonly gadsCold: Timing | null;
  readonly scan: Timing | null;
}

/** Where the time of a model's slowest searches under bounds goes, as the engine's own profiler samples it. */
export interface ProfileResult {
  readonly name: string;
  readonly tiers: number;
  /** Searches that were made in turn, over and over. */
  readonly contexts: number;
  readonly meanUs: number;
  /** States and nodes that a search looked at, mean. */
  readonly visited: number;
  readonly functions: readonly ModuleShare[];
}

export interface SearchReport {
  readonly takenAt: string;
  readonly quick: boolean;
  readonly seconds: number;
  readonly machine: {
    readonly cpu: string;
    readonly logicalCores: number;
    readonly memoryBytes: number;
    readonly node: string;
    readonly platform: string;
    /** Load of the last minute when the run began: above 1, others were at work. */
    readonly loadAverage: number;
  };
  readonly settings: {
    readonly contextsPerMode: number;
    readonly repeats: number;
    readonly maxStates: Readonly<Record<'two' | 'three', number>>;
  };
  readonly traces: readonly {
    readonly name: string;
    readonly contexts: number;
    readonly assumed: readonly string[];
  }[];
  readonly models: readonly ModelResult[];
  readonly growth: readonly GrowthResult[];
  /** Of the model with the highest p99; null where none was measured. */
  readonly profile: ProfileResult | null;
  /** Models that took no part, and why. */
  readonly leftOut: readonly { readonly name: string; readonly reason: string }[];
}
