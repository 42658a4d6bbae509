// Writes docs/schemas, docs/asyncapi.json and the tables of docs/conformance.md from the program: npm run schemas:write
import { readFileSync, writeFileSync } from 'node:fs';
import { asyncApiDocument } from '../../src/protocol/asyncApi.js';
import { publishedSchemas } from '../../src/schema/published.js';
import { withConformanceTables } from './conformanceTables.js';

for (const { file, content } of publishedSchemas()) {
  writeFileSync(
    new URL(`../../../docs/schemas/${file}`, import.meta.url),
    `${JSON.stringify(content, null, 2)}\n`,
  );
}

writeFileSync(
  new URL('../../../docs/asyncapi.json', import.meta.url),
  `${JSON.stringify(asyncApiDocument(), null, 2)}\n`,
);

const conformance = new URL('../../../docs/conformance.md', import.meta.url);
writeFileSync(conformance, withConformanceTables(readFileSync(conformance, 'utf8')));
