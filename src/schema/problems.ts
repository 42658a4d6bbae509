/**
 * Checks JSON documents against a schema and says in plain words what is wrong with each field, all of
 * it at once, so that a file is corrected in one go.
 */
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import type { Static, TSchema } from 'typebox';

export type Checked<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problems: readonly string[] };

export type Check<T> = (value: unknown) => Checked<T>;

/** A document as its readers see it. */
export type DeepReadonly<T> = T extends (infer Entry)[]
  ? readonly DeepReadonly<Entry>[]
  : T extends object
    ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
    : T;

/**
 * Compiles `schema` to a check that coerces nothing, drops nothing and lists every problem with its field. At its first
 * use: that takes tens of milliseconds, and a controller that starts again is waited for by all its devices.
 */
export function compileCheck<S extends TSchema>(schema: S): Check<Static<S>> {
  let compiled: ValidateFunction | null = null;
  return (value) => {
    compiled ??= new Ajv({ allErrors: true, strict: true, allowUnionTypes: true, verbose: true }).compile(
      schema,
    );
    const validate = compiled;
    if (validate(value)) return { ok: true, value: value as Static<S> };
    // A failed branch of a union reports itself and each of its branches: the branches say enough.
    const problems = (validate.errors ?? []).map(describe);
    return { ok: false, problems: [...new Set(problems)] };
  };
}

/** `/hops/0/rttSeconds` as people write it: `hops[0].rttSeconds`. */
function fieldName(instancePath: string, property?: string): string {
  const steps = instancePath.split('/').slice(1);
  if (property !== undefined) steps.push(property);
  return steps
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce(
      (path, step) => (/^\d+$/.test(step) ? `${path}[${step}]` : path === '' ? step : `${path}.${step}`),
      '',
    );
}

/** The field that `error` is about, as people write it; empty for the document itself. */
export function fieldOf(error: Pick<ErrorObject, 'keyword' | 'instancePath' | 'params'>): string {
  const params = error.params as Record<string, unknown>;
  const inside = error.keyword === 'required' ? params['missingProperty'] : params['additionalProperty'];
  return fieldName(error.instancePath, typeof inside === 'string' ? inside : undefined);
}

/** What is wrong, in a sentence that begins with the field. */
export function describe(error: ErrorObject): string {
  const params = error.params as Record<string, unknown>;
  const at = fieldName(error.instancePath) || 'the document';
  switch (error.keyword) {
    case 'additionalProperties':
      return `${fieldName(error.instancePath, String(params['additionalProperty']))} is not a known field`;
    case 'required':
      return `${fieldName(error.instancePath, String(params['missingProperty']))} is missing`;
    case 'type':
      return `${at} must be ${typeNames(params['type'])}, not ${shortened(error.data)}`;
    case 'const':
      return `${at} must be ${shortened(params['allowedValue'])}, not ${shortened(error.data)}`;
    case 'minItems':
    case 'maxItems': {
      const found = Array.isArray(error.data) ? error.data.length : 0;
      const bound = error.keyword === 'minItems' ? 'at least' : 'at most';
      return `${at} must have ${bound} ${String(params['limit'])} entries, not ${found}`;
    }
    default:
      return `${at} ${error.message ?? error.keyword}, not ${shortened(error.data)}`;
  }
}

function typeNames(type: unknown): string {
  const names = Array.isArray(type) ? (type as string[]) : [String(type)];
  return names
    .map((name) => (name === 'null' ? 'null' : `${/^[aio]/.test(name) ? 'an' : 'a'} ${name}`))
    .join(' or ');
}

/** JSON, but for what is nested deeper than the stack that would write it. */
function written(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value);
  } catch (error) {
    if (error instanceof RangeError) return 'something nested too deeply to show';
    throw error;
  }
}

function shortened(value: unknown): string {
  if (typeof value === 'number') return String(value); // JSON.stringify would turn Infinity into null
  const text = written(value);
  return text.length > 40 ? `${text.slice(0, 37)}…` : text;
}
