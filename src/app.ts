/** The HTTP application: its plugins in explicit order. Everything it needs comes in; it is made per context. */
import swagger from '@fastify/swagger';
import websocket from '@fastify/websocket';
import fastify, { LogController, type FastifyBaseLogger } from 'fastify';
import type { ControlPlane } from './control/controlPlane.js';
import type { Events } from './control/ports.js';
import { decisionRoutes } from './http/decisionRoutes.js';
import { deploymentRoutes } from './http/deploymentRoutes.js';
import { deviceRoutes } from './http/deviceRoutes.js';
import { createValidatorCompiler, type HttpApp } from './http/httpApp.js';
import { modelRoutes } from './http/modelRoutes.js';
import { operationRoutes, type OperationPorts } from './http/operationRoutes.js';
import { answerFrameworkError, installProblems } from './http/problem.js';
import { profileRoutes } from './http/profileRoutes.js';
import { Uploads, type UploadSettings } from './http/upload.js';
import type { DeviceHub } from './ws/deviceHub.js';

export interface AppParts extends OperationPorts {
  readonly control: ControlPlane;
  readonly hub: DeviceHub;
  readonly events: Events;
  readonly log: FastifyBaseLogger;
  readonly version: string;
  readonly settings: UploadSettings & { readonly maxRestBodyBytes: number };
}

export async function buildApp(parts: AppParts): Promise<HttpApp> {
  const { control, hub, events, settings } = parts;
  const app: HttpApp = fastify({
    loggerInstance: parts.log,
    logController: new LogController({ disableRequestLogging: true }), // metrics count them; failures are logged
    bodyLimit: settings.maxRestBodyBytes,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: 200 },
    frameworkErrors: answerFrameworkError,
    return503OnClosing: true,
  });
  app.setValidatorCompiler(createValidatorCompiler());
  app.setSerializerCompiler(() => JSON.stringify);
  app.removeContentTypeParser('text/plain'); // no address takes it
  installProblems(app, events);
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Cutpoint',
        version: parts.version,
        description: 'Keeps every deployed neural network at its best cut between end device and edge.',
      },
      tags: ['models', 'profiles', 'devices', 'deployments', 'decisions', 'operations'].map((name) => ({
        name,
      })),
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
      done();
    },
  });
  modelRoutes(app, control, new Uploads(events, settings));
  profileRoutes(app, control);
  deviceRoutes(app, control, events, hub);
  deploymentRoutes(app, control);
  decisionRoutes(app, control);
  operationRoutes(app, parts);
  return app;
}
