/** Models: upload, list, look at, delete. */
import type { Readable } from 'node:stream';
import { Ajv } from 'ajv';
import { Type, type Static } from 'typebox';
import type { ControlPlane } from '../control/controlPlane.js';
import type { ModelRecord } from '../control/records.js';
import type { ProfileOptions } from '../core/profile.js';
import { LayerSchema, TensorSchema } from '../schema/graphDocument.js';
import { InputsSchema, ProfileOptionsSchema } from '../schema/profile.js';
import { describe, fieldOf } from '../schema/problems.js';
import { documented, type HttpApp } from './httpApp.js';
import { HttpProblem, problems } from './problem.js';
import type { Uploads } from './upload.js';

const ModelSchema = Type.Object(
  {
    id: Type.String(),
    name: Type.String(),
    sha256: Type.String(),
    sizeBytes: Type.Integer(),
    status: Type.Union([Type.Literal('importing'), Type.Literal('ready'), Type.Literal('failed')]),
    error: Type.Union([Type.Object({ code: Type.String(), message: Type.String() }), Type.Null()], {
      description: 'Why the import was refused',
    }),
    progress: Type.Union(
      [Type.Object({ stage: Type.String(), fraction: Type.Number({ minimum: 0, maximum: 1 }) }), Type.Null()],
      { description: 'How far the import is, while it runs' },
    ),
    layerCount: Type.Union([Type.Integer(), Type.Null()], { description: 'Null until the model is ready' }),
    options: ProfileOptionsSchema,
    createdAtMs: Type.Number(),
  },
  { $id: 'Model', title: 'Model' },
);

const UploadQuery = Type.Object({
  name: Type.String({ minLength: 1, maxLength: 200, description: 'What people call the model' }),
  inputs: Type.Optional(
    Type.String({
      maxLength: 100_000,
      description: 'JSON: shapes of inputs with open dimensions, {"name":{"shape":[1,3,224,224],"fill":0}}',
      examples: ['{"input":{"shape":[1,3,224,224]}}'],
    }),
  ),
  waitSeconds: Type.Number({
    minimum: 0,
    maximum: 60,
    default: 10,
    description: 'Wait so long for the import',
  }),
});

const LayerGraphSchema = Type.Object({
  name: Type.String(),
  layers: Type.Array(LayerSchema, { description: 'In topological order' }),
  tensors: Type.Array(TensorSchema),
});

export const IdParams = Type.Object({ id: Type.String({ minLength: 1, maxLength: 200 }) });

const tags = ['models'];

export function modelRoutes(app: HttpApp, control: ControlPlane, uploads: Uploads): void {
  app.addSchema(ModelSchema);
  uploadRoute(app, control, uploads);
  app.get(
    '/v1/models',
    {
      config: { access: 'viewer' },
      schema: {
        operationId: 'listModels',
        summary: 'All models',
        tags,
        response: documented({
          200: Type.Object({ models: Type.Array(Type.Ref('Model#')) }, { description: 'OK' }),
        }),
      },
    },
    () => ({ models: control.models.list().map((model) => modelView(control, model)) }),
  );
  app.get(
    '/v1/models/:id',
    {
      config: { access: 'viewer' },
      schema: {
        operationId: 'getModel',
        summary: 'One model',
        tags,
        params: IdParams,
        response: documented({ 200: Type.Ref('Model#'), ...problems(404) }),
      },
    },
    ({ params }) => modelView(control, control.models.get(params.id)),
  );
  app.get(
    '/v1/models/:id/graph',
    {
      config: { access: 'viewer' },
      schema: {
        operationId: 'getModelGraph',
        summary: 'The layers and tensors of a model',
        tags,
        params: IdParams,
        response: documented({ 200: LayerGraphSchema, ...problems(404, 409) }),
      },
    },
    ({ params }) => {
      const model = control.models.get(params.id);
      if (model.graph === null) {
        throw new HttpProblem(
          409,
          'model-not-ready',
          `Model ${model.id} has no graph: it is ${model.status}.`,
        );
      }
      return model.graph;
    },
  );
  app.delete(
    '/v1/models/:id',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'deleteModel',
        summary: 'Delete a model that no deployment uses',
        tags,
        params: IdParams,
        response: documented({ 204: Type.Null({ description: 'Deleted' }), ...problems(404, 409, 503) }),
      },
    },
    async ({ params }, reply) => {
      await control.operations.removeModel(params.id);
      return reply.code(204).send();
    },
  );
}

function uploadRoute(app: HttpApp, control: ControlPlane, uploads: Uploads): void {
  const parseInputs = createInputsParser();
  app.addContentTypeParser('application/octet-stream', (_request, payload, done) => done(null, payload));
  app.post(
    '/v1/models',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'uploadModel',
        summary: 'Upload an ONNX file and import it',
        description: 'The same file with the same inputs is imported once; uploading it again answers 200.',
        tags,
        consumes: ['application/octet-stream'],
        querystring: UploadQuery,
        response: documented({
          200: describedModel('It was there before'),
          201: describedModel('Imported, ready to deploy'),
          202: describedModel('Still being imported: ask for it again'),
          ...problems(400, 409, 413, 415, 422, 503, 507),
        }),
      },
    },
    async (request, reply) => {
      const { name, inputs, waitSeconds } = request.query;
      const shapes = parseInputs(inputs);
      if (request.headers['content-type'] !== 'application/octet-stream') {
        throw new HttpProblem(415, 'unsupported-media-type', 'Send the file as application/octet-stream.');
      }
      const announced = Number(request.headers['content-length'] ?? 0);
      const received = await uploads.receive(request.body as Readable, announced);
      try {
        const added = await control.models.add({ ...received, name, inputs: shapes });
        await atMost(waitSeconds * 1_000, added.done);
        const model = control.models.get(added.id);
        if (model.error !== null) {
          throw new HttpProblem(422, model.error.code, model.error.message, [], { modelId: model.id });
        }
        const status = model.status === 'importing' ? 202 : added.existed ? 200 : 201;
        return await reply
          .code(status)
          .header('location', `/v1/models/${model.id}`)
          .send(modelView(control, model));
      } finally {
        await uploads.discard(received);
      }
    },
  );
}

function createInputsParser(): (text: string | undefined) => ProfileOptions['inputs'] {
  const ajv = new Ajv({ allErrors: true, verbose: true, validateSchema: false });
  const validate = ajv.compile<Static<typeof InputsSchema>>(InputsSchema);
  return (text) => {
    if (text === undefined) return {};
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (error) {
      throw wrongInputs([{ field: 'inputs', message: `inputs is not JSON: ${(error as Error).message}` }]);
    }
    if (validate(value)) return value;
    throw wrongInputs(
      (validate.errors ?? []).map((error) => ({
        field: `inputs.${fieldOf(error)}`,
        message: describe(error),
      })),
    );
  };
}

function wrongInputs(errors: { field: string; message: string }[]): HttpProblem {
  const text = errors.map((error) => error.message).join('; ');
  return new HttpProblem(
    400,
    'invalid-request',
    `The query of the request is not as it must be: ${text}.`,
    errors,
  );
}

function describedModel(description: string): object {
  return { description, content: { 'application/json': { schema: Type.Ref('Model#') } } };
}

function modelView(control: ControlPlane, model: ModelRecord) {
  const { graph, ...shown } = model;
  return {
    ...shown,
    progress: control.models.progress(model.id),
    layerCount: graph === null ? null : graph.layers.length,
  };
}

/** Waits for `work`, but not longer than `ms`. */
async function atMost(ms: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)));
  await Promise.race([work, over]);
  clearTimeout(timer);
}
