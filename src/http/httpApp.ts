/** The types of the HTTP application, and its schema compilers. */
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import { Ajv } from 'ajv';
import type {
  FastifyBaseLogger,
  FastifyInstance,
  FastifySchemaCompiler,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify';
import type { TSchema } from 'typebox';

export type HttpApp = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

/**
 * Bodies are taken as they are; what stands in an address is text, so there numbers are read from it. The tests hold the
 * schemas against their own schema, and requests are few: at a start neither is worth the time.
 */
export function createValidatorCompiler(): FastifySchemaCompiler<TSchema> {
  const options = {
    ...{ strict: true, allowUnionTypes: true, allErrors: true, verbose: true, useDefaults: true },
    ...{ validateSchema: false, code: { optimize: false } },
  };
  const exact = new Ajv({ ...options, coerceTypes: false });
  const fromText = new Ajv({ ...options, coerceTypes: true });
  return ({ schema, httpPart }) => (httpPart === 'body' ? exact : fromText).compile(schema);
}

/**
 * Response schemas are for the OpenAPI document. They do not serialise: a serialiser made from a schema would drop
 * fields and turn null into 0 without a word. The tests hold the answers against the document instead.
 */
export function documented(responses: Record<number, object>): Record<number, unknown> {
  return responses;
}
