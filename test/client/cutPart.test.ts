import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { partOf } from '../../src/client/index.js';
import { cutMessage } from './cutMessages.js';

const tensor = (name: string) => ({ name, type: 'float32', shape: [1], bytes: 4 });
const tiers = ['end', 'edge', 'cloud'] as const;

test('with two tiers the edge has what the end device has not', () => {
  const cut = cutMessage(1, 'active', { endLayers: [0, 2], tensors: [tensor('a')] });
  assert.deepEqual(partOf(cut), { layers: [0, 2], receives: [], sends: [tensor('a')] });
  const edge = { layers: [1, 3], receives: [tensor('a')], sends: [] };
  assert.deepEqual(partOf({ ...cut, tier: 'edge' }), edge);
});

test('an edge without layers passes on what it gets', () => {
  const crossing = { endLayers: [0], edgeLayers: [], tensors: [tensor('a')], edgeTensors: [tensor('a')] };
  const cut = cutMessage(1, 'active', crossing);
  const edge = { layers: [], receives: [tensor('a')], sends: [tensor('a')] };
  assert.deepEqual(partOf({ ...cut, tier: 'edge' }), edge);
  const cloud = { layers: [1, 2, 3], receives: [tensor('a')], sends: [] };
  assert.deepEqual(partOf({ ...cut, tier: 'cloud' }), cloud);
});

test('every layer is on one tier', () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 2 }), { minLength: 1, maxLength: 12 }), (placement) => {
      const on = (wanted: number) => placement.flatMap((tier, layer) => (tier === wanted ? layer : []));
      const cut = { layerCount: placement.length, endLayers: on(0), edgeLayers: on(1) };
      tiers.forEach((tier, index) => {
        assert.deepEqual(partOf({ ...cutMessage(1, 'active', cut), tier }).layers, on(index));
      });
    }),
  );
});
