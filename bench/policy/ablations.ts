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
    // A window of some samples: the past is forgotten at once.
    { name: 'without memory', parameters: { ...whole, windowSeconds: 10, windowSpans: 4 } },
    { name: 'without account', parameters: { ...whole, deviceOnlyShare: 1e6 } },
    { name: 'first cut always the best', parameters: { ...whole, firstGain: 0 } },
  ];
}
