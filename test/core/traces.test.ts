/**
 * Decisions on recorded links against a scan of all valid cuts, at every step of every trace: each second, and each time
 * at which something was recorded. The scan shares neither the enumeration nor the costing of the states with the
 * build: cuts are all placements (exhaustive.ts), costed from the definition of each feature (cut.ts), read one by one.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, before, test, type TestContext } from 'node:test';
import { sharedFolder } from '../../bench/search/catalogue.js';
import { traceContexts, type TraceSamples } from '../../bench/search/contexts.js';
import { near, ScanOracle, type CutRows } from '../../bench/search/oracle.js';
import { partitionInput } from '../../bench/search/partitionInput.js';
import type { Objective, Requirements } from '../../src/core/context.js';
import { createPartitioner } from '../../src/core/createPartitioner.js';
import { featuresOfPlacement } from '../../src/core/cut.js';
import type { Decision } from '../../src/core/decision.js';
import { rawEncoding } from '../../src/core/encoding.js';
import { placements } from '../../src/core/exhaustive.js';
import { objectiveValue } from '../../src/core/objective.js';
import type { Partitioner } from '../../src/core/partitioner.js';
import { violationsOf } from '../../src/core/prediction.js';
import { assess } from '../../src/core/problem.js';
import { buildStateGraph, type StateGraph } from '../../src/core/stateGraph.js';
import { createTraceLink, parseTrace } from '../../src/demo/trace.js';
import { createImporter } from '../../src/onnx/importer.js';
import { writeZooModel, type ZooName } from '../../src/zoo/zoo.js';

const folder = join(sharedFolder, 'traces');
const skip = existsSync(folder) ? false : `needs the recorded links of ${folder}`;
const traces = skip
  ? []
  : readdirSync(folder)
      .filter((file) => file.endsWith('.csv'))
      .map((file) => everyStep(basename(file, '.csv'), readFileSync(join(folder, file), 'utf8')));

const importer = skip ? null : createImporter();
let scratch = '';
before(async () => {
  if (!skip) scratch = await mkdtemp(join(tmpdir(), 'cutpoint-traces-'));
});
after(async () => {
  await importer?.close();
  if (!skip) await rm(scratch, { recursive: true });
});

/** The link at each second of a trace and at each of its rows. */
function everyStep(name: string, text: string): TraceSamples {
  const trace = parseTrace(text);
  const start = trace.rows[0]!.atSeconds;
  const rows = trace.rows.map(({ atSeconds }) => atSeconds - start);
  const seconds = Array.from({ length: Math.floor(rows.at(-1)!) }, (_, s) => s);
  const times = [...new Set([...rows, ...seconds])].sort((a, b) => a - b);
  const link = createTraceLink(trace, 0);
  const samples = times.map((at, i) => link.advance(i === 0 ? 0 : at - times[i - 1]!));
  return { name, assumed: trace.assumed, samples };
}

/** The features of every placement in which no layer runs below one that it reads from. */
function everyCut({ graph, tiers, topology, facts, layout }: StateGraph): CutRows {
  const encoding = rawEncoding(graph);
  const rows: Float64Array[] = [];
  for (const placement of placements(topology, tiers.length))
    rows.push(featuresOfPlacement(graph, tiers, facts, layout, placement, encoding));
  const features = new Float64Array(rows.length * layout.length);
  rows.forEach((row, i) => features.set(row, i * layout.length));
  return { features, count: rows.length, width: layout.length };
}

const modes = ['latency', 'constrained', 'objectives'] as const;
type Mode = (typeof modes)[number];

/**
 * Bounds that some cut always meets and that keep others out: half of the weights on the end device, and the least that can be
 * sent with so few. Those on latency and energy are met on some links only. Sums of latency and energy change
 * from trace to trace.
 */
function requirementsOf(
  { layout, tiers }: StateGraph,
  { features, count, width }: CutRows,
  trace: number,
): Record<Mode, Requirements> {
  const figures = (feature: number): Float64Array =>
    Float64Array.from({ length: count }, (_, row) => features[row * width + feature]!);
  const onEnd = figures(layout.weights);
  const half = onEnd.reduce((most, each) => Math.max(most, each), 0) / 2;
  const bytesSent = figures(layout.bytesUp).reduce(
    (least, bytes, row) => (onEnd[row]! <= half ? Math.min(least, bytes) : least),
    Infinity,
  );
  const wholeSeconds = tiers[0]!.seconds.reduce((sum, each) => sum + each, 0);
  const objectives: readonly Objective[] = ['energy', { perLatencySecond: 1, perEnergyJoule: 0.2 }];
  return {
    latency: {},
    constrained: { weightBytes: [half], bytesSent: 2 * bytesSent, latencySeconds: 2 * wholeSeconds },
    objectives: {
      objective: objectives[trace % objectives.length]!,
      weightBytes: [half],
      privacyDepth: 2,
      energyJoulesPerInference: 4 * wholeSeconds,
    },
  };
}

interface Tally {
  steps: number;
  /** Decisions that a certificate proved, so that no search ran. */
  spared: number;
  wrong: number;
  /** Steps at which no cut met all bounds. */
  violating: number;
}

/** Judges each decision of a deployment along a trace. @returns what is wrong with the first that is, if any */
function judge(
  states: StateGraph,
  oracle: ScanOracle,
  partitioner: Partitioner,
  trace: TraceSamples,
  requirements: Requirements,
  tally: Tally,
): string | null {
  const { layout, facts } = states;
  let first: string | null = null;
  let present: Decision | null = null;
  for (const bare of traceContexts(states, trace)) {
    const context = { ...bare, requirements };
    present = partitioner.decide(context, present);
    const problem = assess(context, layout, facts.maxDepth);
    const row = oracle.bestByRow(problem) * layout.length;
    const least = objectiveValue(problem.objective, oracle.rows.features, row);
    const best = oracle.rows.features.subarray(row, row + layout.length);
    const broken = violationsOf(best, layout, facts.maxDepth, problem);
    tally.steps++;
    if (present.certified) tally.spared++;
    if (broken.length > 0) tally.violating++;
    const isRight =
      near(least, present.objectiveValue) &&
      broken.length === present.violations.length &&
      broken.every(({ constraint, value }, i) => {
        const own = present!.violations[i]!;
        return own.constraint === constraint && near(own.value, value);
      });
    if (isRight) continue;
    tally.wrong++;
    first ??= `${trace.name}, step ${tally.steps}: ${present.objectiveValue} decided, ${least} is best`;
  }
  return first;
}

const models: readonly { name: ZooName; tierCount: number; kind: string }[] = [
  { name: 'mobilenet-v2', tierCount: 2, kind: 'a chain' },
  { name: 'inception-v3', tierCount: 2, kind: 'a wide graph' },
  { name: 'squeezenet-1.1', tierCount: 3, kind: 'three tiers' },
];

for (const { name, tierCount, kind } of models) {
  test(`at no step of any recorded link is a decision beaten by any cut: ${kind}`, { skip }, async (t) => {
    const states = await stateGraphOf(name, tierCount);
    const rows = everyCut(states);
    assert.equal(rows.count, states.held!.rawCount, 'the build lists as many cuts');
    const oracle = new ScanOracle(rows);
    const tallies = Object.fromEntries(
      modes.map((mode) => [mode, { steps: 0, spared: 0, wrong: 0, violating: 0 }]),
    ) as Record<Mode, Tally>;
    const wrong: string[] = [];
    traces.forEach((trace, i) => {
      // One for all three, as a service has it: no certificate may answer for another deployment's bounds or objective.
      const partitioner = createPartitioner(states);
      const asked = requirementsOf(states, rows, i);
      for (const mode of modes) {
        const first = judge(states, oracle, partitioner, trace, asked[mode], tallies[mode]);
        if (first !== null) wrong.push(`${mode}, ${first}`);
      }
    });
    report(t, rows.count, tallies);
    assert.deepEqual(wrong, []);
    const { latency, constrained, objectives } = tallies;
    const steps = traces.reduce((sum, { samples }) => sum + samples.length, 0);
    for (const tally of [latency, constrained, objectives]) {
      assert.equal(tally.steps, steps);
      assert.ok(tally.spared > 0, 'a mode without certificates proves nothing about them');
    }
    assert.ok(latency.spared > 0.8 * steps, `${latency.spared} of ${steps} were certified`);
    assert.ok(constrained.violating > 0, 'the bounds could always be met: they are too easy');
  });
}

async function stateGraphOf(name: ZooName, tierCount: number): Promise<StateGraph> {
  const file = join(scratch, `${name}.onnx`);
  await writeZooModel(name, file, { weights: 'constant' });
  const once = { optimizationLevel: 'extended', intraOpThreads: 1, runs: 1, warmupRuns: 0 } as const;
  const { graph, profile } = await importer!.import(file, { ...once, inputs: {} }, {});
  const seconds = profile.layers.map((layer) => layer.medianSeconds);
  return buildStateGraph(partitionInput(graph, seconds, tierCount, 3), 10_000);
}

function report(t: TestContext, cuts: number, tallies: Record<Mode, Tally>): void {
  for (const mode of modes) {
    const { steps, spared, wrong, violating } = tallies[mode];
    t.diagnostic(
      `${mode}: ${steps} decisions, each against ${cuts} cuts: ${spared} without a search, ${violating} under bounds that none meets, ${wrong} wrong`,
    );
  }
}
