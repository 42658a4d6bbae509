/** Decisions and alternatives as the REST face shows them: tensors by name, figures with their units. */
import { Type } from 'typebox';
import type { Alternative } from '../core/partitioner.js';
import type { Decision } from '../core/decision.js';
import type { LayerGraph } from '../core/layerGraph.js';
import type { DecisionRecord } from '../control/records.js';
import { ContextSchema } from '../schema/context.js';
import { DecisionDocumentSchema } from '../schema/decisionDocument.js';
import { SecondsSourceSchema } from '../schema/graphDocument.js';

const { encoding, objectiveValue, prediction, violations, optimality, assumed, notJudged } =
  DecisionDocumentSchema.properties;
const endLayers = Type.Array(Type.Integer(), {
  description: 'Layers on the end device, ascending; the others run on the edge',
});
const tensors = Type.Array(Type.Object({ name: Type.String(), bytes: Type.Number() }), {
  description: 'What crosses from end device to edge',
});
const layerCount = Type.Integer();

export const AlternativeSchema = Type.Object({
  endLayers,
  layerCount,
  tensors,
  encoding,
  objectiveValue,
  prediction,
  violations,
});

export const DecidedSchema = Type.Object({
  algorithm: DecisionDocumentSchema.properties.algorithm,
  ...AlternativeSchema.properties,
  optimality,
  statesVisited: Type.Integer({ description: 'States and tree nodes that the search looked at' }),
  assumed,
  notJudged,
});

const StoredCutSchema = Type.Object({ endLayers, layerCount, tensors: Type.Array(Type.String()) });

export const DecisionRowSchema = Type.Object({
  id: Type.Integer({ description: 'Rises with time' }),
  atMs: Type.Number(),
  reason: Type.String({
    description: 'What caused it: deployed, requirements, telemetry, device-connected …',
  }),
  versionBefore: Type.Integer(),
  versionAfter: Type.Integer({ description: 'The same as before where the cut stayed' }),
  cutBefore: Type.Union([StoredCutSchema, Type.Null()]),
  cutAfter: StoredCutSchema,
  context: ContextSchema,
  algorithm: DecidedSchema.properties.algorithm,
  encoding,
  objectiveValue,
  prediction,
  violations,
  optimality,
  statesVisited: DecidedSchema.properties.statesVisited,
  assumed,
  notJudged,
  secondsSources: Type.Array(SecondsSourceSchema),
  searchNanoseconds: Type.Number(),
  keptBefore: Type.Integer({
    description: 'Decisions since the row before that kept the cut and have no row of their own',
  }),
});

export const WhySchema = Type.Object({
  runnerUp: Type.Union(
    [
      Type.Object({
        ...AlternativeSchema.properties,
        extraObjective: Type.Number({
          description: 'How much more than the chosen cut in what is minimised (seconds for latency)',
        }),
        extraLatencySeconds: Type.Number({ description: 'How much later than the chosen cut, s' }),
      }),
      Type.Null(),
    ],
    { description: 'The next best cut; null when there is only one' },
  ),
  excluded: Type.Array(
    Type.Object({
      ...AlternativeSchema.properties,
      savesSeconds: Type.Number({ description: 'How much quicker than the chosen cut, s' }),
    }),
    { description: 'Better cuts that a bound rules out (see their violations), the best first' },
  ),
  deviceOnly: AlternativeSchema,
  edgeOnly: AlternativeSchema,
});

export function alternativeView(
  graph: LayerGraph,
  { cutTensors, placement: _placement, ...alternative }: Alternative,
) {
  return { ...alternative, layerCount: graph.layers.length, tensors: tensorViews(graph, cutTensors) };
}

export function decidedView(graph: LayerGraph, { cutTensors, placement: _placement, ...decision }: Decision) {
  return { ...decision, layerCount: graph.layers.length, tensors: tensorViews(graph, cutTensors) };
}

export function decisionRowView(row: DecisionRecord & { readonly id: number }) {
  const { deploymentId: _deploymentId, decision, ...shown } = row;
  // what is placed where stands in cutAfter
  const { endLayers: _endLayers, cutTensors: _cutTensors, placement: _placement, ...judged } = decision;
  return { ...shown, ...judged };
}

function tensorViews(graph: LayerGraph, indices: readonly number[]) {
  return indices.map((index) => {
    const { name, bytes } = graph.tensors[index]!;
    return { name, bytes };
  });
}
