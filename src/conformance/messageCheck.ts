/** Holds each message against its schema, whatever the scenario is about. */
import { Ajv, type ValidateFunction } from 'ajv';
import type { TSchema } from 'typebox';
import { describe } from '../schema/problems.js';
import type { Message } from './inbox.js';

/** @returns what is wrong with a message, null where nothing is. A type that is not in `schemas` is left alone. */
export type MessageCheck = (message: Message) => string | null;

export function messageCheck(schemas: Readonly<Record<string, TSchema>>): MessageCheck {
  const ajv = new Ajv({ strict: true, allowUnionTypes: true, verbose: true });
  const validators = new Map<string, ValidateFunction>(
    Object.entries(schemas).map(([type, schema]) => [type, ajv.compile(schema)]),
  );
  return (message) => {
    const validate = validators.get(message.type);
    const { type } = message;
    if (validate === undefined || validate(message)) return null;
    return `${type}: ${describe(validate.errors![0]!)}`;
  };
}
