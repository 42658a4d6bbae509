/** How far the build of a partition state graph is. */

/** In the order in which they follow each other, with their usual shares of the time. */
const stages = { states: 0.3, pruning: 0.55, support: 0.15 } as const;
export type BuildStage = keyof typeof stages;

/** Told of the stage and the fraction of it that is done, 0 to 1. @throws to cancel the build */
export type BuildProgress = (stage: BuildStage, fraction: number) => void;

/** Fraction of the whole build that is done, 0 to 1; never falls as a build goes on. */
export function fractionDone(stage: BuildStage, fraction: number): number {
  let before = 0;
  for (const [name, share] of Object.entries(stages)) {
    if (name === stage) return before + share * fraction;
    before += share;
  }
  return before;
}
