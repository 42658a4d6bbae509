import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Counter, Histogram, Registry } from 'prom-client';
import { FrequentCounter, FrequentHistogram } from '../../src/metrics/frequent.js';

const samples = async (registry: Registry): Promise<string[]> =>
  (await registry.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));

test('a frequent counter shows what the plain one shows, however often it is read', async () => {
  const [ours, plain] = [new Registry(), new Registry()];
  const configuration = { name: 'things_total', help: 'Things', labelNames: ['what'] as const };
  const frequent = new FrequentCounter<'what'>({ ...configuration, labelNames: ['what'], registers: [ours] });
  const counter = new Counter<'what'>({ ...configuration, labelNames: ['what'], registers: [plain] });
  const [a] = [frequent.series({ what: 'a' }), frequent.series({ what: 'b' })];
  counter.inc({ what: 'a' }, 0);
  counter.inc({ what: 'b' }, 0);
  for (let round = 0; round < 3; round++) {
    a.inc();
    a.inc(2);
    counter.inc({ what: 'a' }, 3);
    assert.deepEqual(await samples(ours), await samples(plain));
  }
});

test('a frequent histogram shows what the plain one shows', async () => {
  const buckets = [0.001, 0.01, 0.1, 1];
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(fc.double({ min: 0, max: 2, noNaN: true }), fc.constantFrom(...buckets)), {
        minLength: 1,
      }),
      async (values) => {
        const [ours, plain] = [new Registry(), new Registry()];
        const series = new FrequentHistogram<'how'>('took_seconds', 'Time', buckets, ours).series({
          how: 'x',
        });
        const histogram = new Histogram({
          name: 'took_seconds',
          help: 'Time',
          labelNames: ['how'],
          buckets,
          registers: [plain],
        });
        for (const value of values) {
          series.observe(value);
          histogram.observe({ how: 'x' }, value);
        }
        assert.deepEqual(await samples(ours), await samples(plain));
      },
    ),
  );
});
