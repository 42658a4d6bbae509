/** What must hold for every layer graph, whatever the model. */
import assert from 'node:assert/strict';
import type { ImportResult } from '../../../src/control/ports.js';

export function assertSound({ graph, profile }: ImportResult): void {
  const { layers, tensors } = graph;
  assert.ok(layers.length > 0, 'at least one layer');
  assert.equal(new Set(layers.map((layer) => layer.name)).size, layers.length, 'layer names are unique');
  assert.equal(new Set(tensors.map((tensor) => tensor.name)).size, tensors.length, 'tensor names are unique');
  for (const tensor of tensors) {
    assert.ok(Number.isSafeInteger(tensor.bytes) && tensor.bytes >= 0, `${tensor.name} has bytes`);
    assert.ok(tensor.consumers.length > 0 || tensor.isOutput, `${tensor.name} is read or returned`);
    assert.deepEqual(
      [...new Set(tensor.consumers)].sort((a, b) => a - b),
      tensor.consumers,
    );
    for (const consumer of tensor.consumers) {
      assert.ok(
        consumer < layers.length && consumer > (tensor.producer ?? -1),
        `${tensor.name} flows forwards`,
      );
    }
  }
  layers.forEach((layer, index) => {
    assert.ok(layer.operators.length > 0);
    assert.ok(layer.weightBytes >= 0 && Number.isSafeInteger(layer.weightBytes));
    assert.ok(
      layer.macs === null || (layer.macs >= 0 && Number.isSafeInteger(layer.macs)),
      `${layer.name} ${layer.macs}`,
    );
    const alive = tensors.filter(
      ({ producer, consumers, isOutput }) =>
        (producer ?? -1) <= index && (isOutput || consumers.some((consumer) => consumer >= index)),
    );
    assert.equal(
      layer.workingBytes,
      alive.reduce((sum, tensor) => sum + tensor.bytes, 0),
      `${layer.name} working set`,
    );
    assert.ok(
      tensors.some((tensor) => tensor.producer === index),
      `${layer.name} writes something`,
    );
  });
  assert.deepEqual(
    profile.layers.map((layer) => layer.name),
    layers.map((layer) => layer.name),
  );
  for (const { minSeconds, medianSeconds, maxSeconds } of [...profile.layers, profile.wholeModel]) {
    assert.ok(0 <= minSeconds && minSeconds <= medianSeconds && medianSeconds <= maxSeconds);
  }
  const sum = profile.layers.reduce((seconds, layer) => seconds + layer.medianSeconds, 0);
  assert.ok(sum <= profile.wholeModel.medianSeconds * (1 + 1e-9), 'layers take no longer than the whole');
  assert.ok(profile.wholeModel.minSeconds > 0);
  assert.ok(
    profile.layers.some((layer) => layer.medianSeconds > 0),
    'some layer takes time',
  );
}
