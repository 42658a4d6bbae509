/** Runs put together: mean regrets, and how many promises were kept. */
import { policyNames, type PolicyName } from '../../src/core/replay/comparison.js';
import { isBroken, switchCosts, type Run } from './measure.js';

/** Policies that see no more than the past. */
export const causalNames: readonly PolicyName[] = policyNames.filter(
  (name) => name !== 'best-static' && name !== 'clairvoyant',
);

export type PromiseName = 'deviceOnly' | 'bestStatic';

export interface Group {
  readonly title: string;
  readonly runs: readonly Run[];
}

/** The half that is reported first; all of them after it. */
export function groupsOf(runs: readonly Run[]): Group[] {
  const recorded = runs.filter(({ kind }) => kind === 'recorded');
  const seeded = runs.filter(({ kind }) => kind === 'seeded');
  const reported = (some: readonly Run[]): Run[] => some.filter(({ half }) => half === 'report');
  return [
    { title: 'recorded, reported half', runs: reported(recorded) },
    { title: 'recorded, all', runs: recorded },
    { title: 'seeded, reported half', runs: reported(seeded) },
    { title: 'seeded, all', runs: seeded },
  ].filter(({ runs: some }, i, all) => some.length > 0 && some.length !== all[i - 1]?.runs.length);
}

/** Mean over links and models of the regret against the clairvoyant, a share. */
export function meanRegret(runs: readonly Run[], name: PolicyName, switchSeconds: number): number {
  const regrets = runs
    .filter((run) => run.switchSeconds === switchSeconds)
    .map(({ policies }) => policies.find((policy) => policy.name === name)!.regret);
  return regrets.reduce((sum, regret) => sum + regret, 0) / regrets.length;
}

export function keptCount(runs: readonly Run[], promise: PromiseName): number {
  return runs.filter(({ excess }) => !isBroken(excess[promise])).length;
}

/** The causal policy other than the default one with the least mean regret. */
export function bestRival(runs: readonly Run[], switchSeconds: number): { name: PolicyName; regret: number } {
  return causalNames
    .filter((name) => name !== 'default')
    .map((name) => ({ name, regret: meanRegret(runs, name, switchSeconds) }))
    .reduce((best, other) => (other.regret < best.regret ? other : best));
}

/** What `--json` says beside the runs. */
export function summaryOf(runs: readonly Run[]) {
  return groupsOf(runs).map(({ title, runs: some }) => ({
    title,
    runs: some.length,
    keptDeviceOnly: keptCount(some, 'deviceOnly'),
    keptBestStatic: keptCount(some, 'bestStatic'),
    regret: switchCosts.map((switchSeconds) => ({
      switchSeconds,
      ...Object.fromEntries(policyNames.map((name) => [name, meanRegret(some, name, switchSeconds)])),
    })),
  }));
}
