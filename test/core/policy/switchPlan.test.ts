import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { switchPlan } from '../../../src/core/policy/switchPlan.js';

const outlook = { persistence: 0.5, horizonSamples: 10, switchCost: 1 };

test('a lasting gain is worth its mean over the horizon and what is left of the deviation', () => {
  // 10 * 0.3 + 0.2 * (0.5 + 0.25 + … ten terms) - 1
  const plan = switchPlan({ meanGain: 0.3, presentGain: 0.5 }, outlook);
  assert.equal(plan?.kind, 'lasting');
  assert.ok(Math.abs(plan.value - (3 + 0.2 * (1 - 0.5 ** 10) - 1)) < 1e-12);
});

test('nobody goes where the next sample loses, or where the gain does not pay for the switches', () => {
  assert.equal(switchPlan({ meanGain: 0.3, presentGain: -0.5 }, outlook), null);
  assert.equal(switchPlan({ meanGain: 0.05, presentGain: 0.05 }, outlook), null);
  // Two samples gain 1 and 0, going and coming back costs 2.
  assert.equal(switchPlan({ meanGain: -1, presentGain: 3 }, outlook), null);
});

test('a passing gain is followed for as long as it is expected to last', () => {
  fc.assert(
    fc.property(
      fc.double({ min: -5, max: -0.01, noNaN: true }),
      fc.double({ min: 0, max: 20, noNaN: true }),
      fc.double({ min: 0.2, max: 0.97, noNaN: true }),
      (meanGain, presentGain, persistence) => {
        const plan = switchPlan(
          { meanGain, presentGain },
          { ...outlook, persistence, switchCost: 0, horizonSamples: 500 },
        );
        // By hand: the gains of the samples ahead, as long as they are above 0.
        let value = 0;
        for (let i = 1; i <= 500; i++) {
          const gain = meanGain + persistence ** i * (presentGain - meanGain);
          if (gain <= 0) break;
          value += gain;
        }
        assert.equal(plan === null, !(value > 0));
        if (plan) assert.ok(Math.abs(plan.value - value) <= 1e-6 * (1 + value), `${plan.value} ${value}`);
      },
    ),
  );
});
