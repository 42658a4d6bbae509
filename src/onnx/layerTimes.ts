/** Measured time of runtime nodes, given to layers, with the spread over the runs. */
import { ImportRefused } from '../control/ports.js';
import type { Profile, Spread } from '../core/profile.js';
import { assignNodes } from './nodeLayers.js';
import type { Layering } from './layers.js';
import type { OperatorGraph } from './operatorGraph.js';
import type { NodeEvent } from './profileEvents.js';
import { joinRun, type RuntimeGraph } from './runtimeGraph.js';

/** More than this without a layer: the profile would be a guess. */
const MAX_STRAYED_SHARE = 0.05;

/** Below the runtime's own bound, since warm-up runs are in its record too. */
const MAX_EVENTS = 900_000;

interface LayerTimes {
  readonly layers: Profile['layers'];
  /** Share (0 to 1) of the measured node time that led to no layer and was spread over all in proportion. */
  readonly strayedShare: number;
}

/**
 * Seconds per layer over the given runs.
 * @param runtime the graph that was run, at the level that is deployed
 * @throws Error where more than 5 % of the time cannot be given to a layer, or nothing was recorded
 */
export function timeLayers(
  operators: OperatorGraph,
  layering: Layering,
  runtime: RuntimeGraph,
  runs: readonly (readonly NodeEvent[])[],
): LayerTimes {
  checkComplete(runs);
  const shares = assignNodes(operators, layering.assignment, runtime);
  const secondsOf = layering.graph.layers.map((): number[] => []);
  let strayed = 0;
  let total = 0;
  for (const run of runs) {
    const joined = joinRun(runtime, run);
    const seconds = layering.graph.layers.map(() => 0);
    let lost = joined.strayedSeconds;
    joined.events.forEach((event, index) => {
      if (event === null) return;
      const own = shares[index]!;
      if (own.length === 0) lost += event.seconds;
      for (const { layer, share } of own) seconds[layer]! += share * event.seconds;
    });
    const found = seconds.reduce((a, b) => a + b, 0);
    strayed += lost;
    total += lost + found;
    const scale = found > 0 ? (found + lost) / found : 1;
    seconds.forEach((each, layer) => secondsOf[layer]!.push(each * scale));
  }
  const strayedShare = total > 0 ? strayed / total : 0;
  if (strayedShare > MAX_STRAYED_SHARE) {
    throw new Error(`${(100 * strayedShare).toFixed(1)} % of the measured time belongs to no layer`);
  }
  const layers = layering.graph.layers.map(({ name }, layer) => ({ name, ...spreadOf(secondsOf[layer]!) }));
  return { layers, strayedShare };
}

/**
 * Recording takes time itself, most of all inside loops and for many small nodes. Together the layers cannot take
 * longer than the whole model without recording: where they seem to, all are scaled down to it.
 */
export function withoutRecording(layers: Profile['layers'], whole: Spread): Profile['layers'] {
  const sum = layers.reduce((seconds, layer) => seconds + layer.medianSeconds, 0);
  if (sum <= whole.medianSeconds) return layers;
  const scale = whole.medianSeconds / sum;
  return layers.map(({ name, medianSeconds, minSeconds, maxSeconds }) => ({
    name,
    medianSeconds: medianSeconds * scale,
    minSeconds: minSeconds * scale,
    maxSeconds: maxSeconds * scale,
  }));
}

/** The runtime keeps a million events and drops the rest without a word: a run without its nodes would seem quick. */
function checkComplete(runs: readonly (readonly NodeEvent[])[]): void {
  if (runs.length === 0) throw new Error('the runtime recorded no run');
  if (runs.reduce((sum, run) => sum + run.length, 0) >= MAX_EVENTS || runs.some((run) => run.length === 0)) {
    throw new ImportRefused(
      'bad-options',
      'So many runs of this model are more than the runtime can record. Use fewer runs.',
    );
  }
}

/** Median, least and most of some durations. @throws RangeError for none */
export function spreadOf(seconds: readonly number[]): Spread {
  const sorted = [...seconds].sort((a, b) => a - b);
  if (sorted.length === 0) throw new RangeError('a spread needs at least one duration');
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  return { medianSeconds: median, minSeconds: sorted[0]!, maxSeconds: sorted.at(-1)! };
}
