/** Partitioners shared, cancelled and kept: builds here are real, but wait until the test lets them go on. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPartitioner } from '../../src/core/createPartitioner.js';
import { buildStateGraph, type PartitionInput } from '../../src/core/stateGraph.js';
import { Partitioners } from '../../src/control/partitioners.js';
import type { PartitionerBuilder } from '../../src/control/ports.js';
import { recordedEvents } from '../support/recordedEvents.js';

const layer = { operators: ['Conv'], weightBytes: 1, workingBytes: 1, macs: null };
const source = { kind: 'measured', machineId: 'm' } as const;
const input = (): PartitionInput => ({
  graph: {
    name: 'one',
    layers: [{ name: 'a', ...layer }],
    tensors: [
      { name: 'in', type: 'float32', shape: [1], bytes: 4, producer: null, consumers: [0], isOutput: false },
    ],
  },
  tiers: [
    { seconds: [2], source },
    { seconds: [1], source },
  ],
});

function rig(maxIdle: number) {
  const builds: { finish: () => void; tell: (fraction: number) => void; signal: AbortSignal }[] = [];
  const builder: PartitionerBuilder = {
    build: (wanted, { signal, progress }) =>
      new Promise((resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason as Error));
        builds.push({
          finish: () => resolve(createPartitioner(buildStateGraph(wanted, 100))),
          tell: progress,
          signal,
        });
      }),
    close: () => Promise.resolve(),
  };
  const recorded = recordedEvents();
  return { builds, recorded, partitioners: new Partitioners(builder, recorded.events, maxIdle) };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

test('all who need the same share one build and see its progress', async () => {
  const { builds, partitioners } = rig(1);
  const first = partitioners.lease('a', input);
  const second = partitioners.lease('a', () => assert.fail('its input is known'));
  await settled();
  assert.equal(builds.length, 1);
  assert.equal(second.fraction, 0);
  builds[0]!.tell(0.4);
  assert.deepEqual([first.fraction, second.fraction], [0.4, 0.4]);
  first.release();
  assert.equal(builds[0]!.signal.aborted, false, 'one still needs it');
  builds[0]!.finish();
  assert.equal((await second.partitioner).stateCount, 2);
  assert.equal(second.fraction, 1);
});

test('a build that nobody needs any more is cancelled, and asked for again it is begun again', async () => {
  const { builds, partitioners } = rig(1);
  const running = partitioners.lease('a', input);
  const waiting = partitioners.lease('b', input);
  await settled();
  assert.equal(builds.length, 1, 'one after the other');
  running.release();
  running.release();
  await assert.rejects(running.partitioner, /nobody needs it any more/);
  await settled();
  assert.equal(builds.length, 2, 'the next one has its turn');
  assert.ok(builds[0]!.signal.aborted && !builds[1]!.signal.aborted);
  const again = partitioners.lease('a', input);
  const never = partitioners.lease('c', input);
  never.release();
  builds[1]!.finish();
  await waiting.partitioner;
  await settled();
  builds[2]!.finish();
  await again.partitioner;
  await assert.rejects(never.partitioner, /nobody needs it any more/);
  assert.equal(builds.length, 3, 'what was given up before its turn was never begun');
});

test('what is built stays when nobody needs it, up to the cap; the longest unused goes first', async () => {
  const { builds, partitioners, recorded } = rig(2);
  const built = async (key: string) => {
    const lease = partitioners.lease(key, input);
    await settled();
    builds.at(-1)!.finish();
    await lease.partitioner;
    return lease;
  };
  for (const key of ['a', 'b', 'c']) (await built(key)).release();
  assert.equal(builds.length, 3);
  assert.deepEqual(recorded.of('capHit'), [['idleStateGraphs', { cap: 2 }]]);
  assert.deepEqual(recorded.of('inventory').at(-1), [{ idleStateGraphs: 2 }]);
  const kept = partitioners.lease('b', () => assert.fail('b is still there'));
  await kept.partitioner;
  assert.equal(kept.fraction, 1);
  assert.deepEqual(recorded.of('inventory').at(-1), [{ idleStateGraphs: 1 }]);
  (await built('a')).release();
  assert.equal(builds.length, 4, 'a had to go and was built again');
});

test('a build that failed is no answer for whoever comes later', async () => {
  let builds = 0;
  const builder: PartitionerBuilder = {
    build: (wanted) =>
      ++builds === 1
        ? Promise.reject(new Error('out of memory'))
        : Promise.resolve(createPartitioner(buildStateGraph(wanted, 100))),
    close: () => Promise.resolve(),
  };
  const partitioners = new Partitioners(builder, recordedEvents().events, 1);
  const failed = partitioners.lease('a', input);
  await assert.rejects(failed.partitioner, /out of memory/);
  failed.release();
  await partitioners.lease('a', input).partitioner;
  assert.equal(builds, 2);
});
