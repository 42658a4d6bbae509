/** How much load, and for how long. */
import type { ZooName } from '../../src/zoo/zoo.js';

export interface Effort {
  /** Each is an end device, an edge and their deployment. */
  readonly pairs: number;
  readonly probes: number;
  /** Of all probes together: few beside the cuts that the load itself changes. */
  readonly probeCutsPerSecond: number;
  readonly models: readonly ZooName[];
  /** One step of the search for the highest load. */
  readonly trialSeconds: number;
  /** Steps at most, for each of both servers. */
  readonly trials: number;
  readonly warmUpSeconds: number;
  /** At half of the maximum, before that is measured. */
  readonly leadSeconds: number;
  readonly halfSeconds: number;
  readonly overloadSeconds: number;
  readonly profileSeconds: number;
  /** Where the search begins, frames/s. */
  readonly firstGuess: number;
  /** How long devices have to come back after the restart. */
  readonly returnSeconds: number;
}

export const fullEffort: Effort = {
  pairs: 5000,
  probes: 100,
  probeCutsPerSecond: 70,
  models: ['squeezenet-1.1', 'mobilenet-v2', 'googlenet', 'resnet-18'],
  trialSeconds: 8,
  trials: 10,
  warmUpSeconds: 10,
  leadSeconds: 3,
  halfSeconds: 45,
  overloadSeconds: 45,
  profileSeconds: 10,
  firstGuess: 16_000,
  returnSeconds: 60,
};

export const quickEffort: Effort = {
  pairs: 500,
  probes: 25,
  probeCutsPerSecond: 50,
  models: ['squeezenet-1.1', 'mobilenet-v2'],
  trialSeconds: 1.2,
  trials: 4,
  warmUpSeconds: 2,
  leadSeconds: 1,
  halfSeconds: 4,
  overloadSeconds: 4,
  profileSeconds: 2,
  firstGuess: 16_000,
  returnSeconds: 20,
};

/** To see that it runs: its figures say nothing. */
export const tinyEffort: Effort = {
  pairs: 50,
  probes: 5,
  probeCutsPerSecond: 20,
  models: ['squeezenet-1.1'],
  trialSeconds: 0.5,
  trials: 1,
  warmUpSeconds: 0.5,
  leadSeconds: 0.5,
  halfSeconds: 2,
  overloadSeconds: 1.5,
  profileSeconds: 0.5,
  firstGuess: 1_000,
  returnSeconds: 30,
};
