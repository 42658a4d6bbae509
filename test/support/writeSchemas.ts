// Writes docs/schemas and docs/asyncapi.json from the schemas of the program: npm run schemas:write
import { writeFileSync } from 'node:fs';
import { asyncApiDocument } from '../../src/protocol/asyncApi.js';
import { publishedSchemas } from '../../src/schema/published.js';

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
