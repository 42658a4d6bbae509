/**
 * Values from a JSON schema: mostly right ones with their bounds hit, now and then something wrong in one place.
 * Made from the schemas that the product itself checks with, so a new field is fuzzed as soon as it exists.
 */
import type { Random } from '../../src/demo/random.js';

interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly patternProperties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly $ref?: string;
}

export interface Source {
  readonly random: Random;
  /** How likely a place gets a wrong value, 0 to 1. */
  readonly wrong: number;
  /** Names of things that exist, so that some of the strings mean something. */
  readonly names: readonly string[];
  /** Resolves `$ref`; null where it is unknown. */
  readonly resolve?: (reference: string) => object | null;
}

/** JSON values that code stumbles over; JSON.stringify turns the last ones into null or drops them. */
const oddValues: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -0,
  -1,
  0.1,
  1e308,
  -1e308,
  5e-324,
  2 ** 53,
  2 ** 63,
  '',
  ' ',
  '0',
  'NaN',
  '\u0000',
  '\ud800',
  'x'.repeat(300),
  '💥',
  '__proto__',
  'constructor',
  "'; DROP TABLE decisions; --",
  [],
  [[[[]]]],
  {},
  { toString: 1, valueOf: null },
  { constructor: { prototype: { polluted: true } } },
];

const whole = (random: Random, below: number): number => Math.floor(random.uniform() * below);
const pick = <T>(random: Random, list: readonly T[]): T => list[whole(random, list.length)]!;

export function oddValue(random: Random): unknown {
  return structuredClone(pick(random, oddValues)); // whoever gets it may write into it
}

export function fromSchema(schema: object, source: Source): unknown {
  return valueOf(schema, source, 0);
}

function valueOf(schema: JsonSchema, source: Source, depth: number): unknown {
  const { random } = source;
  if (random.uniform() < source.wrong) return oddValue(random);
  if (schema.$ref !== undefined) {
    const target = source.resolve?.(schema.$ref) ?? null;
    return target === null || depth > 12 ? oddValue(random) : valueOf(target, source, depth + 1);
  }
  if ('const' in schema) return schema.const;
  if (schema.enum !== undefined) return pick(random, schema.enum);
  const branches = schema.anyOf ?? schema.oneOf;
  // branches beside properties say which of those are needed
  if (branches !== undefined && schema.properties === undefined)
    return valueOf(pick(random, branches), source, depth + 1);
  const { type } = schema;
  switch (typeof type === 'string' || type === undefined ? type : pick(random, type)) {
    case 'object':
      return objectOf(schema, source, depth);
    case 'array':
      return arrayOf(schema, source, depth);
    case 'string':
      return stringOf(schema, source);
    case 'integer':
      return Math.round(numberOf(schema, random));
    case 'number':
      return numberOf(schema, random);
    case 'boolean':
      return random.uniform() < 0.5;
    case 'null':
      return null;
    case undefined:
    default:
      return oddValue(random); // anything is allowed here
  }
}

function objectOf(schema: JsonSchema, source: Source, depth: number): Record<string, unknown> {
  const { random } = source;
  const value: Record<string, unknown> = {};
  for (const [name, inner] of Object.entries(schema.properties ?? {})) {
    const isRequired = schema.required?.includes(name) ?? false;
    const present = isRequired ? random.uniform() >= source.wrong : random.uniform() < 0.5;
    if (present) value[name] = valueOf(inner, source, depth + 1);
  }
  const free = typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined;
  const open = free ?? Object.values(schema.patternProperties ?? {})[0];
  if (open !== undefined) {
    for (let count = whole(random, 3); count > 0; count--) {
      value[nameOf(source)] = valueOf(open, source, depth + 1);
    }
  }
  if (random.uniform() < source.wrong) value[nameOf(source)] = oddValue(random);
  return value;
}

function arrayOf(schema: JsonSchema, source: Source, depth: number): unknown[] {
  const { random } = source;
  const least = schema.minItems ?? 0;
  const most = Math.min(schema.maxItems ?? least + 4, least + 4);
  const beyond = schema.maxItems !== undefined && schema.maxItems < 2_000 && random.uniform() < source.wrong;
  const length = beyond ? schema.maxItems + 1 : least + whole(random, most - least + 1);
  return Array.from({ length }, () => valueOf(schema.items ?? {}, source, depth + 1));
}

function numberOf(schema: JsonSchema, random: Random): number {
  const low = schema.minimum ?? schema.exclusiveMinimum ?? -1e6;
  const high = schema.maximum ?? schema.exclusiveMaximum ?? 1e6;
  switch (whole(random, 7)) {
    case 0:
      return low;
    case 1:
      return high;
    case 2:
      return low + 1;
    case 3:
      return high - Math.abs(high) * Number.EPSILON; // the last number below an exclusive bound
    case 4: // spread over the orders of magnitude, where bounds are far apart
      return Math.min(high, Math.max(low, 10 ** random.between(-12, Math.log10(Math.max(high, 10)))));
    default:
      return random.between(low, high);
  }
}

function stringOf(schema: JsonSchema, source: Source): string {
  const { random } = source;
  if (random.uniform() < 0.5 && source.names.length > 0) return pick(random, source.names);
  const most = Math.min(schema.maxLength ?? 20, 600);
  const length = (schema.minLength ?? 0) + whole(random, most + 1);
  return Array.from({ length }, () => String.fromCharCode(97 + whole(random, 26))).join('');
}

function nameOf(source: Source): string {
  const odd = ['__proto__', 'constructor', 'toString', 'type', '', 'a'.repeat(200)];
  return pick(source.random, [...source.names, ...odd]);
}
