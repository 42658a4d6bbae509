/** The HTTP application: its plugins in explicit order. Everything it needs comes in; it is made per context. */
import swagger from '@fastify/swagger';
import websocket from '@fastify/websocket';
import fastify, { LogController, type FastifyBaseLogger } from 'fastify';
import type { Access } from './control/access/access.js';
import type { ControlPlane } from './control/controlPlane.js';
import type { Events } from './control/ports.js';
import { installAccess } from './http/accessRules.js';
import { installAuditTrail } from './http/auditTrail.js';
import type { Certificate } from './http/certificate.js';
import { decisionRoutes } from './http/decisionRoutes.js';
import { deploymentRoutes } from './http/deploymentRoutes.js';
import { deviceRoutes } from './http/deviceRoutes.js';
import { createValidatorCompiler, type HttpApp } from './http/httpApp.js';
import { keyRoutes } from './http/keyRoutes.js';
import { modelRoutes } from './http/modelRoutes.js';
import { operationRoutes, type OperationPorts } from './http/operationRoutes.js';
import { answerFrameworkError, installProblems } from './http/problem.js';
import { parserErrors, refuseExpectations } from './http/parserErrors.js';
import { profileRoutes } from './http/profileRoutes.js';
import { securityHeaders } from './http/securityHeaders.js';
import { Strangers } from './http/strangers.js';
import { tokenRoutes } from './http/tokenRoutes.js';
import { Uploads, type UploadSettings } from './http/upload.js';
import type { DeviceHub } from './ws/deviceHub.js';

export interface AppParts extends OperationPorts {
  readonly control: ControlPlane;
  readonly hub: DeviceHub;
  readonly events: Events;
  readonly log: FastifyBaseLogger;
  readonly version: string;
  readonly access: Access;
  /** Null: without TLS. */
  readonly certificate: Certificate | null;
  readonly settings: UploadSettings & ListenSettings & { readonly maxRestBodyBytes: number };
}

/** What a connection may do before anyone knows who it is. */
export interface ListenSettings {
  /** TCP connections at once, of devices and operators together. */
  readonly maxSockets: number;
  readonly headersTimeoutMs: number;
  /** For the whole of a request, its body included. */
  readonly requestTimeoutMs: number;
  readonly maxStrangersPerAddress: number;
  /** Addresses and networks of proxies whose X-Forwarded-For is believed. */
  readonly trustedProxies: readonly string[];
}

export async function buildApp(parts: AppParts): Promise<HttpApp> {
  const { control, hub, events, settings, access, certificate } = parts;
  const server = {
    headersTimeout: settings.headersTimeoutMs,
    requestTimeout: settings.requestTimeoutMs,
    connectionsCheckingInterval: Math.min(settings.headersTimeoutMs, 5_000),
    requireHostHeader: false, // answered with the other problems
  };
  const headers = securityHeaders(certificate !== null);
  const app = fastify({
    ...(certificate === null
      ? { http: server }
      : { https: { ...server, ...certificate.options, handshakeTimeout: settings.headersTimeoutMs } }),
    loggerInstance: parts.log,
    logController: new LogController({ disableRequestLogging: true }), // metrics count them; failures are logged
    trustProxy: settings.trustedProxies.length === 0 ? false : [...settings.trustedProxies],
    bodyLimit: settings.maxRestBodyBytes,
    requestTimeout: settings.requestTimeoutMs,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: 200 },
    frameworkErrors: (error, request, reply) => {
      void reply.headers(headers);
      answerFrameworkError(error, request, reply);
    },
    clientErrorHandler: parserErrors(headers, events),
    return503OnClosing: true,
  }) as unknown as HttpApp; // with TLS its server is another class with the same face
  app.server.maxConnections = settings.maxSockets;
  app.server.on('drop', () => events.capHit('sockets', { cap: settings.maxSockets }));
  const cap = settings.maxStrangersPerAddress;
  const strangers = new Strangers(cap, settings.trustedProxies, (address) =>
    events.capHit('strangersPerAddress', { cap, address }),
  );
  strangers.follow(app.server);
  refuseExpectations(app.server, headers, events);
  app.setValidatorCompiler(createValidatorCompiler());
  app.setSerializerCompiler(() => JSON.stringify);
  app.removeContentTypeParser('text/plain'); // no address takes it
  app.addHook('onRequest', (_request, reply, done) => {
    void reply.headers(headers);
    done();
  });
  installProblems(app, events);
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Cutpoint',
        version: parts.version,
        description: 'Keeps every deployed neural network at its best cut between end device and edge.',
      },
      tags: ['models', 'profiles', 'devices', 'deployments', 'decisions', 'access', 'operations'].map(
        (name) => ({
          name,
        }),
      ),
      components: {
        securitySchemes: {
          operatorKey: { type: 'http', scheme: 'bearer', description: 'API key of an operator' },
        },
      },
    },
    refResolver: {
      buildLocalReference: ({ $id }, _base, _fragment, i) => (typeof $id === 'string' ? $id : `schema-${i}`),
    },
  });
  await app.register(websocket, {
    options: hub.serverOptions,
    errorHandler: (error) => hub.socketError(error),
    preClose: (done) => {
      hub.stop();
      strangers.closeAll();
      done();
    },
  });
  installAccess(app, access, strangers);
  installAuditTrail(app, access.audit);
  modelRoutes(app, control, new Uploads(events, settings));
  profileRoutes(app, control);
  deviceRoutes(app, control, access, events, hub, strangers);
  tokenRoutes(app, access, hub);
  keyRoutes(app, access);
  deploymentRoutes(app, control);
  decisionRoutes(app, control);
  operationRoutes(app, parts);
  return app;
}
