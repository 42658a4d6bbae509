/** What only the runtime can find out: its message reaches the user without paths and source places. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ImportRefused } from '../../src/control/ports.js';
import { importModel } from '../../src/onnx/importModel.js';
import type { ModelProto } from '../../src/onnx/proto/onnx_pb.js';
import { fileOf, graph, model, QUICK, twoConvolutions, value } from './support/smallModel.js';

function changed(change: (proto: ModelProto) => void): ModelProto {
  const proto = twoConvolutions();
  change(proto);
  return proto;
}

const cases: [string, ModelProto, RegExp][] = [
  [
    'an operator set of the future',
    changed((proto) => (proto.opsetImport[0]!.version = 999n)),
    /load the model: .*Opset 999/,
  ],
  [
    'a file format of the future',
    changed((proto) => (proto.irVersion = 99n)),
    /load the model: Unsupported model IR version: 99/,
  ],
  [
    'an operator that does not exist',
    changed((proto) => (proto.graph!.node[1]!.opType = 'Rolu')),
    /No Op registered for Rolu/,
  ],
  [
    'shapes that do not fit one another',
    model(
      graph({
        nodes: [{ type: 'MatMul', reads: ['x', 'z'], writes: ['y'] }],
        inputs: [value('x', [2, 3]), value('z', [2, 3])],
        outputs: [value('y', null)],
      }),
    ),
    /Incompatible dimensions/,
  ],
  [
    'a type that the runtime cannot be fed with',
    model(
      graph({
        nodes: [{ type: 'Relu', reads: ['x'], writes: ['y'] }],
        inputs: [value('x', [3], 16)],
        outputs: [value('y', null, 16)],
      }),
    ),
    /"x" has the type bfloat16/,
  ],
];

for (const [what, proto, words] of cases) {
  test(`${what} is refused in words`, async (t) => {
    await assert.rejects(importModel(await fileOf(t, proto), QUICK), (error) => {
      assert.ok(error instanceof ImportRefused, String(error));
      assert.match(error.code, /^(cannot-run|unsupported-type)$/);
      assert.match(error.message, words);
      assert.doesNotMatch(error.message, /tmp|\.cc:|\.h:|model\.onnx|::/);
      assert.ok(error.message.length < 500);
      return true;
    });
  });
}

test('options that make no sense are refused by name', async (t) => {
  const file = await fileOf(t, twoConvolutions());
  for (const [name, options] of [
    ['runs', { runs: 0 }],
    ['warmupRuns', { warmupRuns: 1.5 }],
    ['intraOpThreads', { intraOpThreads: Number.NaN }],
    ['inputs.x.fill', { inputs: { x: { shape: [1, 3, 8, 8], fill: Infinity } } }],
  ] as const) {
    await assert.rejects(importModel(file, { ...QUICK, ...options }), (error) => {
      assert.ok(error instanceof ImportRefused);
      assert.equal(error.code, 'bad-options');
      assert.ok(error.message.startsWith(name), error.message);
      return true;
    });
  }
});
