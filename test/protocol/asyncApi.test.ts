import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import specs from '@asyncapi/specs';
import { Ajv } from 'ajv';
import { asyncApiDocument } from '../../src/protocol/asyncApi.js';
import { closes, transportCloses } from '../../src/protocol/closeCodes.js';
import { controllerMessageSchemas, deviceMessageSchemas } from '../../src/protocol/messages.js';

type Json = Record<string, unknown>;

/** The schema of AsyncAPI 3.0.0 itself; formats of addresses are not what is checked here. */
function asyncApiCheck() {
  // it brings the schema of JSON Schema along, as a part of its own
  return new Ajv({ strict: false, validateFormats: false, meta: false, validateSchema: false }).compile(
    specs.schemas['3.0.0'] as object,
  );
}

/** The value at a path, or at a `$ref`. */
function at(document: unknown, ...path: string[]): unknown {
  return path.reduce((value, key) => (value as Json | undefined)?.[key], document);
}

function refsIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    key === '$ref' && typeof inner === 'string' ? [inner] : refsIn(inner),
  );
}

describe('docs/asyncapi.json', () => {
  const document = asyncApiDocument();

  it('says what the program checks (npm run schemas:write)', () => {
    const file = new URL('../../../docs/asyncapi.json', import.meta.url);
    assert.deepEqual(JSON.parse(readFileSync(file, 'utf8')), document);
  });

  it('is AsyncAPI 3, by the schema of AsyncAPI', () => {
    const validate = asyncApiCheck();
    assert.ok(validate(document), JSON.stringify(validate.errors));
    for (const path of [
      ['operations', 'hello', 'action'],
      ['servers', 'plain', 'host'],
    ]) {
      const broken = asyncApiDocument();
      delete (at(broken, ...path.slice(0, -1)) as Json)[path.at(-1)!];
      assert.equal(validate(broken), false, `without ${path.join('.')}`);
    }
  });

  it('has only references that lead somewhere', () => {
    const refs = refsIn(document);
    assert.ok(refs.length > 20);
    for (const ref of refs) assert.ok(at(document, ...ref.split('/').slice(1)), ref);
  });

  it('has every message, with its schema and its direction', () => {
    for (const [schemas, action] of [
      [deviceMessageSchemas, 'receive'],
      [controllerMessageSchemas, 'send'],
    ] as const) {
      for (const [name, schema] of Object.entries(schemas)) {
        assert.equal(at(document, 'operations', name, 'action'), action);
        assert.deepEqual(
          at(document, 'components', 'messages', name, 'payload'),
          JSON.parse(JSON.stringify(schema)),
        );
      }
    }
  });

  it('has every close code', () => {
    const said = at(document, 'channels', 'devices', 'x-close-codes');
    assert.deepEqual(said, { ...closes, ...transportCloses });
  });
});
