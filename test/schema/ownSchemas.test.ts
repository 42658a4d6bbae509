/** Our schemas against their own schema: a start compiles them without that. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Ajv } from 'ajv';
import { createAppContext } from '../../src/appContext.js';
import { loadConfig } from '../../src/config.js';
import { configSections } from '../../src/configSchema.js';
import { deviceMessageSchemas } from '../../src/protocol/messages.js';
import { InputsSchema } from '../../src/schema/profile.js';

const ajv = new Ajv();

function assertSound(schema: object, name: string): void {
  assert.equal(ajv.validateSchema(schema), true, `${name}: ${ajv.errorsText()}`);
}

test('the schemas of messages, of the configuration and of inputs are sound', () => {
  for (const [type, schema] of Object.entries(deviceMessageSchemas)) assertSound(schema, type);
  for (const [name, schema] of Object.entries(configSections)) assertSound(schema, name);
  assertSound(InputsSchema, 'inputs');
  assert.throws(() => assertSound({ type: 'text' }, 'a wrong one'), /type/);
});

test('the schemas of all requests are sound', async () => {
  const data = await mkdtemp(join(tmpdir(), 'cutpoint-schemas-'));
  const overrides = { 'listen.port': 0, 'data.directory': data, 'log.level': 'silent' };
  const context = await createAppContext(loadConfig({ env: {}, overrides }));
  let count = 0;
  try {
    await context.app.ready();
    const { paths, components } = context.app.swagger() as unknown as {
      paths: Record<string, Record<string, Operation>>;
      components: { schemas: Record<string, object> };
    };
    for (const [path, operations] of Object.entries(paths)) {
      for (const [method, { parameters = [], requestBody }] of Object.entries(operations)) {
        const bodies = Object.values(requestBody?.content ?? {});
        for (const { schema } of [...parameters, ...bodies]) {
          assertSound(schema, `${method} ${path}`);
          count++;
        }
      }
    }
    for (const [name, schema] of Object.entries(components.schemas)) assertSound(schema, name);
    assert.ok(count > 30, `${count} schemas`);
  } finally {
    await context.stop();
    await rm(data, { recursive: true, force: true });
  }
});

interface Operation {
  readonly parameters?: readonly { readonly schema: object }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: object }>> };
}
