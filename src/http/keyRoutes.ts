/** API keys of operators, and the audit of what was done with them. */
import { Type } from 'typebox';
import type { Access } from '../control/access/access.js';
import type { ApiKeyRecord } from '../control/access/records.js';
import { documented, type HttpApp } from './httpApp.js';
import { IdParams } from './modelRoutes.js';
import { maxPage } from './paging.js';
import { problems } from './problem.js';
import { storeRevocation } from './storeRevocation.js';

export const LabelSchema = Type.String({
  minLength: 1,
  maxLength: 200,
  pattern: '^[^\\u0000-\\u001f\\u007f]+$',
  description: 'What people call it',
});
export const RevokedSchema = Type.Unsafe<number | null>({
  type: ['number', 'null'],
  description: 'Null while it may be used',
});
export const CreatedBySchema = Type.String({
  description: 'Id of the API key that made it; `start` or `command line` where none did',
});

const RoleSchema = Type.Union([Type.Literal('viewer'), Type.Literal('operator'), Type.Literal('admin')], {
  description: 'viewer looks on, operator changes models, deployments and devices, admin also keys',
});

const keyFields = {
  id: Type.String(),
  label: LabelSchema,
  role: RoleSchema,
  createdAtMs: Type.Number(),
  createdBy: CreatedBySchema,
  revokedAtMs: RevokedSchema,
};
const KeySchema = Type.Object(keyFields, { $id: 'ApiKey', title: 'ApiKey' });

const AuditEntrySchema = Type.Object({
  id: Type.Integer(),
  atMs: Type.Number(),
  actor: Type.String({
    description:
      'Id of the API key; `command line` for a command on the data folder, `start` for the first key',
  }),
  actorLabel: Type.String(),
  role: RoleSchema,
  address: Type.Unsafe<string | null>({ type: ['string', 'null'], description: 'Where it came from' }),
  operation: Type.String({ description: 'Name of the operation in this document' }),
  target: Type.String({ description: 'Path of what was changed or made' }),
  status: Type.Unsafe<number | null>({
    type: ['integer', 'null'],
    description: 'Status of the answer; null: the process or the database failed before it was known',
  }),
  code: Type.Unsafe<string | null>({
    type: ['string', 'null'],
    description: 'Code of the problem; null: it was done',
  }),
});

const tags = ['access'];

export function keyRoutes(app: HttpApp, access: Access): void {
  app.addSchema(KeySchema);
  app.get(
    '/v1/keys',
    {
      config: { access: 'admin' },
      schema: {
        operationId: 'listKeys',
        summary: 'The API keys of operators, without their secrets',
        tags,
        response: documented({
          200: Type.Object({ keys: Type.Array(Type.Ref('ApiKey#')) }, { description: 'OK' }),
        }),
      },
    },
    () => ({ keys: access.keys.list().map(keyView) }),
  );
  app.post(
    '/v1/keys',
    {
      config: { access: 'admin' },
      schema: {
        operationId: 'createKey',
        summary: 'Make an API key; it is shown this once',
        tags,
        body: Type.Object({ label: LabelSchema, role: RoleSchema }, { additionalProperties: false }),
        response: documented({
          201: Type.Object(
            { ...keyFields, key: Type.String({ description: 'The key itself, kept nowhere' }) },
            { description: 'Made' },
          ),
          ...problems(400, 409, 413, 415, 503),
        }),
      },
    },
    async ({ body, operator }, reply) => {
      const { record, secret } = access.keys.create({ ...body, createdBy: operator!.id });
      return reply
        .code(201)
        .header('location', `/v1/keys/${record.id}`)
        .send({ ...keyView(record), key: secret });
    },
  );
  app.delete(
    '/v1/keys/:id',
    {
      config: { access: 'admin', evenUnrecorded: true },
      schema: {
        operationId: 'revokeKey',
        summary: 'Revoke an API key at once',
        description:
          'While the database takes no writes the key is refused all the same; the answer is then 503 `revocation-not-stored`, and it is stored as soon as that can be.',
        tags,
        params: IdParams,
        response: documented({ 204: Type.Null({ description: 'Revoked' }), ...problems(404, 409, 503) }),
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      access.keys.refuse(id);
      storeRevocation(request, access.revocations, id, () => access.keys.saveRefused(id));
      return reply.code(204).send();
    },
  );
  auditRoute(app, access);
}

function auditRoute(app: HttpApp, access: Access): void {
  app.get(
    '/v1/audit',
    {
      config: { access: 'admin' },
      schema: {
        operationId: 'listAudit',
        summary: 'Every change that was asked for, newest first',
        tags,
        querystring: Type.Object({
          limit: Type.Integer({ minimum: 1, maximum: maxPage, default: 100 }),
          before: Type.Optional(
            Type.Integer({
              minimum: 1,
              maximum: Number.MAX_SAFE_INTEGER,
              description: '`next` of the page before',
            }),
          ),
        }),
        response: documented({
          200: Type.Object(
            {
              entries: Type.Array(AuditEntrySchema),
              next: Type.Unsafe<number | null>({ type: ['integer', 'null'] }),
            },
            { description: 'OK' },
          ),
          ...problems(400, 503),
        }),
      },
    },
    ({ query: { limit, before } }) => {
      const found = access.audit.entries({ limit: limit + 1, beforeId: before });
      const entries = found.slice(0, limit);
      return { entries, next: found.length > limit ? entries.at(-1)!.id : null };
    },
  );
}

function keyView({ id, label, role, createdAtMs, createdBy, revokedAtMs }: ApiKeyRecord) {
  return { id, label, role, createdAtMs, createdBy, revokedAtMs };
}
