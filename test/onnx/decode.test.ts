import assert from 'node:assert/strict';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { create, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { ImportRefused } from '../../src/control/ports.js';
import { readModel } from '../../src/onnx/decode.js';
import { DEFAULT_IMPORT_LIMITS } from '../../src/onnx/limits.js';
import { buildOperatorGraph } from '../../src/onnx/operatorGraph.js';
import {
  type ModelProto,
  ModelProtoSchema,
  NodeProtoSchema,
  TensorProto_DataLocation,
  ValueInfoProtoSchema,
} from '../../src/onnx/proto/onnx_pb.js';
import { body, fileOf, graph, model, twoConvolutions, value, weight } from './support/smallModel.js';

async function refusal(
  t: TestContext,
  content: ModelProto | Uint8Array,
  limits = DEFAULT_IMPORT_LIMITS,
): Promise<ImportRefused> {
  return refusalOf(await fileOf(t, content), limits);
}

async function refusalOf(file: string, limits = DEFAULT_IMPORT_LIMITS): Promise<ImportRefused> {
  try {
    buildOperatorGraph((await readModel(file, limits)).graph);
  } catch (error) {
    assert.ok(error instanceof ImportRefused, String(error));
    return error;
  }
  return assert.fail('the file was accepted');
}

function changed(change: (proto: ModelProto) => void): ModelProto {
  const proto = twoConvolutions();
  change(proto);
  return proto;
}

test('a sound model is read, its weights as views into the file', async (t) => {
  const read = await readModel(await fileOf(t, twoConvolutions()), DEFAULT_IMPORT_LIMITS);
  assert.equal(read.name, 'small');
  assert.match(read.sha256, /^[0-9a-f]{64}$/);
  assert.equal(read.graph.initializer[0]!.rawData.buffer, read.bytes.buffer);
});

test('what is no ONNX is refused as such', async (t) => {
  for (const content of [
    Buffer.from(''),
    Buffer.from('{"layers": []}'),
    Buffer.from('The quick brown fox jumps over the lazy dog.\n'.repeat(50)),
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13]),
    Buffer.from('PK\u0003\u0004 a zip archive'),
    Buffer.alloc(4096),
    Buffer.alloc(4096, 0xff),
  ]) {
    assert.equal((await refusal(t, content)).code, 'not-onnx', content.subarray(0, 12).toString('latin1'));
  }
});

test('a file that does not exist, or is a folder, is refused', async (t) => {
  const file = await fileOf(t, twoConvolutions());
  assert.equal((await refusalOf(join(dirname(file), 'other.onnx'))).code, 'file-missing');
  assert.equal((await refusalOf(dirname(file))).code, 'not-onnx');
});

test('a file that stops early is called incomplete, wherever it stops', async (t) => {
  const bytes = toBinary(ModelProtoSchema, twoConvolutions());
  for (const share of [0.3, 0.5, 0.9, 0.99]) {
    const { code, message } = await refusal(t, bytes.subarray(0, Math.floor(bytes.length * share)));
    assert.equal(code, 'truncated', message);
    assert.match(message, /incomplete/);
  }
});

test('the limit on the size of a file holds', async (t) => {
  const { code, message } = await refusal(t, twoConvolutions(), {
    ...DEFAULT_IMPORT_LIMITS,
    maxFileBytes: 100,
  });
  assert.equal(code, 'too-large');
  assert.match(message, /limit is 100 bytes/);
});

test('the limit on the number of operators holds', async (t) => {
  const { code, message } = await refusal(t, twoConvolutions(), {
    ...DEFAULT_IMPORT_LIMITS,
    maxOperators: 2,
  });
  assert.equal(code, 'too-large');
  assert.match(message, /3 operators; the limit is 2/);
});

test('a model without operator set, operators, inputs or outputs is refused', async (t) => {
  const cases: [string, (proto: ModelProto) => void][] = [
    ['no-opset', (proto) => (proto.opsetImport = [])],
    ['no-operators', (proto) => (proto.graph!.node = [])],
    ['no-inputs', (proto) => (proto.graph!.input = [])],
    ['not-onnx', (proto) => (proto.graph!.output = [])],
    ['truncated', (proto) => delete proto.graph],
  ];
  for (const [code, change] of cases) assert.equal((await refusal(t, changed(change))).code, code);
});

test('operators of a private domain are named', async (t) => {
  const { code, message } = await refusal(
    t,
    changed((proto) => {
      proto.graph!.node[1]!.domain = 'com.acme';
      proto.graph!.node[1]!.opType = 'SecretRelu';
    }),
  );
  assert.equal(code, 'custom-domain');
  assert.match(message, /SecretRelu \(domain com\.acme\)/);
});

test('inputs and outputs that are no tensors are refused by name and kind', async (t) => {
  for (const [kind, words] of [
    ['sequenceType', /"x" is a sequence/],
    ['mapType', /"x" is a map/],
    ['optionalType', /"x" is an optional value/],
  ] as const) {
    const { code, message } = await refusal(
      t,
      changed((proto) => {
        proto.graph!.input = [
          create(ValueInfoProtoSchema, { name: 'x', type: { value: { case: kind, value: {} } } }),
        ];
      }),
    );
    assert.equal(code, 'sequence-type');
    assert.match(message, words);
  }
});

test('a tensor that claims other data than it has is refused by name', async (t) => {
  const cases: ((proto: ModelProto) => void)[] = [
    (proto) => (proto.graph!.initializer[0]!.dims = [2n ** 40n, 2n ** 40n]),
    (proto) => (proto.graph!.initializer[0]!.dims = [-1n, 3n, 3n, 3n]),
    (proto) => (proto.graph!.initializer[0]!.dims = [4n, 3n, 3n, 4n]),
    (proto) => (proto.graph!.initializer[0]!.dataType = 99),
    (proto) => (proto.graph!.initializer[0]!.rawData = new Uint8Array(0)),
  ];
  for (const change of cases) {
    const { code, message } = await refusal(t, changed(change));
    assert.equal(code, 'bad-tensor', message);
    assert.match(message, /"w1"/);
  }
});

function external(location: string, offset = 0, length = 432): ModelProto {
  return changed((proto) => {
    const tensor = proto.graph!.initializer[0]!;
    tensor.rawData = new Uint8Array(0);
    tensor.dataLocation = TensorProto_DataLocation.EXTERNAL;
    tensor.externalData = Object.entries({ location, offset: `${offset}`, length: `${length}` }).map(
      ([key, text]) => ({ $typeName: 'onnx.StringStringEntryProto' as const, key, value: text }),
    );
  });
}

test('external weights are read beside the model and are part of its hash', async (t) => {
  const file = await fileOf(t, external('w.bin', 8));
  await writeFile(join(dirname(file), 'w.bin'), Buffer.alloc(440, 1));
  const first = await readModel(file, DEFAULT_IMPORT_LIMITS);
  assert.equal(first.externalFiles[0]!.bytes.length, 440);
  await writeFile(join(dirname(file), 'w.bin'), Buffer.alloc(440, 2));
  assert.notEqual((await readModel(file, DEFAULT_IMPORT_LIMITS)).sha256, first.sha256);
});

test('external weights that are missing, too short or elsewhere are refused', async (t) => {
  const missing = await refusal(t, external('w.bin'));
  assert.equal(missing.code, 'missing-external-data');
  assert.match(missing.message, /"w\.bin"/);
  for (const location of ['../w.bin', '/etc/hostname', 'a/../../w.bin', '']) {
    assert.equal((await refusal(t, external(location))).code, 'external-data-escapes', location);
  }
  const short = await fileOf(t, external('w.bin', 1));
  await writeFile(join(dirname(short), 'w.bin'), Buffer.alloc(432));
  assert.equal((await refusalOf(short)).code, 'bad-tensor');
});

test('a link that leads out of the folder of the model is refused', async (t) => {
  const outside = await mkdtemp(join(tmpdir(), 'cutpoint-test-'));
  t.after(() => rm(outside, { recursive: true, force: true }));
  await writeFile(join(outside, 'w.bin'), Buffer.alloc(432));
  const file = await fileOf(t, external('w.bin'));
  await symlink(join(outside, 'w.bin'), join(dirname(file), 'w.bin'));
  assert.equal((await refusalOf(file)).code, 'external-data-escapes');
});

test('operators in a circle, twice written names and unknown names are refused', async (t) => {
  const of = (nodes: Parameters<typeof graph>[0]['nodes']): ModelProto =>
    model(graph({ nodes, inputs: [value('x', [1])], outputs: [value('y', [1])] }));
  const circle = of([
    { type: 'Add', reads: ['x', 'y'], writes: ['a'] },
    { type: 'Relu', reads: ['a'], writes: ['y'] },
  ]);
  assert.match((await refusal(t, circle)).message, /circle/);
  const twice = of([
    { type: 'Relu', reads: ['x'], writes: ['y'] },
    { type: 'Abs', reads: ['x'], writes: ['y'] },
  ]);
  assert.match((await refusal(t, twice)).message, /"y" is written twice/);
  assert.match(
    (await refusal(t, of([{ type: 'Add', reads: ['x', 'z'], writes: ['y'] }]))).message,
    /"z", which nobody/,
  );
  assert.match((await refusal(t, of([{ type: 'Relu', reads: ['x'], writes: ['z'] }]))).message, /output "y"/);
});

test('operators are sorted, whatever order the file has them in', async (t) => {
  const file = await fileOf(
    t,
    changed((proto) => proto.graph!.node.reverse()),
  );
  const { operators } = buildOperatorGraph((await readModel(file, DEFAULT_IMPORT_LIMITS)).graph);
  assert.deepEqual(
    operators.map((operator) => operator.writes[0]),
    ['a', 'b', 'y'],
  );
});

test('damaged files never do anything but be refused or accepted', async (t) => {
  const bytes = toBinary(
    ModelProtoSchema,
    model(
      graph({
        nodes: [{ type: 'Add', reads: ['x', 'w'], writes: ['y'] }],
        inputs: [value('x', [2, 'n'])],
        outputs: [value('y', null)],
        weights: [weight('w', [2, 2])],
      }),
    ),
  );
  const file = await fileOf(t, bytes);
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 }),
      fc.nat(bytes.length),
      async (changes, length) => {
        const damaged = Buffer.from(bytes);
        for (const [at, byte] of changes) damaged[at] = byte;
        await writeFile(file, length % 3 === 0 ? damaged.subarray(0, length) : damaged);
        try {
          buildOperatorGraph((await readModel(file, DEFAULT_IMPORT_LIMITS)).graph);
        } catch (error) {
          if (!(error instanceof ImportRefused)) throw error;
        }
      },
    ),
    { numRuns: 3000 },
  );
});

test('names that the runtime cannot write into its record are refused, and named', async (t) => {
  for (const name of ['a"b', 'C:\\net\\conv', 'a\nb', 'a\u0001']) {
    const places: ((proto: ModelProto) => void)[] = [
      (proto) => (proto.graph!.node[0]!.name = name),
      (proto) => (proto.graph!.node[0]!.output[0] = name),
      (proto) => (proto.graph!.input[0]!.name = name),
    ];
    for (const place of places) {
      const { code, message } = await refusal(t, changed(place));
      assert.equal(code, 'bad-name');
      assert.ok(message.includes(JSON.stringify(name)), message);
    }
  }
});

test('branches nested beyond all measure are refused', async (t) => {
  const { code } = await refusal(
    t,
    changed((proto) => {
      const inside = proto.graph!;
      for (let depth = 0; depth < 70; depth++) {
        const inner = { ...graph({ nodes: [], inputs: [], outputs: [] }), node: inside.node };
        const attribute = [body('then_branch', inner)];
        inside.node = [create(NodeProtoSchema, { opType: 'If', attribute })];
      }
    }),
  );
  assert.equal(code, 'not-onnx'); // the decoder of the message itself goes no deeper
});
