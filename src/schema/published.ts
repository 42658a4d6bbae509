/** The documents whose schemas are published in docs/schemas, as JSON Schema. */
import type { TSchema } from 'typebox';
import { ContextSchema } from './context.js';
import { DecisionDocumentSchema } from './decisionDocument.js';
import { GraphDocumentSchema } from './graphDocument.js';
import { ProfileSchema } from './profile.js';
import { ReplayDocumentSchema } from './replayDocument.js';

const documents: Readonly<Record<string, TSchema>> = {
  context: ContextSchema,
  decision: DecisionDocumentSchema,
  graph: GraphDocumentSchema,
  profile: ProfileSchema,
  replay: ReplayDocumentSchema,
};

/** File name in docs/schemas and its content. */
export function publishedSchemas(): { readonly file: string; readonly content: object }[] {
  return Object.entries(documents).map(([name, schema]) => ({
    file: `${name}.json`,
    content: {
      $schema: 'http://json-schema.org/draft-07/schema#',
      title: `Cutpoint ${name}`,
      ...(JSON.parse(JSON.stringify(schema)) as object),
    },
  }));
}
