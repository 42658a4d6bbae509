/** Fields that several messages of the device protocol share. */
import { Type, type Static, type TSchema } from 'typebox';

export const strict = { additionalProperties: false } as const;

/** The field may be absent, or null, which means the same: not known. */
export function maybe<S extends TSchema>(schema: S) {
  const { type } = schema as { readonly type?: unknown };
  if (typeof type !== 'string') throw new TypeError('maybe() takes schemas with one type');
  return Type.Optional(Type.Unsafe<Static<S> | null>({ ...schema, type: [type, 'null'] }));
}

export const oneOf = <const Values extends readonly string[]>(values: Values, description: string) =>
  Type.Unsafe<Values[number]>({ type: 'string', enum: values, description });

export const kebabCasePattern = '^[a-z][a-z0-9]*(-[a-z0-9]+)*$';
export const longestKebabCase = 64;

export const kebabCase = (description: string) =>
  Type.String({ pattern: kebabCasePattern, maxLength: longestKebabCase, description });

export const DeviceId = Type.String({
  pattern: '^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$',
  description: 'Letters, digits and . _ : - ; up to 128 characters, the first one a letter or digit',
});
export const DeploymentId = Type.String({ minLength: 1, maxLength: 128 });
export const Version = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER });
export const Tier = oneOf(['end', 'edge', 'cloud'], 'Where in the chain: the end device has the input');
