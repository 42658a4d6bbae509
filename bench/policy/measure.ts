/** Replays of all scenarios over all links at all switch costs. */
import type { PolicyParameters } from '../../src/core/policy/parameters.js';
import type { Comparison, PolicyName } from '../../src/core/replay/comparison.js';
import type { CostTable } from '../../src/core/replay/hindsight.js';
import type { BenchLink } from './links.js';
import type { Scenario } from './scenarios.js';

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
      regret: figures.regret,
    })),
    excess: excessOf(comparison, switchSeconds),
  };
}

function excessOf({ promises }: Comparison, switchSeconds: number): Run['excess'] {
  if (promises === null) throw new Error('the default policy was not run');
  const of = ({ totalSeconds, limitSeconds }: typeof promises.deviceOnly, share: number): number =>
    (totalSeconds - limitSeconds) / ((limitSeconds - switchSeconds) / (1 + share));
  return { deviceOnly: of(promises.deviceOnly, 0.02), bestStatic: of(promises.bestStatic, 0.05) };
}

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
