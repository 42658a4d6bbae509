/** Replays of all scenarios over all links at all switch costs. */
import type { PolicyParameters } from '../../src/core/policy/parameters.js';
import type { Placement } from '../../src/core/decision.js';
import { samePlacement } from '../../src/core/policy/policy.js';
import type { Comparison, Kept, PolicyName } from '../../src/core/replay/comparison.js';
import type { Figures } from '../../src/core/replay/figures.js';
import type { CostTable } from '../../src/core/replay/hindsight.js';
import type { BenchLink } from './links.js';
import type { Scenario } from './scenarios.js';
import { deadEnd, type DeadEnd } from './twins.js';

export const switchCosts = [0, 0.05, 0.6, 6] as const;
export const unansweredSeconds = 1;

export interface Pair {
  readonly scenario: Scenario;
  readonly link: BenchLink;
  readonly table: CostTable;
}

export interface Run {
  readonly scenario: string;
  readonly link: string;
  readonly half: BenchLink['half'];
  readonly kind: BenchLink['kind'];
  readonly seconds: number;
  readonly switchSeconds: number;
  readonly policies: readonly {
    readonly name: PolicyName;
    readonly meanSeconds: number;
    readonly p95Seconds: number;
    readonly p99Seconds: number;
    readonly unansweredShare: number;
    readonly switchesPerMinute: number;
    readonly regret: number;
  }[];
  /** By how much of device-only's, or of the best static cut's, total the default policy is above its limit; below 0 where it kept it. */
  readonly excess: { readonly deviceOnly: number; readonly bestStatic: number };
  /** The same in seconds. */
  readonly excessSeconds: { readonly deviceOnly: number; readonly bestStatic: number };
  /** Where all policies were run and a promise was broken: where no policy could keep both on the link and on its twins, with any first cut and with the one taken. */
  readonly deadEnds: { readonly whateverFirst: DeadEnd | null; readonly afterFirst: DeadEnd | null } | null;
}

/** Contexts of its own, so that what a model remembers of them goes with the pair. */
export function pairOf(scenario: Scenario, link: BenchLink): Pair {
  const contexts = link.contexts.map((context) => ({ ...context }));
  return {
    scenario,
    link: { ...link, contexts },
    table: scenario.bench.table(contexts, { unansweredSeconds }),
  };
}

export function pairsOf(scenarios: readonly Scenario[], links: readonly BenchLink[]): Pair[] {
  return scenarios.flatMap((scenario) => links.map((link) => pairOf(scenario, link)));
}

export function measure(
  { scenario, link, table }: Pair,
  switchSeconds: number,
  parameters: PolicyParameters,
  names?: readonly PolicyName[],
): Run {
  const rules = { switchSeconds, unansweredSeconds, chargeFirstCut: false };
  const comparison = scenario.bench.compare(link.contexts, table, rules, parameters, names);
  return {
    scenario: scenario.name,
    link: link.name,
    half: link.half,
    kind: link.kind,
    seconds: link.contexts.length,
    switchSeconds,
    policies: comparison.runs.map(({ name, figures }) => ({
      name,
      meanSeconds: figures.meanSeconds,
      p95Seconds: figures.p95Seconds,
      p99Seconds: figures.p99Seconds,
      unansweredShare: figures.unansweredShare,
      switchesPerMinute: figures.switchesPerMinute,
      regret: regretOf(figures),
    })),
    ...excessOf(comparison, switchSeconds),
    deadEnds: names === undefined ? deadEndsOf(comparison, table, switchSeconds) : null,
  };
}

/** No run here has requirements. */
function regretOf({ regret }: Figures): number {
  if (regret === null) throw new Error('a cut breaks a requirement');
  return regret;
}

function excessOf({ promises }: Comparison, switchSeconds: number): Pick<Run, 'excess' | 'excessSeconds'> {
  if (promises === null) throw new Error('the default policy was not run');
  const { deviceOnly, bestStatic } = promises;
  if (deviceOnly === null) throw new Error('device-only breaks a requirement');
  const above = ({ totalSeconds, limitSeconds }: Kept): number => totalSeconds - limitSeconds;
  const shareOf = (kept: Kept, share: number): number =>
    above(kept) / ((kept.limitSeconds - switchSeconds) / (1 + share));
  return {
    excess: {
      deviceOnly: shareOf(deviceOnly, promisedShares.deviceOnlyShare),
      bestStatic: shareOf(bestStatic, promisedShares.bestStaticShare),
    },
    excessSeconds: { deviceOnly: above(deviceOnly), bestStatic: above(bestStatic) },
  };
}

function deadEndsOf(
  { promises, runs }: Comparison,
  table: CostTable,
  switchSeconds: number,
): Run['deadEnds'] {
  if (promises === null || (promises.deviceOnly?.kept !== false && promises.bestStatic.kept)) return null;
  const first = runs.find(({ name }) => name === 'default')?.steps[1]?.placement;
  const limits = { switchSeconds, ...promisedShares };
  return {
    whateverFirst: deadEnd(table, limits, null),
    afterFirst: deadEnd(table, limits, first === undefined ? null : cutOf(table, first)),
  };
}

/** Where a cut that no sequence needs was taken, any other is no worse. */
function cutOf(table: CostTable, placement: Placement): number | null {
  for (let cut = 0; cut < table.cuts; cut++) {
    if (samePlacement(table.placementOf(cut), placement)) return cut;
  }
  return null;
}

/** As src/core/replay/comparison.ts has them. */
const promisedShares = { deviceOnlyShare: 0.02, bestStaticShare: 0.05 } as const;

/** Rounding does not break a promise. */
export const isBroken = (excess: number): boolean => excess > 1e-9;

/**
 * What the choice of parameters minimises: the mean regret of the default policy in percent, and for each promise
 * what breaking it would weigh, faded in around the limit, since one second more or less decides there and says
 * nothing of the next link. Recorded and seeded links weigh the same.
 */
export function lossOf(runs: readonly Run[]): number {
  const kinds = [...new Set(runs.map(({ kind }) => kind))];
  const lossOfKind = (kind: Run['kind']): number => {
    const some = runs.filter((run) => run.kind === kind);
    const sum = some.reduce((total, { policies, excess }) => {
      const broken = [excess.deviceOnly, excess.bestStatic].map(
        (share) => brokenWeight / (1 + Math.exp(-share / fadeShare)) + 100 * Math.max(0, share),
      );
      return total + 100 * policies[0]!.regret + broken[0]! + broken[1]!;
    }, 0);
    return sum / some.length;
  };
  return kinds.reduce((sum, kind) => sum + lossOfKind(kind), 0) / kinds.length;
}

/** A broken promise weighs as much as so many percent of regret. */
const brokenWeight = 20;
const fadeShare = 0.02;
