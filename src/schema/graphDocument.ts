/**
 * The graph document, `cutpoint graph --json`: all that a decision needs of a model and its tiers, so that
 * anyone can recompute one. docs/decide.md says how.
 */
import { Type, type Static } from 'typebox';
import { largestAmount } from '../core/contextRanges.js';
import type { LayerGraph } from '../core/layerGraph.js';
import type { Machine, ProfileOptions, Spread, TierSeconds } from '../core/profile.js';
import { topologyOf } from '../core/topology.js';
import { compileCheck, type Checked, type DeepReadonly } from './problems.js';
import { MachineSchema, ProfileOptionsSchema, SpreadSchema } from './profile.js';

const graphFormat = 'cutpoint.graph/1';

const strict = { additionalProperties: false } as const;
const index = Type.Integer({ minimum: 0 });
const amount = (description: string) => Type.Number({ minimum: 0, description });

export const LayerSchema = Type.Object(
  {
    name: Type.String(),
    operators: Type.Array(Type.String(), { description: 'ONNX operator types in execution order' }),
    weightBytes: amount('Bytes of the constants that the layer reads; a shared weight counts at each layer'),
    workingBytes: amount('Bytes of all tensors alive while the layer runs in the order of `layers`'),
    macs: Type.Union([Type.Number({ minimum: 0 }), Type.Null()], {
      description: 'Multiply-accumulates; null where they are not defined',
    }),
  },
  strict,
);

export const TensorSchema = Type.Object(
  {
    name: Type.String({ description: 'Name in the original ONNX model' }),
    type: Type.String(),
    shape: Type.Array(index),
    bytes: amount('Size of the tensor'),
    producer: Type.Union([index, Type.Null()], {
      description: 'Layer that writes it; null: an input of the model, which the end device has',
    }),
    consumers: Type.Array(index, { description: 'Layers that read it, ascending, each once' }),
    isOutput: Type.Boolean({ description: 'The model returns it, so the end device must get it' }),
  },
  strict,
);

export const SecondsSourceSchema = Type.Union([
  Type.Object({ kind: Type.Literal('measured'), machineId: Type.String() }, strict),
  Type.Object(
    {
      kind: Type.Literal('scaled'),
      machineId: Type.String(),
      computeRatio: Type.Number({ exclusiveMinimum: 0 }),
    },
    strict,
  ),
]);

export const GraphDocumentSchema = Type.Object(
  {
    format: Type.Literal(graphFormat),
    name: Type.String(),
    modelSha256: Type.String({ description: 'SHA-256 of the ONNX file' }),
    layers: Type.Array(LayerSchema, { minItems: 1 }),
    tensors: Type.Array(TensorSchema),
    tiers: Type.Array(
      Type.Object(
        {
          seconds: Type.Array(Type.Number({ minimum: 0, maximum: largestAmount }), {
            description: 'Per layer, in the order of `layers`, before slowdown',
          }),
          source: SecondsSourceSchema,
        },
        strict,
      ),
      { minItems: 2, maxItems: 3, description: 'The end device, the edge, and the cloud where there is one' },
    ),
    profile: Type.Object(
      {
        machine: MachineSchema,
        options: ProfileOptionsSchema,
        wholeModel: SpreadSchema,
        layers: Type.Array(SpreadSchema, { description: 'Per layer on the profiled machine' }),
      },
      { ...strict, description: 'Where the seconds were measured; not needed for a decision' },
    ),
    states: Type.Object(
      {
        valid: Type.Union([index, Type.Null()], {
          description: 'Valid cuts of the graph; null where they are too many to be held',
        }),
        kept: index,
      },
      { ...strict, description: 'Valid cuts, and those left after dominated ones are dropped' },
    ),
  },
  { ...strict, description: 'A layer graph with the seconds of two or three tiers' },
);

export type GraphDocument = DeepReadonly<Static<typeof GraphDocumentSchema>>;

const checkSchema = compileCheck(GraphDocumentSchema);

/** A JSON value as a graph document whose indices all fit, or every problem with its field. */
export function checkGraphDocument(value: unknown): Checked<GraphDocument> {
  const checked = checkSchema(value);
  if (!checked.ok) return checked;
  const { layers, tiers } = checked.value;
  const problems = tiers.flatMap(({ seconds }, tier) =>
    seconds.length === layers.length
      ? []
      : [`tiers[${tier}].seconds must have one entry per layer, ${layers.length}, not ${seconds.length}`],
  );
  try {
    topologyOf(graphOf(checked.value));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    problems.push(error.message);
  }
  return problems.length === 0 ? checked : { ok: false, problems };
}

/** The layer graph of a document. */
export function graphOf({ name, layers, tensors }: GraphDocument): LayerGraph {
  return { name, layers, tensors };
}

/** What a graph document is made from. */
export interface GraphParts {
  readonly graph: LayerGraph;
  readonly modelSha256: string;
  /** Two or three. */
  readonly tiers: readonly TierSeconds[];
  readonly machine: Machine;
  readonly options: ProfileOptions;
  readonly wholeModel: Spread;
  readonly layerSpreads: readonly Spread[];
  readonly states: { readonly valid: number | null; readonly kept: number };
}

export function graphDocument(parts: GraphParts): GraphDocument {
  const spread = ({ medianSeconds, minSeconds, maxSeconds }: Spread): Spread => ({
    medianSeconds,
    minSeconds,
    maxSeconds,
  });
  return {
    format: graphFormat,
    name: parts.graph.name,
    modelSha256: parts.modelSha256,
    layers: parts.graph.layers,
    tensors: parts.graph.tensors,
    tiers: parts.tiers,
    profile: {
      machine: parts.machine,
      options: parts.options,
      wholeModel: spread(parts.wholeModel),
      layers: parts.layerSpreads.map(spread),
    },
    states: parts.states,
  };
}
