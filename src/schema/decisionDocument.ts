/** The decision document, `cutpoint decide --json`. docs/decide.md says how each figure comes about. */
import { Type, type Static } from 'typebox';
import { crossingTensors, layersOn } from '../core/cut.js';
import type { Decision } from '../core/decision.js';
import type { Range } from '../core/ranges.js';
import type { DeepReadonly } from './problems.js';
import { RangeSchema } from './range.js';
import { graphOf, SecondsSourceSchema, type GraphDocument } from './graphDocument.js';

const decisionFormat = 'cutpoint.decision/1';

const strict = { additionalProperties: false } as const;
const index = Type.Integer({ minimum: 0 });
const crossing = Type.Object({ index, name: Type.String(), bytes: Type.Number({ minimum: 0 }) }, strict);
const perTier = (description: string) =>
  Type.Array(Type.Number({ minimum: 0 }), {
    minItems: 2,
    maxItems: 3,
    description: `${description}, per tier`,
  });
const perHop = (description: string) =>
  Type.Array(Type.Number({ minimum: 0 }), {
    minItems: 1,
    maxItems: 2,
    description: `${description}, per hop`,
  });

export const DecisionDocumentSchema = Type.Object(
  {
    format: Type.Literal(decisionFormat),
    model: Type.String(),
    modelSha256: Type.String(),
    algorithm: Type.Union([Type.Literal('gads'), Type.Literal('min-cut'), Type.Literal('exhaustive')]),
    endLayers: Type.Array(index, {
      description: 'Layers on the end device, ascending; all others run above it',
    }),
    edgeLayers: Type.Optional(
      Type.Array(index, {
        description:
          'With three tiers: layers on the edge, ascending; what is in neither list runs in the cloud',
      }),
    ),
    layerCount: index,
    cutTensors: Type.Array(crossing, {
      description: 'Tensors that cross from the end device to the edge',
    }),
    edgeTensors: Type.Optional(
      Type.Array(crossing, {
        description: 'With three tiers: tensors that cross from the edge to the cloud',
      }),
    ),
    encoding: Type.String({ description: 'How the cut tensors are sent' }),
    objectiveValue: Type.Number({
      minimum: 0,
      description: 'What was minimised; the latency unless asked otherwise',
    }),
    prediction: Type.Object(
      {
        latencySeconds: Type.Number({ minimum: 0 }),
        tierSeconds: perTier('Compute time'),
        uplinkSeconds: perHop('Time to send the cut tensors'),
        downlinkSeconds: perHop('Time to send the results back'),
        rttSeconds: perHop('Round trip'),
        queueSeconds: perHop('Wait for the upper tier'),
        bottleneckSeconds: Type.Number({
          minimum: 0,
          description: 'The slowest stage of a pipeline of tiers and links',
        }),
        energyJoules: Type.Union([Type.Number({ minimum: 0 }), Type.Null()], {
          description: 'Of the end device per inference; null where the context states no power',
        }),
        bytesUp: perHop('Bytes sent up'),
        bytesDown: perHop('Bytes sent down'),
        weightBytes: perTier('Weights'),
        memoryBytes: perTier('Weights plus the largest working set'),
        privacyDepth: Type.Union([index, Type.Null()], {
          description: 'Fewest layers that a tensor leaving the end device passed; null where none leaves',
        }),
        accuracyLoss: Type.Number({ minimum: 0, description: 'Of the wire encoding' }),
      },
      strict,
    ),
    violations: Type.Array(
      Type.Object({ constraint: Type.String(), limit: Type.Number(), value: Type.Number() }, strict),
      {
        description:
          'Bounds that the cut breaks, in the order in which they are kept; with `exact`, no cut breaks less',
      },
    ),
    optimality: Type.Union([
      Type.Object({ kind: Type.Literal('exact') }, strict),
      Type.Object(
        {
          kind: Type.Literal('bounded'),
          gap: Type.Union([Type.Number({ minimum: 0 }), Type.Null()], {
            description:
              'The optimum is at least objectiveValue / (1 + gap); null where nothing could be proven',
          }),
        },
        strict,
      ),
    ]),
    statesVisited: index,
    certified: Type.Boolean({
      description: 'True where an earlier decision proved this one without a search',
    }),
    searchNanoseconds: Type.Number({
      minimum: 0,
      description: 'Measured; the only figure that varies from run to run',
    }),
    assumed: Type.Array(Type.String(), { description: 'What was not measured and what stands in for it' }),
    notJudged: Type.Array(Type.String(), {
      description: 'What was asked and could not be judged, with the reason',
    }),
    ranges: Type.Optional(Type.Array(RangeSchema, { description: 'With `decide --ranges`' })),
    secondsSources: Type.Array(SecondsSourceSchema, {
      description: 'Where the seconds of each tier come from',
    }),
  },
  { ...strict, description: 'The best cut of a model in one context' },
);

export type DecisionDocument = DeepReadonly<Static<typeof DecisionDocumentSchema>>;

export function decisionDocument(
  graph: GraphDocument,
  decision: Decision,
  searchNanoseconds: number,
  ranges?: readonly Range[],
): DecisionDocument {
  const { placement } = decision;
  const named = (tensor: number) => {
    const { name, bytes } = graph.tensors[tensor]!;
    return { index: tensor, name, bytes };
  };
  const ofThree =
    graph.tiers.length < 3
      ? {}
      : {
          edgeLayers: layersOn(placement, 1),
          edgeTensors: crossingTensors(graphOf(graph), placement, 1).map(named),
        };
  return {
    format: decisionFormat,
    model: graph.name,
    modelSha256: graph.modelSha256,
    algorithm: decision.algorithm,
    endLayers: decision.endLayers,
    layerCount: graph.layers.length,
    cutTensors: decision.cutTensors.map(named),
    ...ofThree,
    encoding: decision.encoding,
    objectiveValue: decision.objectiveValue,
    prediction: decision.prediction,
    violations: decision.violations,
    optimality: decision.optimality,
    statesVisited: decision.statesVisited,
    certified: decision.certified,
    searchNanoseconds,
    assumed: decision.assumed,
    notJudged: decision.notJudged,
    ...(ranges === undefined ? {} : { ranges }),
    secondsSources: graph.tiers.map(({ source }) => source),
  };
}
