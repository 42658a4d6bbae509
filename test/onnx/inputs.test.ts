import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ImportRefused } from '../../src/control/ports.js';
import { chooseInputs, makeFeeds } from '../../src/onnx/inputs.js';
import { DEFAULT_IMPORT_LIMITS } from '../../src/onnx/limits.js';
import type { DeclaredInput } from '../../src/onnx/operatorGraph.js';

const image: DeclaredInput = { name: 'image', type: 'float32', dimensions: ['n', 3, 8, 8] };
const mask: DeclaredInput = { name: 'mask', type: 'int64', dimensions: ['n', null] };

function refusal(run: () => unknown): ImportRefused {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof ImportRefused, String(error));
    return error;
  }
  return assert.fail('nothing was refused');
}

test('shapes come from the model where they are fixed and else from the caller', () => {
  const fixed: DeclaredInput = { name: 'f', type: 'uint8', dimensions: [2, 2] };
  const chosen = chooseInputs([image, fixed], { image: { shape: [4, 3, 8, 8] } }, DEFAULT_IMPORT_LIMITS);
  assert.deepEqual(
    chosen.map((input) => input.shape),
    [
      [4, 3, 8, 8],
      [2, 2],
    ],
  );
});

test('every input that needs a shape is named, with what it declares; one for one item is offered', () => {
  const both = refusal(() => chooseInputs([image, mask], {}, DEFAULT_IMPORT_LIMITS));
  assert.equal(both.code, 'shape-needed');
  assert.match(both.message, /"image" float32\[n, 3, 8, 8\], "mask" int64\[n, \?\]/);
  const one = refusal(() => chooseInputs([image], {}, DEFAULT_IMPORT_LIMITS));
  assert.match(one.message, /\{"image":\{"shape":\[1,3,8,8\]\}\}/);
});

test('shapes that do not fit are refused', () => {
  const limits = { ...DEFAULT_IMPORT_LIMITS, maxTensorBytes: 10_000 };
  const choose = (given: Parameters<typeof chooseInputs>[1]): string =>
    refusal(() => chooseInputs([image, mask], given, limits)).code;
  const rest = { mask: { shape: [1, 5] } };
  assert.equal(choose({ ...rest, image: { shape: [1, 4, 8, 8] } }), 'wrong-shape');
  assert.equal(choose({ ...rest, image: { shape: [1, 3, 8] } }), 'wrong-shape');
  assert.equal(choose({ ...rest, image: { shape: [1.5, 3, 8, 8] } }), 'wrong-shape');
  assert.equal(choose({ ...rest, image: { shape: [-1, 3, 8, 8] } }), 'wrong-shape');
  assert.equal(choose({ ...rest, image: { shape: [2, 3, 8, 8] } }), 'wrong-shape'); // n is 1 for the mask
  assert.equal(choose({ ...rest, image: { shape: [100, 3, 8, 8] } }), 'too-large');
  assert.equal(choose({ ...rest, other: { shape: [1] } }), 'unknown-input');
});

test('the same seed gives the same values, indices stay in every vocabulary, fills are kept', () => {
  const inputs = [
    { name: 'a', type: 'float32', shape: [64] },
    { name: 'b', type: 'int64', shape: [64] },
    { name: 'c', type: 'int64', shape: [], fill: 16000 },
    { name: 'd', type: 'float16', shape: [2], fill: 1.5 },
  ];
  const [first, second] = [makeFeeds(inputs, 7), makeFeeds(inputs, 7)];
  assert.deepEqual(first['a']!.data, second['a']!.data);
  assert.ok((first['a']!.data as Float32Array).every((each) => each >= 0 && each < 1));
  assert.ok((first['b']!.data as BigInt64Array).every((each) => each === 0n || each === 1n));
  assert.deepEqual([...(first['c']!.data as BigInt64Array)], [16000n]);
  const halves = first['d']!.data as Uint16Array;
  assert.deepEqual([...new Uint16Array(halves.buffer, halves.byteOffset, 2)], [0x3e00, 0x3e00]);
});
