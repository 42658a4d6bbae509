import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { fromJson, JsonTexts, toJson } from '../../src/store/json.js';

describe('JSON columns', () => {
  it('bring back every value, with null apart from the numbers that JSON cannot hold', () => {
    const number = fc.oneof(fc.double(), fc.constantFrom(Infinity, -Infinity, NaN));
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof({ maxDepth: 3 }, number, fc.string(), fc.constant(null), tie('list'), tie('record')),
      list: fc.array(tie('value'), { maxLength: 4 }),
      record: fc.dictionary(fc.string(), tie('value'), { maxKeys: 4, noNullPrototype: true }),
    }));
    fc.assert(
      fc.property(fc.record({ value, privacyDepth: fc.constant(null) }), (record) => {
        fc.pre(!JSON.stringify(record).includes('$number'));
        assert.deepEqual(fromJson(toJson(record), 'here'), plain(record));
      }),
      { examples: [[{ value: [null, -Infinity, 'null'], privacyDepth: null }]] },
    );
  });

  it('of an object that is written many times are one text', () => {
    const texts = new JsonTexts();
    const cut = { endLayers: [0, 1], layerCount: 3, seconds: Infinity };
    assert.equal(texts.of(cut), toJson(cut));
    assert.equal(texts.of(cut), texts.of(cut));
    assert.notEqual(texts.of({ ...cut, layerCount: 4 }), texts.of(cut));
  });
});

/** Without -0, which JSON writes as 0. */
function plain(value: unknown): unknown {
  if (Object.is(value, -0)) return 0;
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, of]) => [name, plain(of)]));
}
