/** Builds in a real thread: what comes back decides like one built here, tells of its progress, and can be given up. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { syntheticModel } from '../../bench/search/synthetic.js';
import { createPartitioner } from '../../src/core/createPartitioner.js';
import { buildStateGraph, type PartitionInput } from '../../src/core/stateGraph.js';
import { createStateGraphBuilder } from '../../src/workers/stateGraphBuilder.js';

function input(width: number): PartitionInput {
  const { graph, seconds } = syntheticModel('branches', { blocks: 1, width, length: 9 }, 5);
  const source = { kind: 'measured', machineId: 'm' } as const;
  return { graph, tiers: [8, 1].map((ratio) => ({ seconds: seconds.map((s) => s * ratio), source })) };
}

const context = {
  tiers: [{ slowdown: 1.5 }, {}],
  hops: [{ uplinkBitsPerSecond: 2e7, downlinkBitsPerSecond: 4e7, rttSeconds: 0.01, queueSeconds: 0 }],
  requirements: { bytesSent: 500_000 },
};
const never = new AbortController().signal;

test('a partitioner built in a thread decides like one built here, and its progress rises to the end', async () => {
  const builder = createStateGraphBuilder({ maxStates: 200_000, minCutWork: 6_000, buildQueue: 4 });
  try {
    const told: number[] = [];
    const hooks = { signal: never, progress: (fraction: number) => told.push(fraction) };
    const built = await builder.build(input(4), hooks);
    const here = createPartitioner(buildStateGraph(input(4), 200_000));
    assert.equal(built.stateCount, here.stateCount);
    assert.deepEqual(built.decide(context), here.decide(context));
    assert.ok(told.length >= 3, `${told.length} steps were told`);
    assert.deepEqual(
      told,
      told.toSorted((a, b) => a - b),
    );
    assert.ok(told[0]! > 0 && told.at(-1)! <= 1);
  } finally {
    await builder.close();
  }
});

test('a build that is given up ends at once, and the next one runs', async () => {
  const builder = createStateGraphBuilder({ maxStates: 20_000_000, minCutWork: 6_000, buildQueue: 4 });
  try {
    const cancellation = new AbortController();
    // A hundred thousand states: seconds of work, given up at its first step.
    let begun = 1;
    const progress = (fraction: number) => {
      begun = Math.min(begun, fraction);
      cancellation.abort();
    };
    const long = builder.build(input(5), { signal: cancellation.signal, progress });
    await assert.rejects(long, { name: 'AbortError' });
    assert.ok(begun < 0.9, `given up at ${begun}`);
    const next = await builder.build(input(2), { signal: never, progress: () => undefined });
    assert.equal(next.stateCount, createPartitioner(buildStateGraph(input(2), 1000)).stateCount);
    await assert.rejects(builder.build(input(2), { signal: AbortSignal.abort(), progress: () => undefined }));
  } finally {
    await builder.close();
  }
});
