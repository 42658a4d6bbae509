/** What was decided for a deployment, why, what else would cost, and what would be decided in another context. */
import { Type } from 'typebox';
import type { ControlPlane } from '../control/controlPlane.js';
import type { DeploymentSession } from '../control/deploymentSession.js';
import { explain, type Explanation } from '../control/explanation.js';
import type { DecisionRecord } from '../control/records.js';
import { placementOfCut } from '../control/storedCut.js';
import type { LayerGraph } from '../core/layerGraph.js';
import type { Alternative, Partitioner } from '../core/partitioner.js';
import type { Steps } from '../core/steps.js';
import { samePlacement } from '../core/policy/policy.js';
import { ContextSchema } from '../schema/context.js';
import { SecondsSourceSchema } from '../schema/graphDocument.js';
import { RangeSchema } from '../schema/range.js';
import {
  AlternativeSchema,
  alternativeView,
  DecidedSchema,
  decidedView,
  DecisionRowSchema,
  PresentSwitchingSchema,
  presentCutView,
  decisionRowView,
  WhySchema,
} from './decisionViews.js';
import { answerTo } from './answering.js';
import { documented, type HttpApp } from './httpApp.js';
import { IdParams } from './modelRoutes.js';
import { maxDecisionPage } from './paging.js';
import { HttpProblem, problems } from './problem.js';

const PresentCutSchema = Type.Object(
  {
    deploymentId: Type.String(),
    version: Type.Integer(),
    decidedAtMs: Type.Number({ description: 'When this cut was chosen or last confirmed' }),
    reason: Type.String(),
    context: ContextSchema,
    ...DecidedSchema.properties,
    switching: PresentSwitchingSchema,
    searchNanoseconds: Type.Number(),
    secondsSources: Type.Array(SecondsSourceSchema, { description: 'Of each tier' }),
    why: Type.Union([WhySchema, Type.Null()], {
      description: 'Null while the states of the model are not in memory (see the status of the deployment)',
    }),
  },
  { $id: 'PresentCut', title: 'PresentCut' },
);

const tags = ['decisions'];

export function decisionRoutes(app: HttpApp, control: ControlPlane): void {
  app.addSchema(PresentCutSchema);
  app.get(
    '/v1/deployments/:id/cut',
    {
      config: { access: 'viewer' },
      schema: {
        operationId: 'getCut',
        summary: 'The present cut: its context, what it costs by stage, and why it won',
        tags,
        params: IdParams,
        response: documented({ 200: Type.Ref('PresentCut#'), ...problems(404, 409, 503) }),
      },
    },
    async ({ params }, reply) => {
      const session = control.deployments.get(params.id);
      const record = decided(session);
      const shown = presentCut(session, record);
      const { basis } = session;
      if (basis === null) return { ...shown, why: null };
      const { partitioner } = basis;
      const explanation = await answerTo(reply, control.questions, () => why(partitioner, record));
      return { ...shown, why: whyView(session.model.graph!, explanation) };
    },
  );
  rangesRoute(app, control);
  alternativesRoute(app, control);
  historyRoute(app, control);
  whatIfRoute(app, control);
}

function presentCut(session: DeploymentSession, record: DecisionRecord) {
  const graph = session.model.graph!;
  const { context, searchNanoseconds, secondsSources, reason, atMs } = record;
  return {
    deploymentId: session.id,
    version: record.versionAfter,
    decidedAtMs: atMs,
    reason,
    context,
    ...presentCutView(graph, record),
    searchNanoseconds,
    secondsSources,
  };
}

/** Steps of the explanation of the cut in force. */
function why(
  partitioner: Partitioner,
  { context, decision, cutAfter, switching }: DecisionRecord,
): Steps<Explanation> {
  const inForce =
    switching === null || switching.kept === null
      ? decision
      : partitioner.predict(context, placementOfCut(cutAfter));
  return explain(partitioner, context, inForce);
}

function whyView(graph: LayerGraph, { runnerUp, excluded, deviceOnly, edgeOnly, cloudOnly }: Explanation) {
  const shown = <More extends object>({
    alternative,
    ...more
  }: More & { readonly alternative: Alternative }) => ({
    ...alternativeView(graph, alternative),
    ...more,
  });
  return {
    runnerUp: runnerUp === null ? null : shown(runnerUp),
    excluded: excluded.map(shown),
    deviceOnly: alternativeView(graph, deviceOnly),
    edgeOnly: alternativeView(graph, edgeOnly),
    ...(cloudOnly === null ? {} : { cloudOnly: alternativeView(graph, cloudOnly) }),
  };
}

function decided(session: DeploymentSession): DecisionRecord {
  if (session.lastDecision !== null) return session.lastDecision;
  const { status } = session;
  const waitsFor = 'missing' in status ? `: it waits for ${status.missing.join('; ')}` : ` (${status.kind})`;
  throw new HttpProblem(409, 'no-cut-yet', `Deployment ${session.id} has no cut yet${waitsFor}.`);
}

function rangesRoute(app: HttpApp, control: ControlPlane): void {
  app.get(
    '/v1/deployments/:id/ranges',
    {
      config: { access: 'viewer' },
      schema: {
        operationId: 'listRanges',
        summary: 'For each measured value, from where to where the decided cut stays the best',
        description:
          'Computed for the context of the last decision. Empty where the model has too many states to hold.',
        tags,
        params: IdParams,
        response: documented({
          200: Type.Object(
            { context: ContextSchema, ranges: Type.Array(RangeSchema) },
            { description: 'OK' },
          ),
          ...problems(404, 409, 503),
        }),
      },
    },
    async ({ params }, reply) => {
      const session = control.deployments.get(params.id);
      const { partitioner } = control.operations.basisOf(session);
      const { context, decision } = decided(session);
      const ranges = await answerTo(reply, control.questions, () => partitioner.ranges(context, decision));
      return { context, ranges };
    },
  );
}

function alternativesRoute(app: HttpApp, control: ControlPlane): void {
  app.get(
    '/v1/deployments/:id/alternatives',
    {
      config: { access: 'viewer' },
      schema: {
        operationId: 'listAlternatives',
        summary: 'The best cuts in the context of the last decision, the best first',
        tags,
        params: IdParams,
        querystring: Type.Object({ limit: Type.Integer({ minimum: 1, maximum: 200, default: 10 }) }),
        response: documented({
          200: Type.Object(
            { context: ContextSchema, alternatives: Type.Array(AlternativeSchema) },
            { description: 'OK' },
          ),
          ...problems(400, 404, 409, 503),
        }),
      },
    },
    async ({ params, query }, reply) => {
      const session = control.deployments.get(params.id);
      const { partitioner } = control.operations.basisOf(session);
      const { context } = decided(session);
      const graph = session.model.graph!;
      const alternatives = await answerTo(reply, control.questions, () =>
        partitioner.alternatives(context, query.limit),
      );
      return { context, alternatives: alternatives.map((one) => alternativeView(graph, one)) };
    },
  );
}

function historyRoute(app: HttpApp, control: ControlPlane): void {
  app.get(
    '/v1/deployments/:id/decisions',
    {
      config: { access: 'viewer' },
      schema: {
        operationId: 'listDecisions',
        summary: 'The decision history, newest first',
        tags,
        params: IdParams,
        querystring: Type.Object({
          limit: Type.Integer({ minimum: 1, maximum: maxDecisionPage, default: 50 }),
          before: Type.Optional(
            Type.Integer({
              minimum: 1,
              description: 'Decisions older than the one with this id, which is one of this deployment',
            }),
          ),
        }),
        response: documented({
          200: Type.Object(
            {
              decisions: Type.Array(DecisionRowSchema),
              next: Type.Unsafe<number | null>({
                type: ['integer', 'null'],
                description: 'Give it as `before` to read on; null: there are no older ones',
              }),
            },
            { description: 'OK' },
          ),
          ...problems(400, 404, 422, 503),
        }),
      },
    },
    ({ params, query: { limit, before } }) => {
      const rows = control.operations.history(params.id, { limit: limit + 1, beforeId: before });
      const shown = rows.slice(0, limit);
      return { decisions: shown.map(decisionRowView), next: rows.length > limit ? shown.at(-1)!.id : null };
    },
  );
}

function whatIfRoute(app: HttpApp, control: ControlPlane): void {
  app.post(
    '/v1/deployments/:id/what-if',
    {
      config: { access: 'viewer', changesNothing: true },
      schema: {
        operationId: 'whatIf',
        summary: 'What would be decided in another context; nothing changes',
        tags,
        params: IdParams,
        body: Type.Object(
          { context: ContextSchema },
          {
            additionalProperties: false,
            examples: [
              {
                context: {
                  tiers: [{ slowdown: 1.5 }, {}],
                  hops: [{ uplinkBitsPerSecond: 5e6, downlinkBitsPerSecond: 2e7, rttSeconds: 0.04 }],
                  requirements: { latencySeconds: 0.2 },
                },
              },
            ],
          },
        ),
        response: documented({
          200: Type.Object(
            {
              ...DecidedSchema.properties,
              secondsSources: Type.Array(SecondsSourceSchema),
              isPresentCut: Type.Boolean({ description: 'True: the cut would stay' }),
            },
            { description: 'The decision' },
          ),
          ...problems(400, 404, 409, 415, 422, 503),
        }),
      },
    },
    async ({ params, body }, reply) => {
      const session = control.deployments.get(params.id);
      const { sources } = control.operations.basisOf(session);
      const decision = await answerTo(reply, control.questions, () =>
        control.operations.whatIf(session, body.context),
      );
      const { cut } = session.durable;
      return {
        ...decidedView(session.model.graph!, decision),
        secondsSources: [...sources],
        isPresentCut: cut !== null && samePlacement(placementOfCut(cut), decision.placement),
      };
    },
  );
}
