/** The default policy with one of its parts taken out, to see what the part is worth. */
import type { PolicyParameters } from '../../src/core/policy/parameters.js';

interface Ablation {
  readonly name: string;
  readonly parameters: PolicyParameters;
}

export function ablations(whole: PolicyParameters): Ablation[] {
  return [
    { name: 'whole', parameters: whole },
    // What is better now is taken to be over with the next sample: only means count.
    { name: 'without forecast', parameters: { ...whole, persistence: 0.2, persistenceSamples: 1e6 } },
    // A window of one sample: no means, no sums of what was paid but since the beginning.
    { name: 'without ledger', parameters: { ...whole, windowSeconds: 1, windowBuckets: 4 } },
    {
      name: 'without budget',
      parameters: { ...whole, budgetSwitches: 0, lastingBudgetSwitches: -1e6, budgetRequests: 1e6 },
    },
  ];
}
