/** A decision in words, for people. */
import type { Context } from '../core/context.js';
import { alignColumns, formatBytes, formatRate, formatSeconds } from '../format.js';
import type { DecisionDocument } from '../schema/decisionDocument.js';
import type { GraphDocument } from '../schema/graphDocument.js';

/** The lines for one decision, made in `context`. */
export function describeDecision(
  decision: DecisionDocument,
  graph: GraphDocument,
  context: Context,
): string[] {
  const { prediction } = decision;
  const lines = [
    `${graph.name}: ${placementText(decision)}`,
    ...decision.cutTensors.map((tensor) => `  sends ${tensor.name}, ${formatBytes(tensor.bytes)}`),
    ...(decision.edgeTensors ?? []).map(
      (tensor) => `  the edge sends ${tensor.name}, ${formatBytes(tensor.bytes)}`,
    ),
    `  latency ${formatSeconds(prediction.latencySeconds)}` +
      (prediction.energyJoules === null ? '' : `, energy ${prediction.energyJoules.toPrecision(3)} J`),
    ...minimisedText(decision, context),
    ...alignColumns(
      stagesOf(prediction).map(([name, seconds]) => [`    ${name}`, formatSeconds(seconds)]),
      [1],
    ),
    `  ${provenText(decision.optimality)}` +
      ` by ${decision.algorithm} in ${formatSeconds(decision.searchNanoseconds / 1e9)}, ${decision.statesVisited} states looked at`,
  ];
  lines.push(...brokenText(decision));
  if (decision.ranges !== undefined && decision.ranges.length > 0) {
    lines.push('  stays the best while, all else as it is,');
    lines.push(...decision.ranges.map((range) => `    ${rangeText(range)}`));
  }
  if (decision.assumed.length > 0) lines.push(`  not measured, assumed: ${decision.assumed.join(', ')}`);
  for (const reason of decision.notJudged) lines.push(`  not judged: ${reason}`);
  return lines;
}

function placementText({ endLayers, edgeLayers, layerCount }: DecisionDocument): string {
  const onEnd = `${endLayers.length} layers on the end device`;
  const above = layerCount - endLayers.length;
  if (edgeLayers === undefined) return `${onEnd}, ${above} on the edge`;
  return `${onEnd}, ${edgeLayers.length} on the edge, ${above - edgeLayers.length} in the cloud`;
}

/** In the order in which a request passes them; the way back at the end. */
function stagesOf(prediction: DecisionDocument['prediction']): (readonly [string, number])[] {
  const { tierSeconds, uplinkSeconds, rttSeconds, queueSeconds, downlinkSeconds } = prediction;
  const up = uplinkSeconds.flatMap((seconds, hop): (readonly [string, number])[] => {
    const upper = hop === 0 ? 'edge' : 'cloud';
    const to = hop === 0 ? '' : ' to the cloud';
    return [
      [`uplink${to}`, seconds],
      [`round trip${to}`, rttSeconds[hop]!],
      [`queue${hop === 0 ? '' : ' of the cloud'}`, queueSeconds[hop]!],
      [upper, tierSeconds[hop + 1]!],
    ];
  });
  const down = downlinkSeconds.map(
    (seconds, hop) => [hop === 0 ? 'downlink' : 'downlink of the cloud', seconds] as const,
  );
  return [['end device', tierSeconds[0]!], ...up, ...down.reverse()];
}

function rangeText({ value, from, to }: NonNullable<DecisionDocument['ranges']>[number]): string {
  const format = formatOf(value);
  if (to === null) return from === 0 ? `${value} is anything` : `${value} is at least ${format(from)}`;
  return from === 0
    ? `${value} is at most ${format(to)}`
    : `${value} is between ${format(from)} and ${format(to)}`;
}

/** How amounts of a value of the context, or of a bound, are shown; its name ends in the unit. */
function formatOf(name: string): (amount: number) => string {
  if (name.endsWith('BitsPerSecond')) return formatRate;
  if (/(Bytes|bytesSent)(\[\d\])?$/.test(name)) return formatBytes;
  if (name.endsWith('Seconds')) return formatSeconds;
  if (name.endsWith('energyJoulesPerInference')) return (joules) => `${joules.toPrecision(3)} J`;
  if (name.endsWith('privacyDepth')) return (depth) => `${depth} ${depth === 1 ? 'layer' : 'layers'}`;
  return (amount) => amount.toPrecision(3);
}

/** What was minimised, where that is not the latency, which stands first anyway. */
function minimisedText({ objectiveValue }: DecisionDocument, { requirements }: Context): string[] {
  const { objective = 'latency' } = requirements;
  if (objective === 'latency') return [];
  if (objective === 'energy') return [`  minimised: energy, ${objectiveValue.toPrecision(3)} J`];
  if (objective === 'throughput') {
    return [`  minimised: the slowest stage, a result every ${formatSeconds(objectiveValue)}`];
  }
  return [`  minimised: the weighted sum that was asked for, ${objectiveValue.toPrecision(4)}`];
}

/** The bounds that the cut breaks, and what that says of other cuts. */
function brokenText({ violations, optimality }: DecisionDocument): string[] {
  if (violations.length === 0) return [];
  return [
    ...violations.map(({ constraint, limit, value }) => {
      const format = formatOf(constraint);
      const [is, bound] = format(value) === format(limit) ? [value, limit] : [format(value), format(limit)];
      return `  this cut breaks ${constraint}: ${is}, asked for ${constraint === 'privacyDepth' ? 'at least' : 'at most'} ${bound}`;
    }),
    optimality.kind === 'exact'
      ? '  no cut meets all bounds; earlier ones come first, and each is broken as little as those allow'
      : '  another cut may break less: not all could be tried',
  ];
}

function provenText(optimality: DecisionDocument['optimality']): string {
  if (optimality.kind === 'exact') return 'proven best';
  return optimality.gap === null
    ? 'nothing could be proven of it; found'
    : `proven within ${(optimality.gap * 100).toPrecision(2)} % of the best`;
}
