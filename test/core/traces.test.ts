/** Decisions on recorded links against a scan of all cuts, at every step: with certificates, with and without bounds. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { before, test } from 'node:test';
import { sharedFolder } from '../../bench/search/catalogue.js';
import { sampleTrace, traceContexts } from '../../bench/search/contexts.js';
import { allCuts, near, ScanOracle } from '../../bench/search/oracle.js';
import { partitionInput } from '../../bench/search/partitionInput.js';
import type { ImportResult } from '../../src/control/ports.js';
import type { Context } from '../../src/core/context.js';
import { createPartitioner } from '../../src/core/createPartitioner.js';
import type { Decision } from '../../src/core/decision.js';
import { objectiveValue } from '../../src/core/objective.js';
import { assess } from '../../src/core/problem.js';
import { buildStateGraph } from '../../src/core/stateGraph.js';
import { createImporter } from '../../src/onnx/importer.js';
import { writeZooModel } from '../../src/zoo/zoo.js';

const folder = join(sharedFolder, 'traces');
const skip = existsSync(folder) ? false : `needs the recorded links of ${folder}`;
const traces = skip ? [] : readdirSync(folder).filter((file) => file.endsWith('.csv'));
let model: ImportResult;

before(async () => {
  if (skip) return;
  const scratch = await mkdtemp(join(tmpdir(), 'cutpoint-traces-'));
  const importer = createImporter();
  try {
    const file = join(scratch, 'squeezenet.onnx');
    await writeZooModel('squeezenet-1.1', file, { weights: 'constant' });
    const once = { optimizationLevel: 'extended', intraOpThreads: 1, runs: 1, warmupRuns: 0 } as const;
    model = await importer.import(file, { ...once, inputs: {} }, {});
  } finally {
    await importer.close();
    await rm(scratch, { recursive: true });
  }
});

for (const tierCount of [2, 3]) {
  test(`no decision on any recorded link is beaten by any cut, on ${tierCount} tiers`, { skip }, () => {
    const seconds = model.profile.layers.map((layer) => layer.medianSeconds);
    const input = partitionInput(model.graph, seconds, tierCount, 3);
    const states = buildStateGraph(input, 10_000);
    const { layout, facts } = states;
    const oracle = new ScanOracle(allCuts(states, 10_000)!);
    const weights = model.graph.layers.reduce((sum, layer) => sum + layer.weightBytes, 0);
    const wholeSeconds = input.tiers[0]!.seconds.reduce((sum, each) => sum + each, 0);
    // Bounds that bite: half of the weights on the end device, bytes of a late cut, a latency that some links allow.
    const asked: Context['requirements'][] = [
      {},
      { weightBytes: [weights / 2], bytesSent: 150_000, latencySeconds: wholeSeconds / 2 },
    ];
    const seen = { unbounded: 0, certified: 0, violating: 0 };
    for (const trace of traces) {
      const text = readFileSync(join(folder, trace), 'utf8');
      const sampled = sampleTrace({ name: basename(trace, '.csv'), text }, 400);
      for (const requirements of asked) {
        const partitioner = createPartitioner(states);
        let present: Decision | null = null;
        for (const bare of traceContexts(states, sampled)) {
          const context = { ...bare, requirements };
          present = partitioner.decide(context, present);
          const problem = assess(context, layout, facts.maxDepth);
          const best = oracle.best(problem);
          const least = objectiveValue(problem.objective, oracle.rows.features, best * layout.length);
          const said = `${trace}: ${present.objectiveValue} decided, ${least} is best`;
          assert.ok(near(least, present.objectiveValue), said);
          assert.equal(oracle.meetsAll(problem, best), present.violations.length === 0, said);
          if (requirements === asked[0]) {
            seen.unbounded++;
            if (present.certified) seen.certified++;
          }
          if (present.violations.length > 0) seen.violating++;
        }
      }
    }
    const { certified, unbounded } = seen;
    assert.ok(certified > 0.8 * unbounded, `${certified} of ${unbounded} were certified`);
    assert.ok(seen.violating > 0, 'the bounds could always be met: they are too easy');
  });
}
