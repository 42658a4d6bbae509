/** `cutpoint decide`: the best cut of a model in a given context, once. */
import { InvalidArgumentError, Option, type Command } from 'commander';
import type { Context } from '../core/context.js';
import type { Decision } from '../core/decision.js';
import type { Range } from '../core/ranges.js';
import type { DecisionDocument } from '../schema/decisionDocument.js';
import type { GraphDocument } from '../schema/graphDocument.js';
import { DocumentError, RefusedError, UsageError } from './commandError.js';
import { describeDecision } from './decisionText.js';
import { addGraphOptions, obtainGraph, type GraphFlags } from './graphSource.js';
import { parseJson, readText } from './optionValues.js';
import { printJson, printLines } from './output.js';

interface DecideFlags extends GraphFlags {
  readonly context: string;
  readonly algorithm: 'gads' | 'exhaustive';
  readonly maxCuts: number;
  readonly ranges?: true;
  readonly json?: true;
}

const defaultMaxCuts = 1_000_000;

export function registerDecide(program: Command): void {
  const command = program
    .command('decide')
    .summary('find the best cut of a model in a given context')
    .description(
      'Finds the best cut of a model in a context: the measured link, speeds and budgets, and what is required.\n' +
        'FILE is an ONNX model, or a graph written by `cutpoint graph --json`, which needs no measuring.\n' +
        'docs/decide.md describes both documents and how to recompute a decision.',
    )
    .argument('<file>', 'ONNX model or graph JSON')
    .requiredOption('-c, --context <file>', 'context JSON, or an array of them; - reads stdin')
    .addOption(
      new Option('-a, --algorithm <name>', 'gads searches, exhaustive tries every cut')
        .choices(['gads', 'exhaustive'])
        .default('gads'),
    )
    .option(
      '--max-cuts <number>',
      'exhaustive refuses a model with more cuts',
      positiveInteger,
      defaultMaxCuts,
    )
    .option('--ranges', 'tell from where to where of each measured value the cut stays the best')
    .option('--json', 'write the decision as JSON (an array for an array of contexts)');
  addGraphOptions(command)
    .addHelpText(
      'after',
      '\nExamples:\n' +
        '  cutpoint decide googlenet.onnx --context now.json --end-ratio 4 --edge-ratio 0.3\n' +
        '  cutpoint graph googlenet.onnx --edge-ratio 0.3 --json > graph.json\n' +
        '  cutpoint decide graph.json --context contexts.json --algorithm exhaustive --json\n\n' +
        'A context:\n' +
        '  {"tiers": [{"slowdown": 1.2, "freeMemoryBytes": 2e8}, {}], "requirements": {"latencySeconds": 0.2},\n' +
        '   "hops": [{"uplinkBitsPerSecond": 8e6, "downlinkBitsPerSecond": 3e7, "rttSeconds": 0.03}]}\n' +
        'With --cloud-ratio or --cloud-profile there are three tiers, and the second hop goes on to the cloud.\n\n' +
        'Exit codes: 0 decided (also where the cut breaks bounds: `violations` says which), 1 failed or refused,\n' +
        '2 wrong usage.',
    )
    .action(async (file: string, flags: DecideFlags) => {
      if (file === '-' && flags.context === '-') {
        throw new UsageError('decide: only one of FILE and --context can be read from stdin');
      }
      const contexts = await readContexts(flags.context);
      const graph = await obtainGraph(file, flags);
      requireTiers(contexts, graph.tiers.length, flags.context);
      const decisions = await decideAll(graph, contexts.list, flags);
      if (flags.json === true) printJson(contexts.isArray ? decisions : decisions[0]);
      else
        printLines(decisions.flatMap((decision, i) => describeDecision(decision, graph, contexts.list[i]!)));
    });
}

function positiveInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new InvalidArgumentError('It must be a whole number above 0.');
  return value;
}

async function readContexts(file: string): Promise<{ list: readonly Context[]; isArray: boolean }> {
  const { checkContext } = await import('../schema/context.js');
  const name = file === '-' ? 'stdin' : file;
  const document = parseJson(await readText(file), name);
  const isArray = Array.isArray(document);
  const list: Context[] = [];
  const problems: string[] = [];
  for (const [index, entry] of (isArray ? (document as unknown[]) : [document]).entries()) {
    const checked = checkContext(entry);
    if (checked.ok) list.push(checked.value);
    else problems.push(...checked.problems.map((problem) => (isArray ? `[${index}] ${problem}` : problem)));
  }
  if (problems.length > 0) throw new DocumentError(name, problems);
  return { list, isArray };
}

/** Told before anything is built, with the file that has to change. */
function requireTiers(
  { list, isArray }: { readonly list: readonly Context[]; readonly isArray: boolean },
  tierCount: number,
  file: string,
): void {
  const problems = list.flatMap(({ tiers, hops }, index) =>
    tiers.length === tierCount && hops.length === tierCount - 1
      ? []
      : [
          `${isArray ? `[${index}] ` : ''}tiers: ${tiers.length} and hops: ${hops.length} given, ` +
            `but the graph has ${tierCount} tiers and so ${tierCount - 1} hops`,
        ],
  );
  if (problems.length > 0) throw new DocumentError(file === '-' ? 'stdin' : file, problems);
}

async function decideAll(
  document: GraphDocument,
  contexts: readonly Context[],
  flags: DecideFlags,
): Promise<DecisionDocument[]> {
  const { graphOf } = await import('../schema/graphDocument.js');
  const { decisionDocument } = await import('../schema/decisionDocument.js');
  const input = { graph: graphOf(document), tiers: document.tiers };
  let decide: (context: Context) => Decision;
  let rangesOf: (context: Context, decision: Decision) => readonly Range[] | undefined = () => undefined;
  const { exhaustive } = await import('../core/exhaustive.js');
  if (flags.algorithm === 'exhaustive') {
    if (flags.ranges === true) throw new UsageError('decide: --ranges goes with --algorithm gads');
    decide = (context) => exhaustive(input, context, flags.maxCuts);
  } else {
    const { buildStateGraph } = await import('../core/stateGraph.js');
    const { createPartitioner } = await import('../core/createPartitioner.js');
    const { finished } = await import('../core/steps.js');
    const partitioner = createPartitioner(buildStateGraph(input, flags.maxStates));
    decide = (context) => partitioner.decide(context);
    if (flags.ranges === true)
      rangesOf = (context, decision) => finished(partitioner.ranges(context, decision));
  }
  return contexts.map((context, index) => {
    const started = process.hrtime.bigint();
    try {
      const decision = decide(context);
      const nanoseconds = Number(process.hrtime.bigint() - started);
      return decisionDocument(document, decision, nanoseconds, rangesOf(context, decision));
    } catch (error) {
      // The documents were checked before: what the core still refuses is the size of the search.
      if (error instanceof RangeError) {
        throw new RefusedError(contexts.length > 1 ? `context [${index}]: ${error.message}` : error.message);
      }
      throw error;
    }
  });
}
