/** Devices: who was seen, what they said last. The address is also where devices open their WebSocket. */
import type { ServerResponse } from 'node:http';
import type {} from '@fastify/websocket'; // its additions to the types of a route
import type { FastifyRequest } from 'fastify';
import type { WebSocket } from 'ws';
import { Type } from 'typebox';
import type { Access, DeviceIdentity } from '../control/access/access.js';
import type { ControlPlane } from '../control/controlPlane.js';
import type { Device } from '../control/devices.js';
import type { Events } from '../control/ports.js';
import { PowerSchema } from '../schema/context.js';
import { auditedPart } from './auditTrail.js';
import { admitDevice } from './accessRules.js';
import { documented, type HttpApp } from './httpApp.js';
import { IdParams } from './modelRoutes.js';
import { NextSchema, page, PageQuery } from './paging.js';
import { HttpProblem, problems, sendProblem } from './problem.js';
import type { Strangers } from './strangers.js';

interface UpgradeRefusal {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

/** Takes WebSockets of devices; implemented outside of http. */
export interface DeviceSockets {
  /** Why an upgrade is not made; null when it is. */
  checkUpgrade(offeredProtocols: string | undefined): UpgradeRefusal | null;
  /** The same for an upgrade whose credential is known. */
  checkRoom(identity: DeviceIdentity): UpgradeRefusal | null;
  /** @param identity the device that it speaks for; null where it came without a token */
  accept(socket: WebSocket, identity: DeviceIdentity): void;
  /** Closes what came with a token that is not to be used any more. */
  closeRevoked(tokenId: string): void;
}

const number = Type.Optional(Type.Number());

const DeviceSchema = Type.Object(
  {
    id: Type.String(),
    role: Type.Union([Type.Literal('end'), Type.Literal('edge'), Type.Literal('cloud')]),
    connected: Type.Boolean(),
    machineId: Type.Optional(Type.String()),
    computeRatio: number,
    power: Type.Optional(PowerSchema),
    batteryCapacityJoules: number,
    agent: Type.Optional(Type.String()),
    capabilities: Type.Optional(Type.Array(Type.String())),
    models: Type.Optional(Type.Array(Type.String(), { description: 'SHA-256 of the files that are there' })),
    switchSeconds: number,
    firstSeenAtMs: Type.Number(),
    lastSeenAtMs: Type.Number(),
    telemetry: Type.Union(
      [
        Type.Object({
          uplinkBitsPerSecond: number,
          downlinkBitsPerSecond: number,
          rttSeconds: number,
          cpuLoad: number,
          slowdown: number,
          freeMemoryBytes: number,
          freeStorageBytes: number,
          battery: Type.Optional(Type.Object({ level: Type.Number(), charging: Type.Boolean() })),
          temperatureCelsius: number,
          queueLength: number,
          meanServiceSeconds: number,
        }),
        Type.Null(),
      ],
      { description: 'The latest values; null before the first frame since the controller started' },
    ),
    telemetryAtMs: Type.Unsafe<number | null>({ type: ['number', 'null'] }),
    deployments: Type.Array(Type.String(), { description: 'Ids of its deployments' }),
  },
  { $id: 'Device', title: 'Device' },
);

const tags = ['devices'];

export function deviceRoutes(
  app: HttpApp,
  control: ControlPlane,
  access: Access,
  events: Events,
  sockets: DeviceSockets,
  strangers: Strangers,
): void {
  app.addSchema(DeviceSchema);
  /** Of upgrades that are under way. */
  const responses = new WeakMap<object, ServerResponse>();
  app.route({
    method: 'GET',
    url: '/v1/devices',
    config: { access: 'viewer', takesDevices: true },
    schema: {
      operationId: 'listDevices',
      summary: 'The devices that were seen',
      description: 'With an upgrade to a WebSocket: the address of the device protocol (docs/protocol.md).',
      tags,
      querystring: PageQuery,
      response: documented({
        200: Type.Object(
          { devices: Type.Array(Type.Ref('Device#')), next: NextSchema },
          { description: 'OK' },
        ),
        ...problems(400),
      }),
    },
    onRequest: (request, reply, done) => {
      if (!request.ws) return done();
      let refusal = sockets.checkUpgrade(request.headers['sec-websocket-protocol']);
      if (refusal === null) {
        if (!admitDevice(request, reply, access, strangers)) return;
        refusal = sockets.checkRoom(request.device);
      }
      if (refusal === null) {
        responses.set(request, reply.raw);
        return done();
      }
      events.refused('connection', refusal.code);
      const { status, code, message } = refusal;
      void sendProblem(request, reply.header('connection', 'close'), new HttpProblem(status, code, message));
    },
    handler: ({ query }) => {
      const { entries, next } = page(control.devices.ids(), (id) => id, query);
      return { devices: entries.map((id) => deviceView(control, control.devices.get(id))), next };
    },
    wsHandler: (socket, request) => {
      const { device } = request;
      sockets.accept(socket, device);
      // the request is over, and nothing of it should stay with the connection
      responses.get(request)?.detachSocket(request.raw.socket);
      // revoked while the upgrade was on its way
      if (device !== null && !access.tokens.isLive(device.tokenId)) sockets.closeRevoked(device.tokenId);
    },
  });
  app.get(
    '/v1/devices/:id',
    {
      config: { access: 'viewer' },
      schema: {
        operationId: 'getDevice',
        summary: 'One device',
        tags,
        params: IdParams,
        response: documented({ 200: Type.Ref('Device#'), ...problems(404) }),
      },
    },
    ({ params }) => deviceView(control, control.devices.get(params.id)),
  );
  app.delete(
    '/v1/devices/:id',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'deleteDevice',
        summary: 'Forget a device that has no deployment, and end its tokens',
        description:
          'Its connection is closed at once. Each token that ends has a row of its own in the audit. Where devices are taken without a token it can come back.',
        tags,
        params: IdParams,
        response: documented({ 204: Type.Null({ description: 'Forgotten' }), ...problems(404, 409, 503) }),
      },
    },
    async (request, reply) => {
      forgetDevice(request, control, access, sockets);
      return reply.code(204).send();
    },
  );
}

/** @throws ControlError `not-found`, `conflict` while a deployment uses it; StoreError: then it may be done in part */
function forgetDevice(
  request: FastifyRequest<{ Params: { id: string } }>,
  control: ControlPlane,
  access: Access,
  sockets: DeviceSockets,
): void {
  const { id } = request.params;
  control.operations.checkUnused(id);
  const tokens = access.tokens.ofDevice(id);
  // first what it could come back with, then itself
  for (const token of tokens) {
    const change = { operation: 'revokeToken', target: `/v1/devices/${id}/tokens/${token.id}` };
    if (token.revokedAtMs === null) {
      auditedPart(request, access.audit, change, () => access.tokens.forget(token));
      sockets.closeRevoked(token.id);
    } else access.tokens.forget(token);
  }
  // one that was never seen is known by its tokens alone
  if (tokens.length === 0 || control.devices.isKnown(id)) control.operations.removeDevice(id);
}

function deviceView(control: ControlPlane, { record, connected, telemetry, telemetryAtMs }: Device) {
  const { id, description, firstSeenAtMs, lastSeenAtMs } = record;
  const deployments = control.deployments.ofDevice(id).map((session) => session.id);
  return {
    id,
    connected,
    ...description,
    firstSeenAtMs,
    lastSeenAtMs,
    telemetry,
    telemetryAtMs,
    deployments,
  };
}
