/** Bytes of a device to a typed message, or to the error that it is answered with. Never throws. */
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import {
  deviceMessageSchemas,
  measuredStages,
  type DeviceMessageOf,
  type DeviceMessageType,
} from '../protocol/messages.js';
import { describe, fieldOf } from '../schema/problems.js';
import { isDeeperThan } from './jsonDepth.js';

/** A message as control takes it: null, which says the same as absence, is gone from its fields. */
export type TakenOf<Type extends DeviceMessageType> = {
  [Name in keyof DeviceMessageOf<Type>]: Exclude<DeviceMessageOf<Type>[Name], null>;
};
export type TakenMessage = { [Type in DeviceMessageType]: TakenOf<Type> }[DeviceMessageType];

export type Decoded =
  | { readonly ok: true; readonly message: TakenMessage }
  | {
      readonly ok: false;
      /** What the frame said it is, where that much could be read. */
      readonly type: DeviceMessageType | null;
      readonly code: 'not-json' | 'not-text' | 'too-deep' | 'unknown-type' | 'invalid-field';
      readonly message: string;
      readonly field?: string;
      readonly sequence?: number;
    };

export type Decode = (data: Buffer, isBinary: boolean) => Decoded;

/**
 * Compiles the schemas once; the decoder keeps no state.
 * @param jsonDepth objects and arrays that may stand in one another
 */
export function createDecoder(jsonDepth: number): Decode {
  // the tests hold the schemas against their own schema
  const ajv = new Ajv({ strict: true, allowUnionTypes: true, verbose: true, validateSchema: false });
  const validators = new Map<string, ValidateFunction>(
    Object.entries(deviceMessageSchemas).map(([type, schema]) => [type, ajv.compile(schema)]),
  );
  return (data, isBinary) => {
    if (isBinary) return refusal('not-text', 'Messages are JSON in text frames, this one is binary.');
    const text = data.toString('utf8');
    if (isDeeperThan(text, jsonDepth)) {
      return refusal('too-deep', `The frame is nested deeper than ${jsonDepth} (limits.jsonDepth).`);
    }
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      // the position that JSON.parse names helps nobody: the sender has the text
      return refusal('not-json', 'The frame is not JSON.');
    }
    // JSON writes it in this one way
    return check(validators, value, text.includes('null'));
  };
}

function check(
  validators: ReadonlyMap<string, ValidateFunction>,
  value: unknown,
  mayHaveNull: boolean,
): Decoded {
  const fields = typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  const { type, sequence } = fields;
  const validate = typeof type === 'string' ? validators.get(type) : undefined;
  if (validate === undefined) {
    const known = [...validators.keys()].join(', ');
    return { ...refusal('unknown-type', `type must be one of ${known}.`), field: 'type' };
  }
  // the schema that checked it is the one of its type
  if (validate(value)) {
    const taken = mayHaveNull ? withoutNulls(fields) : fields;
    return { ok: true, message: taken as unknown as TakenMessage };
  }
  return {
    ok: false,
    type: type as DeviceMessageType,
    code: 'invalid-field',
    ...fault(validate.errors!),
    ...(Number.isSafeInteger(sequence) ? { sequence: sequence as number } : {}),
  };
}

/** The first thing that is wrong. The one choice among fields that a schema knows fails with an error per branch. */
function fault(errors: readonly ErrorObject[]): { readonly message: string; readonly field: string } {
  if (errors.some(({ keyword, instancePath }) => keyword === 'anyOf' && instancePath === '')) {
    return {
      message: `at least one of ${measuredStages.join(', ')} must be given`,
      field: measuredStages[0],
    };
  }
  const [error] = errors;
  return { message: describe(error!), field: fieldOf(error!) };
}

function withoutNulls(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
}

function refusal(code: 'not-json' | 'not-text' | 'too-deep' | 'unknown-type', message: string) {
  return { ok: false, type: null, code, message } as const;
}
