import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import { test } from 'node:test';
import fc from 'fast-check';
import { ContextNumbers } from '../../src/control/contextNumbers.js';
import type { Context } from '../../src/core/context.js';

const plain: { requiredKeys: never[]; noNullPrototype: true } = { requiredKeys: [], noNullPrototype: true };
const value = fc.integer({ min: 0, max: 2 });
const tier = fc.record({ slowdown: value, freeStorageBytes: value, freeMemoryBytes: value }, plain);
const hop = fc.record(
  {
    uplinkBitsPerSecond: value,
    downlinkBitsPerSecond: value,
    rttSeconds: value,
    queueSeconds: value,
    connected: fc.boolean(),
  },
  plain,
);
const battery = fc.record(
  { level: value, capacityJoules: value, charging: fc.boolean() },
  { noNullPrototype: true },
);
const power = { computeWatts: 4, transmitWatts: 2, receiveWatts: 1, idleWatts: 0.5 };
const requirements = {};

const contextOf = (tierCount: number) =>
  fc.record(
    {
      tiers: fc.array(tier, { minLength: tierCount, maxLength: tierCount }),
      hops: fc.array(hop, { minLength: tierCount - 1, maxLength: tierCount - 1 }),
      battery,
      power: fc.constantFrom(power, { ...power }, { ...power, idleWatts: 1 }),
      requirements: fc.constant(requirements),
    },
    { requiredKeys: ['tiers', 'hops', 'requirements'], noNullPrototype: true },
  );
const context: fc.Arbitrary<Context> = fc.integer({ min: 2, max: 3 }).chain(contextOf);

test('a context comes back as it was taken, whatever was there before', () => {
  const numbers = new ContextNumbers();
  fc.assert(
    fc.property(context, (taken) => {
      numbers.take(taken);
      assert.ok(numbers.holds(taken));
      assert.deepEqual(numbers.context(), taken);
      numbers.forget();
      assert.ok(!numbers.holds(taken));
    }),
  );
});

test('holds the context that says the same, and no other', () => {
  const numbers = new ContextNumbers();
  const pair = context.chain((one) =>
    fc.tuple(
      fc.constant(one),
      fc.oneof(
        context,
        fc
          .record(
            {
              tiers: fc.constant(one.tiers),
              hops: fc.constant(one.hops),
              battery,
              power: fc.constant(power),
            },
            { requiredKeys: ['tiers', 'hops'], noNullPrototype: true },
          )
          .map((part) => ({ ...part, requirements })),
      ),
    ),
  );
  fc.assert(
    fc.property(pair, ([one, other]) => {
      numbers.take(one);
      assert.equal(numbers.holds(other), isDeepStrictEqual(one, other));
      assert.ok(!numbers.holds({ ...one, requirements: {} }), 'what is asked was asked anew');
    }),
  );
});
