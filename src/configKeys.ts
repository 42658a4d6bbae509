/** The keys of the configuration, one by one: name, variable, default, what is allowed. */
import { Ajv, type ValidateFunction } from 'ajv';
import { configSections } from './configSchema.js';

export interface ConfigKey {
  readonly name: string;
  readonly variable: string;
  readonly default: number | string | boolean;
  readonly description: string;
  /** What may stand there, in words. */
  readonly allowed: string;
  /** Of what kind the value is, so that it can be read from text. */
  readonly type: 'integer' | 'string' | 'boolean';
  readonly isValid: (value: unknown) => boolean;
}

interface LeafSchema {
  readonly type: 'integer' | 'string' | 'boolean';
  readonly default: number | string | boolean;
  readonly description: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly enum?: readonly string[];
}

function allowedWords(schema: LeafSchema): string {
  if (schema.enum) return schema.enum.join(', ');
  if (schema.type === 'integer') return `a whole number from ${schema.minimum} to ${schema.maximum}`;
  if (schema.type === 'boolean') return 'true, false';
  if (schema.minLength === 0) return `text of up to ${schema.maxLength} characters, empty for none`;
  return `text of 1 to ${schema.maxLength} characters`;
}

const capitals = (name: string) => name.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();

/** All keys in the order of the document. */
export function configKeys(): readonly ConfigKey[] {
  const ajv = new Ajv({ strict: true, validateSchema: false }); // the tests do
  return Object.entries(configSections).flatMap(([section, { properties }]) =>
    Object.entries(properties as unknown as Record<string, LeafSchema>).map(([name, schema]) => {
      const validate: ValidateFunction = ajv.compile(schema);
      return {
        name: `${section}.${name}`,
        variable: `CUTPOINT_${capitals(section)}__${capitals(name)}`,
        default: schema.default,
        description: schema.description,
        allowed: allowedWords(schema),
        type: schema.type,
        isValid: (value: unknown) => validate(value) === true,
      };
    }),
  );
}
