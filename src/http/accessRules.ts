/**
 * Who may call what. Each route declares it (`config: { access: 'viewer' }`), one without does not start; the rule is
 * carried out before anything else of the request is looked at, and stands in the OpenAPI document.
 */
import type { FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import type { Access, DeviceIdentity, Refused } from '../control/access/access.js';
import { mayAct, type ApiKeyRecord, type OperatorRole } from '../control/access/records.js';
import type { HttpApp } from './httpApp.js';
import { HttpProblem, problems, sendProblem } from './problem.js';

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
export function installAccess(app: HttpApp, access: Access): void {
  app.decorateRequest('operator', null);
  app.decorateRequest('device', null);
  app.addHook('onRoute', (route) => describeAccess(route));
  app.addHook('onRequest', (request, reply, done) => {
    const { access: needed, takesDevices } = request.routeOptions.config;
    // an address that is none has no rule, and its answer is the same for everyone
    if (needed === undefined || needed === 'open' || (request.ws && takesDevices)) {
      done();
      return;
    }
    const verdict = access.operator(request.headers.authorization, request.ip);
    if (!verdict.ok) {
      void refuse(request, reply, verdict, 'operator');
    } else if (!mayAct(verdict.key.role, needed)) {
      const detail = `This needs a key with the role ${needed}; yours has the role ${verdict.key.role}.`;
      void sendProblem(
        request,
        reply.header('connection', 'close'),
        new HttpProblem(403, 'forbidden', detail),
      );
    } else {
      request.operator = verdict.key;
      done();
    }
  });
}

/** The check of an upgrade, for the route that takes devices. @returns false when it was answered with no */
export function admitDevice(request: FastifyRequest, reply: FastifyReply, access: Access): boolean {
  // a page in somebody's browser can open sockets too, says so by this header, and cannot send a token
  const isPage = request.headers.origin !== undefined;
  const verdict = access.device(request.headers.authorization, request.ip, { isPage });
  if (verdict.ok) request.device = verdict.identity;
  else void refuse(request, reply, verdict, 'device');
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
  // Fastify gives each GET a HEAD with the same schema
  if (needed === 'open' || route.schema === undefined || route.schema.security !== undefined) return;
  route.schema.security = [{ operatorKey: [] }];
  route.schema.description = [route.schema.description, `Needs the role ${needed}.`]
    .filter(Boolean)
    .join(' ');
  route.schema.response = { ...problems(401, 403, 429), ...(route.schema.response as object) };
}
