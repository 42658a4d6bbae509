// Writes docs/schemas from the schemas of the program: npm run schemas:write
import { writeFileSync } from 'node:fs';
import { publishedSchemas } from '../../src/schema/published.js';

for (const { file, content } of publishedSchemas()) {
  writeFileSync(
    new URL(`../../../docs/schemas/${file}`, import.meta.url),
    `${JSON.stringify(content, null, 2)}\n`,
  );
}
