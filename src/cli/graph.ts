/** `cutpoint graph`: the layers of a model, what flows between them, how long they take and how many cuts there are. */
import type { Command } from 'commander';
import type { Machine, TierSeconds } from '../core/profile.js';
import { alignColumns, formatBytes, formatCount, formatSeconds } from '../format.js';
import type { GraphDocument } from '../schema/graphDocument.js';
import { UsageError } from './commandError.js';
import { addGraphOptions, profiledGraph, type GraphFlags } from './graphSource.js';
import { printJson, printLines } from './output.js';

interface GraphCommandFlags extends GraphFlags {
  readonly json?: true;
}

export function registerGraph(program: Command): void {
  const command = program
    .command('graph')
    .summary('show the layers of a model, their bytes, times and cuts')
    .description(
      'Imports an ONNX model and shows its layer graph: layers, what flows between them, times on each tier and\n' +
        'the number of valid cuts. With --json all that is needed to recompute a decision (docs/decide.md).',
    )
    .argument('<file>', 'ONNX model')
    .option('--json', 'write the graph document to stdout');
  addGraphOptions(command)
    .addHelpText(
      'after',
      '\nExamples:\n  cutpoint graph googlenet.onnx --edge-ratio 0.3\n' +
        '  cutpoint graph model.onnx --inputs \'{"image":{"shape":[1,3,224,224]}}\' --json > graph.json\n' +
        '\nExit codes: 0 done, 1 failed or refused, 2 wrong usage.',
    )
    .action(async (file: string, flags: GraphCommandFlags) => {
      if (file === '-' || file.endsWith('.json')) {
        throw new UsageError(`graph: give an ONNX model, not ${file === '-' ? 'stdin' : 'a graph document'}`);
      }
      const { document, states } = await profiledGraph(file, flags);
      if (flags.json === true) return printJson(document);
      const { neighboursOf } = await import('../core/neighbours.js');
      const neighbourCount = states.held === null ? 0 : neighboursOf(states).neighbours.length;
      printLines([...layerTable(document), '', ...summary(document, neighbourCount)]);
    });
}

function layerTable(graph: GraphDocument): string[] {
  const inputs = graph.layers.map((_, layer) =>
    graph.tensors.flatMap(({ consumers, producer }) =>
      consumers.includes(layer) ? [producer === null ? 'in' : String(producer)] : [],
    ),
  );
  const outputBytes = graph.layers.map((_, layer) =>
    graph.tensors.reduce((sum, { producer, bytes }) => (producer === layer ? sum + bytes : sum), 0),
  );
  const rows = graph.layers.map((layer, index) => [
    String(index),
    shorten(layer.name, 36),
    shorten(countRuns(layer.operators), 30),
    shorten([...new Set(inputs[index])].join(' '), 16),
    formatBytes(outputBytes[index]!),
    formatBytes(layer.weightBytes),
    layer.macs === null ? '?' : formatCount(layer.macs),
    ...graph.tiers.map(({ seconds }) => formatSeconds(seconds[index]!)),
  ]);
  const tierNames = ['end', 'edge', 'cloud'].slice(0, graph.tiers.length);
  return alignColumns(
    [['', 'layer', 'operators', 'after', 'output', 'weights', 'MACs', ...tierNames], ...rows],
    [0, 4, 5, 6, 7, 8, 9],
  );
}

/** `Conv Relu Relu` -> `Conv Relu×2`. */
function countRuns(names: readonly string[]): string {
  const runs: { name: string; count: number }[] = [];
  for (const name of names) {
    const last = runs.at(-1);
    if (last?.name === name) last.count += 1;
    else runs.push({ name, count: 1 });
  }
  return runs.map(({ name, count }) => (count === 1 ? name : `${name}×${count}`)).join(' ');
}

function shorten(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}

function summary(graph: GraphDocument, neighbourCount: number): string[] {
  const { layers, tensors, tiers, profile, states } = graph;
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  const io = (label: string, some: typeof tensors): string =>
    `${label}: ${some.map((tensor) => `${tensor.name} ${tensor.type}[${tensor.shape.join(',')}] ${formatBytes(tensor.bytes)}`).join('; ')}`;
  const macs = layers.map((layer) => layer.macs);
  const unknown = macs.filter((count) => count === null).length;
  const tierLine = (name: string, tier: TierSeconds): string =>
    `${name}: ${formatSeconds(sum(tier.seconds))} for all layers, ${sourceText(tier.source, profile.machine)}`;
  return [
    `${graph.name}: ${layers.length} layers, ${tensors.length} tensors, ` +
      `${formatBytes(sum(layers.map((layer) => layer.weightBytes)))} of weights, ` +
      `${formatCount(sum(macs.map((count) => count ?? 0)))} MACs` +
      (unknown === 0 ? '' : ` (not defined for ${unknown} layers)`),
    io(
      'in',
      tensors.filter((tensor) => tensor.producer === null),
    ),
    io(
      'out',
      tensors.filter((tensor) => tensor.isOutput),
    ),
    tierLine('end device', tiers[0]!),
    tierLine('edge', tiers[1]!),
    ...tiers.slice(2).map((tier) => tierLine('cloud', tier)),
    `whole model on this machine: ${formatSeconds(profile.wholeModel.medianSeconds)} median of ${profile.options.runs} runs ` +
      `(${formatSeconds(profile.wholeModel.minSeconds)} to ${formatSeconds(profile.wholeModel.maxSeconds)})`,
    states.valid === null
      ? 'cuts: too many to hold (--max-states); each decision solves a minimum cut'
      : `cuts: ${states.valid} valid, ${states.kept} kept after dominated ones are dropped, ${neighbourCount} steps between neighbours`,
  ];
}

function sourceText(source: TierSeconds['source'], here: Machine): string {
  const where = source.machineId === here.id ? 'this machine' : `machine ${source.machineId}`;
  return source.kind === 'measured'
    ? `measured on ${where}`
    : `scaled by ${source.computeRatio} from ${where}`;
}
