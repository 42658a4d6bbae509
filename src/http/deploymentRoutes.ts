/** Deployments: create, read, change, delete. */
import { Type, type TSchema } from 'typebox';
import type { ControlPlane } from '../control/controlPlane.js';
import type { DeploymentChange } from '../control/deployments.js';
import type { DeploymentSession } from '../control/deploymentSession.js';
import { RequirementsSchema } from '../schema/context.js';
import { SecondsSourceSchema } from '../schema/graphDocument.js';
import { CorrectionsSchema } from './decisionViews.js';
import { documented, type HttpApp } from './httpApp.js';
import { IdParams } from './modelRoutes.js';
import { NextSchema, page, PageQuery } from './paging.js';
import { problems } from './problem.js';
import { RolloutSchema, rolloutView } from './rolloutView.js';

const strict = { additionalProperties: false } as const;
const deviceId = Type.String({ minLength: 1, maxLength: 128 });
const profileId = Type.String({
  minLength: 1,
  maxLength: 200,
  description: 'A profile of this model to use',
});
const computeRatio = Type.Number({
  exclusiveMinimum: 0,
  maximum: 1e6,
  description: 'Seconds there per second on the controller; used where no profile of that machine is known',
});

const TierSchema = Type.Object(
  { deviceId, profileId: Type.Optional(profileId), computeRatio: Type.Optional(computeRatio) },
  strict,
);

const NewDeploymentSchema = Type.Object(
  {
    modelId: Type.String({ minLength: 1, maxLength: 200 }),
    end: TierSchema,
    edge: TierSchema,
    cloud: Type.Optional(TierSchema),
    requirements: Type.Optional(RequirementsSchema),
  },
  {
    ...strict,
    examples: [
      {
        modelId: '1f0c9a5d2b7e4c38',
        end: { deviceId: 'camera-7' },
        edge: { deviceId: 'edge-1', computeRatio: 0.5 },
        requirements: { latencySeconds: 0.2 },
      },
      {
        modelId: '1f0c9a5d2b7e4c38',
        end: { deviceId: 'camera-7' },
        edge: { deviceId: 'edge-1' },
        cloud: { deviceId: 'cloud-1', computeRatio: 0.1 },
      },
    ],
  },
);

/** The same value, or null to take it away. */
function orNull(schema: TSchema): TSchema {
  const { type } = schema as { readonly type?: unknown };
  const nullable =
    typeof type === 'string' ? { ...schema, type: [type, 'null'] } : { anyOf: [schema, { type: 'null' }] };
  return Type.Optional(Type.Unsafe(nullable));
}

/** Each field of `schema` may be absent (it stays) or null (it goes). */
function mergeOf(schema: { readonly properties: Record<string, TSchema> }) {
  const fields = Object.entries(schema.properties).map(([name, field]) => [name, orNull(field)] as const);
  return Type.Optional(Type.Object(Object.fromEntries(fields), strict));
}

const TierChangeSchema = mergeOf(Type.Object({ profileId, computeRatio }));
const CloudChangeSchema = Type.Optional(
  Type.Unsafe({
    ...Type.Object(
      { deviceId: Type.Optional(deviceId), profileId: orNull(profileId), computeRatio: orNull(computeRatio) },
      strict,
    ),
    type: ['object', 'null'],
    description:
      'With another deviceId: that device is the cloud from now on, also where there was none. null: two tiers from now on',
  }),
);
const ChangeSchema = Type.Object(
  {
    requirements: mergeOf(RequirementsSchema),
    end: TierChangeSchema,
    edge: TierChangeSchema,
    cloud: CloudChangeSchema,
  },
  { ...strict, minProperties: 1, examples: [{ requirements: { latencySeconds: 0.1 } }] },
);

const versionOrNull = Type.Unsafe<number | null>({ type: ['integer', 'null'] });
const NackSchema = Type.Union([
  Type.Object({
    version: Type.Integer(),
    code: Type.String(),
    message: Type.Unsafe<string | null>({ type: ['string', 'null'] }),
    atMs: Type.Number(),
  }),
  Type.Null(),
]);

const DeploymentSchema = Type.Object(
  {
    id: Type.String(),
    modelId: Type.String(),
    modelName: Type.String(),
    end: TierSchema,
    edge: TierSchema,
    cloud: Type.Optional(TierSchema),
    requirements: RequirementsSchema,
    status: Type.Object(
      {
        kind: Type.String({
          description: 'waiting (for what is `missing`), building, holding, active or failed (see `message`)',
        }),
        missing: Type.Optional(Type.Array(Type.String())),
        message: Type.Optional(Type.String()),
        fraction: Type.Optional(
          Type.Number({ description: 'While `building`: how much of the work is done, 0 to 1' }),
        ),
      },
      { description: 'Whether it is being decided' },
    ),
    version: Type.Integer({ description: 'Of the desired cut; 0 before the first' }),
    reported: Type.Object(
      { end: versionOrNull, edge: versionOrNull, cloud: Type.Optional(versionOrNull) },
      { description: 'Version that each tier says it runs' },
    ),
    rollout: RolloutSchema,
    nacks: Type.Object(
      { end: NackSchema, edge: NackSchema, cloud: Type.Optional(NackSchema) },
      { description: 'Why a tier did not take a cut' },
    ),
    endLayerCount: Type.Unsafe<number | null>({
      type: ['integer', 'null'],
      description: 'Layers on the end device',
    }),
    edgeLayerCount: Type.Optional(
      Type.Unsafe<number | null>({
        type: ['integer', 'null'],
        description: 'Where there is a cloud: layers on the edge; the cloud has the rest',
      }),
    ),
    layerCount: Type.Integer(),
    secondsSources: Type.Union([Type.Array(SecondsSourceSchema), Type.Null()], {
      description: 'Where the seconds of each tier come from; null while they are not known',
    }),
    corrections: CorrectionsSchema,
    createdAtMs: Type.Number(),
    updatedAtMs: Type.Number(),
  },
  { $id: 'Deployment', title: 'Deployment' },
);

const tags = ['deployments'];

export function deploymentRoutes(app: HttpApp, control: ControlPlane): void {
  app.addSchema(DeploymentSchema);
  writeRoutes(app, control);
  app.get(
    '/v1/deployments',
    {
      config: { access: 'viewer' },
      schema: {
        operationId: 'listDeployments',
        summary: 'All deployments',
        tags,
        querystring: PageQuery,
        response: documented({
          200: Type.Object(
            { deployments: Type.Array(Type.Ref('Deployment#')), next: NextSchema },
            { description: 'OK' },
          ),
          ...problems(400),
        }),
      },
    },
    ({ query }) => {
      const { entries, next } = page(control.deployments.list(), (session) => session.id, query);
      return { deployments: entries.map(deploymentView), next };
    },
  );
  app.get(
    '/v1/deployments/:id',
    {
      config: { access: 'viewer' },
      schema: {
        operationId: 'getDeployment',
        summary: 'One deployment',
        tags,
        params: IdParams,
        response: documented({ 200: Type.Ref('Deployment#'), ...problems(404) }),
      },
    },
    ({ params }) => deploymentView(control.deployments.get(params.id)),
  );
}

function writeRoutes(app: HttpApp, control: ControlPlane): void {
  app.post(
    '/v1/deployments',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'createDeployment',
        summary: 'Deploy a model on an end device, an edge and, where one is named, a cloud',
        description: 'The devices need not have connected yet: the deployment then waits, and says for what.',
        tags,
        body: NewDeploymentSchema,
        response: documented({ 201: Type.Ref('Deployment#'), ...problems(400, 409, 415, 422, 503) }),
      },
    },
    async ({ body }, reply) => {
      const session = control.operations.deploy({ ...body, requirements: body.requirements ?? {} });
      return reply
        .code(201)
        .header('location', `/v1/deployments/${session.id}`)
        .send(deploymentView(session));
    },
  );
  app.patch(
    '/v1/deployments/:id',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'changeDeployment',
        summary: 'Change what is asked of a deployment, or where its seconds come from',
        description: 'A field that is absent stays as it is; null takes it away.',
        tags,
        params: IdParams,
        body: ChangeSchema,
        response: documented({ 200: Type.Ref('Deployment#'), ...problems(400, 404, 415, 422, 503) }),
      },
    },
    ({ params, body }) =>
      deploymentView(control.operations.changeDeployment(params.id, body as DeploymentChange)),
  );
  app.delete(
    '/v1/deployments/:id',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'deleteDeployment',
        summary: 'Delete a deployment; its devices are told',
        tags,
        params: IdParams,
        response: documented({ 204: Type.Null({ description: 'Deleted' }), ...problems(404, 503) }),
      },
    },
    async ({ params }, reply) => {
      control.operations.removeDeployment(params.id);
      return reply.code(204).send();
    },
  );
}

function deploymentView(session: DeploymentSession) {
  const { cut, lastGood: _lastGood, ...record } = session.durable;
  const { nacks } = session;
  return {
    ...record,
    modelName: session.model.name,
    status: session.status,
    rollout: rolloutView(session),
    nacks: record.cloud === undefined ? { end: nacks.end, edge: nacks.edge } : nacks,
    endLayerCount: cut === null ? null : cut.endLayers.length,
    ...(record.cloud === undefined ? {} : { edgeLayerCount: cut?.edgeLayers?.length ?? null }),
    layerCount: session.model.graph!.layers.length,
    secondsSources: session.basis === null ? null : [...session.basis.sources],
    corrections: session.correction.ratios,
  };
}
