/** One synthetic graph: what it takes to build it and to search in it. */
import { Gads } from '../../src/core/gads.js';
import { StateScan } from '../../src/core/rivals/stateScan.js';
import { askedOf, walkContexts } from './contexts.js';
import { measureBuild } from './measureBuild.js';
import { partitionInput } from './partitionInput.js';
import type { GrowthJob } from './processMessages.js';
import { race, touchProblem } from './race.js';
import type { GrowthResult } from './results.js';
import { syntheticModel } from './synthetic.js';

export function measureGrowth({ name, series, shape, tiers, effort }: GrowthJob): GrowthResult {
  const { graph, seconds } = syntheticModel(name, shape, 21);
  const { states, build } = measureBuild(partitionInput(graph, seconds, tiers, 22), 20_000_000);
  const { held } = states;
  const facts = {
    name,
    series,
    shape: `${shape.blocks}×${shape.width}×${shape.length}`,
    layers: graph.layers.length,
    width: shape.width,
    tiers,
  };
  if (held === null) {
    return { ...facts, rawCuts: null, states: 0, build, gadsWarm: null, gadsCold: null, scan: null };
  }
  const asked = askedOf('latency', states, null, walkContexts(states, effort.contexts, 23), 24);
  const gads = new Gads(held);
  const scan = new StateScan(held);
  let present = -1;
  const { warmUpSeconds, raceSeconds, repeats } = effort;
  const timings = race(
    {
      gadsWarm: (i: number) => (present = gads.decide(asked[i]!.problem, present)),
      gadsCold: (i: number) => gads.decide(asked[i]!.problem, -1),
      scan: (i: number) => scan.decide(asked[i]!.problem),
    },
    asked.length,
    { warmUpSeconds, seconds: raceSeconds, repeats },
    (i) => touchProblem(asked[i]!.problem),
  );
  return { ...facts, rawCuts: held.rawCount, states: held.count, build, ...timings };
}
