import assert from 'node:assert/strict';
import { test } from 'node:test';
import { spreadOf, withoutRecording } from '../../src/onnx/layerTimes.js';

test('a spread is median, least and most', () => {
  assert.deepEqual(spreadOf([3, 1, 2]), { medianSeconds: 2, minSeconds: 1, maxSeconds: 3 });
  assert.deepEqual(spreadOf([4, 1, 3, 2]), { medianSeconds: 2.5, minSeconds: 1, maxSeconds: 4 });
  assert.throws(() => spreadOf([]), RangeError);
});

test('layers that seem to take longer than the whole are scaled down to it, others are left alone', () => {
  const layers = [1, 3].map((seconds, index) => ({
    name: `${index}`,
    medianSeconds: seconds,
    minSeconds: seconds / 2,
    maxSeconds: 2 * seconds,
  }));
  const whole = (medianSeconds: number): Parameters<typeof withoutRecording>[1] => ({
    medianSeconds,
    minSeconds: medianSeconds,
    maxSeconds: medianSeconds,
  });
  assert.deepEqual(withoutRecording(layers, whole(5)), layers);
  assert.deepEqual(
    withoutRecording(layers, whole(2)).map((layer) => [
      layer.medianSeconds,
      layer.minSeconds,
      layer.maxSeconds,
    ]),
    [
      [0.5, 0.25, 1],
      [1.5, 0.75, 3],
    ],
  );
});
