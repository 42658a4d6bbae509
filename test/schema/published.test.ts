import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { publishedSchemas } from '../../src/schema/published.js';

const folder = new URL('../../../docs/schemas/', import.meta.url);

test('docs/schemas says what the program checks (npm run schemas:write)', () => {
  const published = publishedSchemas();
  assert.deepEqual(readdirSync(folder).sort(), published.map(({ file }) => file).sort());
  for (const { file, content } of published) {
    assert.deepEqual(JSON.parse(readFileSync(new URL(file, folder), 'utf8')), content, file);
  }
});
