/** Figures of a cut that may need a link that cannot be used: it would take for ever, which JSON has no number for but null. */
import type { TSchema } from 'typebox';

/** `schema` with null in the place of any number. */
export function orNever<Schema extends TSchema>(schema: Schema): Schema {
  return withNull(schema) as Schema;
}

function withNull(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withNull);
  if (typeof value !== 'object' || value === null) return value;
  const { type } = value as { readonly type?: unknown };
  // typebox marks what is optional by a property that is not enumerable
  const copy = Object.defineProperties({}, Object.getOwnPropertyDescriptors(value));
  Object.assign(
    copy,
    Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withNull(inner)])),
  );
  return type === 'number' ? Object.assign(copy, { type: ['number', 'null'] }) : copy;
}
