/** Tokens of devices: made, listed without their secret, revoked with effect at once. */
import { Type } from 'typebox';
import type { Access } from '../control/access/access.js';
import type { DeviceTokenRecord } from '../control/access/records.js';
import type { DeviceSockets } from './deviceRoutes.js';
import { documented, type HttpApp } from './httpApp.js';
import { CreatedBySchema, LabelSchema, RevokedSchema } from './keyRoutes.js';
import { problems } from './problem.js';
import { storeRevocation } from './storeRevocation.js';

const tokenFields = {
  id: Type.String(),
  deviceId: Type.String(),
  label: LabelSchema,
  createdAtMs: Type.Number(),
  createdBy: CreatedBySchema,
  revokedAtMs: RevokedSchema,
};
const TokenSchema = Type.Object(tokenFields, { $id: 'DeviceToken', title: 'DeviceToken' });

/** A token may be made before its device was ever seen. The pattern is the one of the device protocol. */
const DeviceParams = Type.Object({
  id: Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$', description: 'Id of the device' }),
});
const TokenParams = Type.Object({
  ...DeviceParams.properties,
  tokenId: Type.String({ minLength: 1, maxLength: 200 }),
});

const tags = ['access'];

export function tokenRoutes(app: HttpApp, access: Access, sockets: DeviceSockets): void {
  app.addSchema(TokenSchema);
  app.post(
    '/v1/devices/:id/tokens',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'createToken',
        summary: 'Make a token for a device; it is shown this once',
        tags,
        params: DeviceParams,
        body: Type.Object(
          { label: Type.Optional(LabelSchema) },
          { additionalProperties: false, description: 'May be {}' },
        ),
        response: documented({
          201: Type.Object(
            { ...tokenFields, token: Type.String({ description: 'The token itself, kept nowhere' }) },
            { description: 'Made' },
          ),
          ...problems(400, 409, 413, 415, 503),
        }),
      },
    },
    async ({ params: { id: deviceId }, body, operator }, reply) => {
      const wanted = { deviceId, label: body.label ?? deviceId, createdBy: operator!.id };
      const { record, secret } = access.tokens.create(wanted);
      return reply
        .code(201)
        .header('location', `/v1/devices/${deviceId}/tokens/${record.id}`)
        .send({ ...tokenView(record), token: secret });
    },
  );
  app.get(
    '/v1/devices/:id/tokens',
    {
      config: { access: 'viewer' },
      schema: {
        operationId: 'listTokens',
        summary: 'The tokens of a device, without their secrets',
        tags,
        params: DeviceParams,
        response: documented({
          200: Type.Object({ tokens: Type.Array(Type.Ref('DeviceToken#')) }, { description: 'OK' }),
          ...problems(400),
        }),
      },
    },
    ({ params }) => ({ tokens: access.tokens.ofDevice(params.id).map(tokenView) }),
  );
  app.delete(
    '/v1/devices/:id/tokens/:tokenId',
    {
      config: { access: 'operator', evenUnrecorded: true },
      schema: {
        operationId: 'revokeToken',
        summary: 'Revoke a token; a connection that came with it is closed at once',
        description:
          'While the database takes no writes the token is refused and its connection closed all the same; the answer is then 503 `revocation-not-stored`, and it is stored as soon as that can be.',
        tags,
        params: TokenParams,
        response: documented({ 204: Type.Null({ description: 'Revoked' }), ...problems(400, 404, 503) }),
      },
    },
    async (request, reply) => {
      const { id, tokenId } = request.params;
      access.tokens.refuse(id, tokenId);
      sockets.closeRevoked(tokenId);
      storeRevocation(request, access.revocations, tokenId, () => access.tokens.saveRefused(tokenId));
      return reply.code(204).send();
    },
  );
}

function tokenView({ id, deviceId, label, createdAtMs, createdBy, revokedAtMs }: DeviceTokenRecord) {
  return { id, deviceId, label, createdAtMs, createdBy, revokedAtMs };
}
