/** The prose of the report: what was done, and what each contender can and cannot do. */
import { burstContexts } from './race.js';
import type { SearchReport } from './results.js';

export function howMeasured({ settings, traces }: SearchReport): string {
  const samples = traces.reduce((sum, trace) => sum + trace.contexts, 0);
  const recorded =
    traces.length === 0
      ? 'no recorded links were there'
      : `${traces.length} recorded links at one sample a second (${samples} contexts)`;
  return `## How it was measured

- Each model is measured in a process of its own. Contexts per mode: ${settings.contextsPerMode} of a seeded random walk (rates, slowdowns, round trip; one step in 200 jumps), and ${recorded}. Modes: \`latency\` (no bounds), \`constrained\` (latency under bounds on weights, memory, bytes, privacy depth, energy, latency), \`objectives\` (energy, throughput and weighted sums under bounds).
- Layer times come from a profile of the model on this machine; the end device is 8 times slower, the cloud 2.5 times faster, each layer by its own factor within 1.5 of that.
- Contenders take turns over blocks of ${burstContexts} consecutive contexts, in an order that rotates, and what a block's contexts consist of is read untimed before each turn. Within its turn a contender searches context after context, because that is how searches come: a controller decides for many devices in a batch, and the papers time one method at a time. If the turns changed with every context, each search would be timed with the caches that the slowest contender had just filled with its own data, and that would measure the slowest contender's memory, not the search. All contenders gain by it alike; the first search of each turn still finds the caches of another, and being one in ${burstContexts} it shows in p99.
- Each search is timed alone with the monotonic clock, and the median time of a search that does nothing (clock and call) is taken off. ${settings.repeats} repeats; the JSON has the spread of their medians. A contender that would take longer than its share of time searches in every n-th context, evenly over the run; \`samples\` in the JSON says how often it did.
- The clock ticks in steps of about 10 ns: medians below 0.1 µs are good to that, means (in the JSON) are better.
- The oracle scans the features of all valid cuts before any pruning, skipping runs of cuts of which none can be better; it is itself held against reading every cut, and against trying every cut from its definition, on samples. Answers are compared by value at 1e-9 relative, bounds included. Where cuts are too many to list, the least latency without bounds is found by one minimum cut of a network that is put together otherwise than the one under test, and the placement found is costed from its definition. Time for the oracle is limited: \`checked\` says how many contexts it judged, spread evenly.
- Memory is the growth of the resident set at its peak, building once from cold code.`;
}

export const rivalsExplained = `What is compared, on the same graphs, costs and contexts, asked for what all of them can solve:

- **scan** tries each kept state in a flat array. Exact; knows all bounds and objectives that GADS knows.
- **Neurosurgeon** scans the prefixes of one topological order, costs summed in advance. Exact on chains only.
- **QDMP** looks only between the two cut vertices where the optimum lies; its own precomputation is done in advance (the rebuilt form starts from the graph). Its first stage is our reading, made as strong as we can; _nearest_ is the literal one.
- **DADS updated** has its min-cut network built once, reduced, capacities updated per search; **rebuilt** builds it per search, as published.
- None of the last three takes bounds, a third tier or a bottleneck; GADS and the scan do.`;
