/** Profiles of a model: upload one that was taken on another machine, list, delete. */
import { Type } from 'typebox';
import type { ControlPlane } from '../control/controlPlane.js';
import type { ProfileRecord } from '../control/records.js';
import { MachineSchema, ProfileOptionsSchema, ProfileSchema } from '../schema/profile.js';
import { documented, type HttpApp } from './httpApp.js';
import { IdParams } from './modelRoutes.js';
import { problems } from './problem.js';

const StoredProfileSchema = Type.Object(
  {
    id: Type.String(),
    modelId: Type.String(),
    origin: Type.Union([Type.Literal('import'), Type.Literal('upload')], {
      description: 'Taken by this controller at the import, or uploaded',
    }),
    machine: MachineSchema,
    options: ProfileOptionsSchema,
    wholeModelSeconds: Type.Number({ description: 'Median seconds of the whole model in one run' }),
    createdAtMs: Type.Number(),
  },
  { $id: 'Profile', title: 'Profile' },
);

const OneParams = Type.Object({
  ...IdParams.properties,
  profileId: Type.String({ minLength: 1, maxLength: 200 }),
});

const tags = ['profiles'];

export function profileRoutes(app: HttpApp, control: ControlPlane): void {
  app.addSchema(StoredProfileSchema);
  app.post(
    '/v1/models/:id/profiles',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'uploadProfile',
        summary: 'Upload a profile that `cutpoint model profile` wrote on another machine',
        description: 'It must be of the same file and layers; deployments on that machine then use it.',
        tags,
        params: IdParams,
        body: ProfileSchema,
        response: documented({
          200: stored('The same profile was there before'),
          201: stored('Kept'),
          ...problems(400, 404, 409, 413, 415, 422, 503),
        }),
      },
    },
    async ({ params, body }, reply) => {
      const { record, existed } = control.operations.addProfile(params.id, body);
      return reply.code(existed ? 200 : 201).send(profileView(record));
    },
  );
  app.get(
    '/v1/models/:id/profiles',
    {
      config: { access: 'viewer' },
      schema: {
        operationId: 'listProfiles',
        summary: 'The profiles of a model',
        tags,
        params: IdParams,
        response: documented({
          200: Type.Object({ profiles: Type.Array(Type.Ref('Profile#')) }, { description: 'OK' }),
          ...problems(404),
        }),
      },
    },
    ({ params }) => ({
      profiles: control.profiles.ofModel(control.models.get(params.id).id).map(profileView),
    }),
  );
  app.get(
    '/v1/models/:id/profiles/:profileId',
    {
      config: { access: 'viewer' },
      schema: {
        operationId: 'getProfile',
        summary: 'A profile in full, as it was uploaded',
        tags,
        params: OneParams,
        response: documented({ 200: ProfileSchema, ...problems(404) }),
      },
    },
    ({ params }) => control.profiles.get(control.models.get(params.id).id, params.profileId).profile,
  );
  app.delete(
    '/v1/models/:id/profiles/:profileId',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'deleteProfile',
        summary: 'Delete a profile that no deployment names',
        tags,
        params: OneParams,
        response: documented({ 204: Type.Null({ description: 'Deleted' }), ...problems(404, 409, 503) }),
      },
    },
    async ({ params }, reply) => {
      control.operations.removeProfile(params.id, params.profileId);
      return reply.code(204).send();
    },
  );
}

function stored(description: string): object {
  return { description, content: { 'application/json': { schema: Type.Ref('Profile#') } } };
}

function profileView({ id, modelId, origin, profile, createdAtMs }: ProfileRecord) {
  const { machine, options, wholeModel } = profile;
  return { id, modelId, origin, machine, options, wholeModelSeconds: wholeModel.medianSeconds, createdAtMs };
}
