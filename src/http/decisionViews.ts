/** Decisions and alternatives as the REST face shows them: tensors by name, figures with their units. */
import { Type } from 'typebox';
import type { Alternative } from '../core/partitioner.js';
import { crossingTensors, layersOn } from '../core/cut.js';
import type { Decision, Placement, Prediction } from '../core/decision.js';
import type { LayerGraph } from '../core/layerGraph.js';
import type { DecisionRecord } from '../control/records.js';
import { ContextSchema } from '../schema/context.js';
import { DecisionDocumentSchema } from '../schema/decisionDocument.js';
import { SecondsSourceSchema } from '../schema/graphDocument.js';
import { orNever } from './unreachable.js';

const { encoding, objectiveValue, prediction, violations, optimality, assumed, notJudged } =
  DecisionDocumentSchema.properties;
const endLayers = Type.Array(Type.Integer(), {
  description: 'Layers on the end device, ascending; the others run above it',
});
const edgeLayers = Type.Optional(
  Type.Array(Type.Integer(), {
    description:
      'Where there is a cloud: layers on the edge, ascending; what is in neither list runs in the cloud',
  }),
);
const tensors = Type.Array(Type.Object({ name: Type.String(), bytes: Type.Number() }), {
  description: 'What crosses from end device to edge',
});
const edgeTensors = Type.Optional(
  Type.Array(Type.Object({ name: Type.String(), bytes: Type.Number() }), {
    description: 'Where there is a cloud: what crosses from edge to cloud',
  }),
);
const layerCount = Type.Integer();

const cutFigures = Type.Object({
  endLayers,
  edgeLayers,
  layerCount,
  tensors,
  edgeTensors,
  encoding,
  objectiveValue,
  prediction,
  violations,
});

/** Of a cut that is not the chosen one. */
export const AlternativeSchema = Type.Object(orNever(cutFigures).properties, {
  description: 'Figures are null where the cut needs a link that cannot be used',
});

export const DecidedSchema = Type.Object({
  algorithm: DecisionDocumentSchema.properties.algorithm,
  ...cutFigures.properties,
  optimality,
  statesVisited: Type.Integer({ description: 'States and tree nodes that the search looked at' }),
  assumed,
  notJudged,
});

const StoredCutSchema = Type.Object({
  endLayers,
  edgeLayers,
  layerCount,
  tensors: Type.Array(Type.String()),
  edgeTensors: Type.Optional(Type.Array(Type.String())),
});

const switchSeconds = Type.Unsafe<number | null>({
  type: ['number', 'null'],
  description: 'What a switch costs, s; null: nobody states it, and it is taken to cost nothing',
});
const switchReason = Type.String({
  description:
    'first, rule (followed: no cost is stated), stay, near-equal, requirement, link-gone, lasting-gain, passing-gain, asked',
});
const keptWhy = Type.String({
  description:
    'not-worth-the-switch, near-equal, set-aside (a device refused the other one), cloud-gone, or why the policy went to this cut instead of the best one',
});

const ratio = (description: string) => Type.Optional(Type.Number({ description }));
export const CorrectionsSchema = Type.Union(
  [
    Type.Object({
      end: ratio('Layers on the end device'),
      uplink: ratio('To the edge'),
      edge: ratio('Layers on the edge'),
      downlink: ratio('Back'),
      edgeUplink: ratio('From the edge to the cloud'),
      cloud: ratio('Layers in the cloud'),
      edgeDownlink: ratio('Back from there'),
    }),
    Type.Null(),
  ],
  {
    description:
      'Measured per predicted seconds of each stage; speeds and rates of the context are corrected by it. null: nothing was measured',
  },
);

const SwitchingSchema = Type.Union(
  [
    Type.Object({
      reason: switchReason,
      switchSeconds,
      kept: Type.Union(
        [orNever(Type.Object({ why: keptWhy, objectiveValue, prediction, violations })), Type.Null()],
        {
          description: 'What `cutAfter` costs, where it is another cut than the best one; else null',
        },
      ),
    }),
    Type.Null(),
  ],
  { description: 'Whether the best cut was followed; null in decisions of before this was recorded' },
);

/** The same for the present cut, where the figures of the cut in force stand outside and the best one within. */
export const PresentSwitchingSchema = Type.Union(
  [
    Type.Object({
      reason: switchReason,
      switchSeconds,
      kept: Type.Union([Type.Object({ why: keptWhy, best: AlternativeSchema }), Type.Null()], {
        description: 'Null: the present cut is the best one; else why it is kept, and which would be better',
      }),
    }),
    Type.Null(),
  ],
  {
    description: 'Whether the best cut is in force; null where the decision is from before this was recorded',
  },
);

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
  switching: SwitchingSchema,
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
  corrections: CorrectionsSchema,
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
        extraObjective: orNever(
          Type.Number({
            description: 'How much more than the chosen cut in what is minimised (seconds for latency)',
          }),
        ),
        extraLatencySeconds: orNever(Type.Number({ description: 'How much later than the chosen cut, s' })),
      }),
      Type.Null(),
    ],
    { description: 'The next best cut; null when there is only one' },
  ),
  excluded: Type.Array(
    Type.Object({
      ...AlternativeSchema.properties,
      savesObjective: Type.Number({
        description: 'How much less than the chosen cut in what is minimised (seconds for latency)',
      }),
    }),
    { description: 'Better cuts that a bound rules out (see their violations), the best first' },
  ),
  deviceOnly: AlternativeSchema,
  edgeOnly: AlternativeSchema,
  cloudOnly: Type.Optional(AlternativeSchema),
});

export function alternativeView(graph: LayerGraph, { cutTensors, placement, ...alternative }: Alternative) {
  return {
    ...alternative,
    layerCount: graph.layers.length,
    tensors: tensorViews(graph, cutTensors),
    ...ofEdge(graph, placement, alternative.prediction),
  };
}

export function decidedView(graph: LayerGraph, { cutTensors, placement, ...decision }: Decision) {
  return {
    ...decision,
    layerCount: graph.layers.length,
    tensors: tensorViews(graph, cutTensors),
    ...ofEdge(graph, placement, decision.prediction),
  };
}

/** What two tiers have no need to say. */
function ofEdge(graph: LayerGraph, placement: Placement, { tierSeconds }: Prediction) {
  if (tierSeconds.length < 3) return {};
  return {
    edgeLayers: layersOn(placement, 1),
    edgeTensors: tensorViews(graph, crossingTensors(graph, placement, 1)),
  };
}

/** The cut in force after `record`, in the form of a decision; which one would be better stands in `switching`. */
export function presentCutView(graph: LayerGraph, record: DecisionRecord) {
  const { decision, switching, cutAfter } = record;
  const best = decidedView(graph, decision);
  if (switching === null) return { ...best, switching };
  const { reason, switchSeconds: seconds, kept } = switching;
  if (kept === null) return { ...best, switching: { reason, switchSeconds: seconds, kept } };
  const { why, ...cost } = kept;
  const named = (names: readonly string[]) =>
    graph.tensors.filter(({ name }) => names.includes(name)).map(({ name, bytes }) => ({ name, bytes }));
  const { edgeLayers: ofEdgeAlone, edgeTensors: fromEdge } = cutAfter;
  return {
    ...best,
    ...cost,
    endLayers: cutAfter.endLayers,
    tensors: named(cutAfter.tensors),
    ...(ofEdgeAlone === undefined ? {} : { edgeLayers: ofEdgeAlone }),
    ...(fromEdge === undefined ? {} : { edgeTensors: named(fromEdge) }),
    switching: {
      reason,
      switchSeconds: seconds,
      kept: { why, best: alternativeView(graph, decision) },
    },
  };
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
