/** The replay document, `cutpoint replay --json`. docs/replay.md says how each figure comes about. */
import { Type, type Static } from 'typebox';
import {
  policyNames,
  hindsightPolicies,
  type Comparison,
  type PolicyName,
} from '../core/replay/comparison.js';
import type { PolicyParameters } from '../core/policy/parameters.js';
import type { ReplayRules } from '../core/replay/replay.js';
import type { LinkSecond } from '../core/replay/resample.js';
import { endLayersOf } from '../core/cut.js';
import { SecondsSourceSchema, type GraphDocument } from './graphDocument.js';
import type { DeepReadonly } from './problems.js';

const replayFormat = 'cutpoint.replay/1';

const strict = { additionalProperties: false } as const;
const seconds = (description: string) => Type.Number({ minimum: 0, description: `${description}, seconds` });
const share = (description: string) => Type.Number({ minimum: 0, maximum: 1, description });
const measured = (description: string) =>
  Type.Array(Type.Union([Type.Number({ minimum: 0 }), Type.Null()]), { description });

const promise = (description: string) =>
  Type.Object(
    {
      limitSeconds: seconds('What the total had to stay below'),
      totalSeconds: seconds('Total of the default policy'),
      kept: Type.Boolean(),
    },
    { ...strict, description },
  );

const PolicySchema = Type.Object(
  {
    name: Type.Unsafe<PolicyName>(Type.Union(policyNames.map((name) => Type.Literal(name)))),
    knowsTrace: Type.Boolean({ description: 'It knew the whole trace before it began' }),
    meanSeconds: seconds('Mean latency of a request, switches included'),
    p50Seconds: seconds('Median, by nearest rank'),
    p95Seconds: seconds('95th percentile, by nearest rank'),
    p99Seconds: seconds('99th percentile, by nearest rank'),
    totalSeconds: seconds('All requests together'),
    violatingShare: share('Share of the seconds in which the cut or the request breaks a requirement'),
    unansweredShare: share('Share of the requests that the edge did not answer in time'),
    switches: Type.Integer({ minimum: 0, description: 'Switches that were paid' }),
    switchesPerMinute: Type.Number({ minimum: 0 }),
    regret: Type.Unsafe<number | null>({
      type: ['number', 'null'],
      description:
        'Mean over that of the clairvoyant, minus 1; null where a cut in force breaks a requirement that the clairvoyant keeps',
    }),
    steps: Type.Optional(
      Type.Object(
        {
          latencySeconds: Type.Array(Type.Number({ minimum: 0 })),
          cut: Type.Array(Type.Integer({ minimum: 0 }), { description: 'Index into `cuts`' }),
          switched: Type.Array(Type.Union([Type.String(), Type.Null()]), {
            description: 'Why the cut was changed before the second; null where it was not',
          }),
        },
        { ...strict, description: 'One entry per second' },
      ),
    ),
  },
  strict,
);

export const ReplayDocumentSchema = Type.Object(
  {
    format: Type.Literal(replayFormat),
    model: Type.String(),
    modelSha256: Type.String(),
    secondsSources: Type.Array(SecondsSourceSchema, {
      description: 'Where the seconds of each tier come from',
    }),
    trace: Type.Object(
      {
        file: Type.String(),
        seconds: Type.Integer({ minimum: 1 }),
        assumed: Type.Array(Type.String(), {
          description: 'What was not measured and what stands in for it',
        }),
      },
      strict,
    ),
    rules: Type.Object(
      {
        switchSeconds: seconds('What a switch adds to the request after it'),
        unansweredSeconds: seconds(
          'How long an unanswered request waits before the end device does it alone',
        ),
        chargeFirstCut: Type.Boolean(),
      },
      strict,
    ),
    parameters: Type.Record(Type.String(), Type.Number(), { description: 'Of the default policy' }),
    policies: Type.Array(PolicySchema),
    clairvoyantSeconds: seconds('Total of the best possible sequence of cuts'),
    hindsightIsExact: Type.Boolean({
      description: 'False: too many cuts to look at all, so that the clairvoyant is no proven bound',
    }),
    promises: Type.Union(
      [
        Type.Object(
          {
            deviceOnly: Type.Union([promise('At most device-only plus 2 % plus one switch'), Type.Null()], {
              description: 'Null where device-only breaks a requirement that other cuts keep',
            }),
            bestStatic: promise('At most the best cut held throughout plus 5 % plus one switch'),
          },
          strict,
        ),
        Type.Null(),
      ],
      { description: 'Of the default policy; null where it was not run' },
    ),
    link: Type.Optional(
      Type.Object(
        {
          uplinkBitsPerSecond: measured('Per second; null: not measured yet'),
          downlinkBitsPerSecond: measured('Per second; null: not measured yet'),
          rttSeconds: Type.Array(Type.Number({ minimum: 0 })),
        },
        { ...strict, description: 'The link as it was replayed (with --steps)' },
      ),
    ),
    cuts: Type.Optional(
      Type.Array(Type.Array(Type.Integer({ minimum: 0 })), {
        description: 'Layers on the end device, per cut that was in force (with --steps)',
      }),
    ),
  },
  { ...strict, description: 'Policies over one recorded link' },
);

export type ReplayDocument = DeepReadonly<Static<typeof ReplayDocumentSchema>>;

export interface ReplayParts {
  readonly graph: GraphDocument;
  readonly trace: ReplayDocument['trace'];
  readonly link: readonly LinkSecond[];
  /** Round trip of each second, with what stands in where it was not measured. */
  readonly rttSeconds: readonly number[];
  readonly rules: ReplayRules;
  readonly parameters: PolicyParameters;
  readonly comparison: Comparison;
  readonly withSteps: boolean;
}

export function replayDocument(parts: ReplayParts): ReplayDocument {
  const { graph, comparison, link } = parts;
  const cuts = new Map<string, { index: number; endLayers: number[] }>();
  const cutOf = (placement: readonly number[]): number => {
    const endLayers = endLayersOf(placement);
    const key = endLayers.join();
    const known = cuts.get(key) ?? { index: cuts.size, endLayers };
    cuts.set(key, known);
    return known.index;
  };
  const policies = comparison.runs.map(({ name, figures, steps }) => ({
    name,
    knowsTrace: hindsightPolicies.includes(name),
    ...figures,
    ...(parts.withSteps
      ? {
          steps: {
            latencySeconds: steps.map((step) => step.latencySeconds),
            cut: steps.map((step) => cutOf(step.placement)),
            switched: steps.map((step) => step.switched),
          },
        }
      : {}),
  }));
  return {
    format: replayFormat,
    model: graph.name,
    modelSha256: graph.modelSha256,
    secondsSources: graph.tiers.map(({ source }) => source),
    trace: parts.trace,
    rules: parts.rules,
    parameters: { ...parts.parameters },
    policies,
    clairvoyantSeconds: comparison.clairvoyantSeconds,
    hindsightIsExact: comparison.isHindsightExact,
    promises: comparison.promises,
    ...(parts.withSteps
      ? {
          link: {
            uplinkBitsPerSecond: link.map((second) => second.uplinkBitsPerSecond),
            downlinkBitsPerSecond: link.map((second) => second.downlinkBitsPerSecond),
            rttSeconds: [...parts.rttSeconds],
          },
          cuts: [...cuts.values()].map(({ endLayers }) => endLayers),
        }
      : {}),
  };
}
