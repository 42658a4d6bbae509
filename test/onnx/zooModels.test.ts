/** The networks of the zoo through the importer: counts that two independent pieces of code must agree on. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { importModel } from '../../src/onnx/importModel.js';
import { inspectModel } from '../../src/onnx/inspectModel.js';
import { buildZooModel } from '../../src/zoo/zoo.js';
import { countCuts } from './support/countCuts.js';
import { assertHalvesEqualWhole, prepare } from './support/halves.js';
import { assertSound } from './support/invariants.js';
import { fileOf, QUICK } from './support/smallModel.js';

/** Layers and cuts: one between any two that are worth telling apart, no fewer whatever becomes cheap. */
const CUTS = {
  'squeezenet-1.1': [38, 47],
  googlenet: [81, 496],
  'mobilenet-v2': [64, 65],
  'densenet-121': [184, 185],
  'bert-base': [151, 251],
} as const;

for (const [name, [layerCount, cutCount]] of Object.entries(CUTS)) {
  test(`${name}: operations and weights are those of the builder`, async (t) => {
    const zoo = buildZooModel(name, { weights: 'constant' });
    const result = await importModel(await fileOf(t, zoo.bytes()), { ...QUICK, runs: 1 });
    assertSound(result);
    const { layers } = result.graph;
    assert.deepEqual([layers.length, countCuts(result.graph)], [layerCount, cutCount]);
    assert.equal(
      layers.reduce((sum, layer) => sum + layer.macs!, 0),
      zoo.counted.macs,
    );
    // Of a normalisation's four vectors two are learned: folded into a convolution one remains, left over all four.
    const parameters = layers.reduce((sum, layer) => sum + layer.weightBytes / 4, 0);
    assert.ok(parameters <= zoo.counted.parameters * 1.01, `${parameters}`);
    assert.ok(parameters >= zoo.counted.parameters * 0.99, `${parameters} of ${zoo.counted.parameters}`);
  });
}

test('all cuts of SqueezeNet compute the same', async (t) => {
  const prepared = await prepare(await fileOf(t, buildZooModel('squeezenet-1.1').bytes()), {});
  const count = prepared.layering.graph.layers.length;
  for (let border = 1; border < count; border += 3) await assertHalvesEqualWhole(prepared, border);
});

test('an inspection says what an import would need, and runs nothing', async (t) => {
  const zoo = buildZooModel('squeezenet-1.1');
  const inspection = await inspectModel(await fileOf(t, zoo.bytes()));
  assert.equal(inspection.operators['Conv'], 26);
  assert.equal(inspection.parameterCount, zoo.counted.parameters);
  assert.equal(inspection.sizeBytes, zoo.byteLength);
  assert.deepEqual(inspection.shapesNeeded, {});
  assert.deepEqual(
    inspection.inputs.map((input) => input.dimensions),
    zoo.inputs.map((input) => input.shape),
  );
});
