/** The profile document, `cutpoint model profile --out`: how long each layer of a model takes on one machine. */
import { Type } from 'typebox';
import type { Profile } from '../core/profile.js';
import { compileCheck, type Checked } from './problems.js';

const strict = { additionalProperties: false } as const;
const index = Type.Integer({ minimum: 0 });
const seconds = Type.Number({ minimum: 0 });
const spread = { medianSeconds: seconds, minSeconds: seconds, maxSeconds: seconds };

export const SpreadSchema = Type.Object(spread, strict);

export const MachineSchema = Type.Object(
  {
    id: Type.String(),
    cpuModel: Type.String(),
    logicalCores: Type.Number(),
    architecture: Type.String(),
    platform: Type.String(),
    memoryBytes: Type.Number(),
    runtime: Type.String(),
  },
  strict,
);

export const InputsSchema = Type.Record(
  Type.String(),
  Type.Object({ shape: Type.Array(index), fill: Type.Optional(Type.Number()) }, strict),
  { description: 'Shapes (and values to fill with) of the inputs whose dimensions the model leaves open' },
);

export const ProfileOptionsSchema = Type.Object(
  {
    optimizationLevel: Type.Union([
      Type.Literal('disabled'),
      Type.Literal('basic'),
      Type.Literal('extended'),
      Type.Literal('all'),
    ]),
    intraOpThreads: Type.Integer({ minimum: 0 }),
    runs: Type.Integer({ minimum: 1 }),
    warmupRuns: Type.Integer({ minimum: 0 }),
    inputs: InputsSchema,
  },
  strict,
);

export const ProfileSchema = Type.Object(
  {
    modelSha256: Type.String({ pattern: '^[0-9a-f]{64}$', description: 'SHA-256 of the ONNX file' }),
    machine: MachineSchema,
    options: ProfileOptionsSchema,
    layers: Type.Array(Type.Object({ name: Type.String(), ...spread }, strict), {
      minItems: 1,
      description: 'In the order of the layer graph',
    }),
    wholeModel: SpreadSchema,
  },
  { ...strict, description: 'Measured seconds of a model on one machine' },
);

/** Shapes and fill values of inputs, or every problem with its field. */
export const checkInputs = compileCheck(InputsSchema);

const checkSchema = compileCheck(ProfileSchema);

/** A JSON value as a profile, or every problem with its field. */
export function checkProfile(value: unknown): Checked<Profile> {
  return checkSchema(value);
}
