/**
 * Who may call what. Each route declares it (`config: { access: 'viewer' }`), one without does not start; the rule is
 * carried out before anything else of the request is looked at, and stands in the OpenAPI document.
 */
import type { FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import type { Access, DeviceIdentity, Refused } from '../control/access/access.js';
import { mayAct, type ApiKeyRecord, type OperatorRole } from '../control/access/records.js';
import type { HttpApp } from './httpApp.js';
import { HttpProblem, noSuchAddress, problems, sendProblem } from './problem.js';
import { sourceOf, type Strangers } from './strangers.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The least role that may call the route; `open`: anyone. */
    readonly access?: OperatorRole | 'open';
    /** Devices come here too, by upgrade to a WebSocket and with their own credentials. */
    readonly takesDevices?: boolean;
  }
  interface FastifyRequest {
    /** Null on open routes. */
    operator: ApiKeyRecord | null;
    /** Set for upgrades of devices alone. */
    device: DeviceIdentity;
  }
}

/** To be called before the first route. @throws Error at a route that declares no access */
export function installAccess(app: HttpApp, access: Access, strangers: Strangers): void {
  app.decorateRequest('operator', null);
  app.decorateRequest('device', null);
  app.addHook('onRoute', (route) => describeAccess(route));
  app.addHook('onRequest', (request, reply, done) => {
    // each answer from here ends the connection, and with it the body of the request, which nobody has read
    const answer = (problem: HttpProblem) =>
      void sendProblem(request, reply.header('connection', 'close'), problem);
    const { access: needed, takesDevices } = request.routeOptions.config;
    if (request.headers.host === undefined && request.raw.httpVersion === '1.1') {
      answer(new HttpProblem(400, 'host-missing', 'A request of HTTP/1.1 has the header Host.'));
    } else if (needed === undefined) {
      answer(noSuchAddress(request)); // an address that is none has no rule, and its answer is the same for everyone
    } else if (request.ws && takesDevices) {
      done(); // the route asks for another credential
    } else if (needed === 'open') {
      if (request.ws) answer(noDevicesHere);
      else done();
    } else {
      const verdict = access.operator(request.headers.authorization, sourceOf(request));
      if (!verdict.ok) void refuse(request, reply, verdict, 'operator');
      else if (!mayAct(verdict.key.role, needed)) answer(forbidden(needed, verdict.key.role));
      else if (request.ws) answer(noDevicesHere);
      else {
        strangers.isKnown(request.raw.socket);
        request.operator = verdict.key;
        done();
      }
    }
  });
}

const noDevicesHere = new HttpProblem(
  400,
  'no-upgrade-here',
  'This address takes no upgrade to a WebSocket; devices connect at /v1/devices.',
);

function forbidden(needed: OperatorRole, held: OperatorRole): HttpProblem {
  const detail = `This needs a key with the role ${needed}; yours has the role ${held}.`;
  return new HttpProblem(403, 'forbidden', detail);
}

/** The check of an upgrade, for the route that takes devices. @returns false when it was answered with no */
export function admitDevice(
  request: FastifyRequest,
  reply: FastifyReply,
  access: Access,
  strangers: Strangers,
): boolean {
  // a page in somebody's browser can open sockets too, says so by this header, and cannot send a token
  const isPage = request.headers.origin !== undefined;
  const verdict = access.device(request.headers.authorization, sourceOf(request), { isPage });
  if (verdict.ok) {
    strangers.isKnown(request.raw.socket);
    request.device = verdict.identity;
  } else void refuse(request, reply, verdict, 'device');
  return verdict.ok;
}

/** One answer, whatever was wrong with the credential: it must not tell what is known here. */
function refuse(
  request: FastifyRequest,
  reply: FastifyReply,
  { limited }: Refused,
  face: 'operator' | 'device',
): FastifyReply {
  const what = face === 'operator' ? 'an API key' : 'a device token';
  void reply.header('connection', 'close').header('www-authenticate', 'Bearer realm="cutpoint"');
  if (limited) {
    const detail = 'Too many attempts of this address failed; a right credential is taken all the same.';
    void reply.header('retry-after', '60');
    return sendProblem(request, reply, new HttpProblem(429, 'too-many-failures', detail));
  }
  const detail = `Send ${what} that is in use: the header "Authorization: Bearer …".`;
  return sendProblem(request, reply, new HttpProblem(401, 'unauthorized', detail));
}

function describeAccess(route: RouteOptions): void {
  const needed = route.config?.access;
  if (needed === undefined) {
    throw new Error(`${String(route.method)} ${route.url} does not declare who may call it (config.access)`);
  }
  if (needed === 'open' && ![route.method].flat().every((method) => method === 'GET' || method === 'HEAD')) {
    throw new Error(`${String(route.method)} ${route.url} is open: its body would be read for anyone`);
  }
  // Fastify gives each GET a HEAD with the same schema
  if (needed === 'open' || route.schema === undefined || route.schema.security !== undefined) return;
  route.schema.security = [{ operatorKey: [] }];
  route.schema.description = [route.schema.description, `Needs the role ${needed}.`]
    .filter(Boolean)
    .join(' ');
  route.schema.response = { ...problems(401, 403, 429), ...(route.schema.response as object) };
}
