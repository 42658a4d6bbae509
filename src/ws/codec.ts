/** Bytes of a device to a typed message, or to the error that it is answered with. Never throws. */
import { Ajv, type ValidateFunction } from 'ajv';
import { describe, fieldOf } from '../schema/problems.js';
import { deviceMessageSchemas, type DeviceMessage } from '../protocol/messages.js';

export type Decoded =
  | { readonly ok: true; readonly message: DeviceMessage }
  | {
      readonly ok: false;
      /** What the frame said it is, where that much could be read. */
      readonly type: DeviceMessage['type'] | null;
      readonly code: 'not-json' | 'not-text' | 'unknown-type' | 'invalid-field';
      readonly message: string;
      readonly field?: string;
      readonly sequence?: number;
    };

export type Decode = (data: Buffer, isBinary: boolean) => Decoded;

/** Compiles the schemas once; the decoder keeps no state. */
export function createDecoder(): Decode {
  const ajv = new Ajv({ strict: true, allowUnionTypes: true, verbose: true });
  const validators = new Map<string, ValidateFunction>(
    Object.entries(deviceMessageSchemas).map(([type, schema]) => [type, ajv.compile(schema)]),
  );
  return (data, isBinary) => {
    if (isBinary) return refusal('not-text', 'Messages are JSON in text frames, this one is binary.');
    let value: unknown;
    try {
      value = JSON.parse(data.toString('utf8'));
    } catch {
      // the position that JSON.parse names helps nobody: the sender has the text
      return refusal('not-json', 'The frame is not JSON.');
    }
    return check(validators, value);
  };
}

function check(validators: ReadonlyMap<string, ValidateFunction>, value: unknown): Decoded {
  const fields = typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  const { type, sequence } = fields;
  const validate = typeof type === 'string' ? validators.get(type) : undefined;
  if (validate === undefined) {
    const known = [...validators.keys()].join(', ');
    return { ...refusal('unknown-type', `type must be one of ${known}.`), field: 'type' };
  }
  // the schema that checked it is the one of its type
  if (validate(value)) return { ok: true, message: value as DeviceMessage };
  const [error] = validate.errors!;
  return {
    ok: false,
    type: type as DeviceMessage['type'],
    code: 'invalid-field',
    message: describe(error!),
    field: fieldOf(error!),
    ...(Number.isSafeInteger(sequence) ? { sequence: sequence as number } : {}),
  };
}

function refusal(code: 'not-json' | 'not-text' | 'unknown-type', message: string) {
  return { ok: false, type: null, code, message } as const;
}
