/** What the surroundings of the service ask: is it alive, is it ready, its figures, its description. */
import { Type } from 'typebox';
import { documented, type HttpApp } from './httpApp.js';
import { HttpProblem, problems } from './problem.js';

export interface ReadinessCheck {
  readonly name: string;
  readonly ok: boolean;
  /** What is wrong; null where it is well. */
  readonly message: string | null;
  /** It goes on, with something missing that the message names. */
  readonly degraded?: boolean;
}

export interface OperationPorts {
  readonly readiness: () => readonly ReadinessCheck[];
  readonly metrics: { readonly contentType: string; readonly render: () => Promise<string> };
}

const tags = ['operations'];

export function operationRoutes(app: HttpApp, { readiness, metrics }: OperationPorts): void {
  app.get(
    '/healthz',
    {
      config: { access: 'open' },
      schema: {
        operationId: 'health',
        summary: 'Is the process alive and its event loop turning?',
        tags,
        response: documented({ 200: Type.Object({ status: Type.Literal('ok') }, { description: 'It is' }) }),
      },
    },
    () => ({ status: 'ok' }),
  );
  app.get(
    '/readyz',
    {
      config: { access: 'open' },
      schema: {
        operationId: 'readiness',
        summary: 'Can it decide and make decisions durable?',
        tags,
        response: documented({
          200: Type.Object(
            {
              status: Type.Unsafe<'ready' | 'degraded'>({ type: 'string', enum: ['ready', 'degraded'] }),
              checks: Type.Array(Type.Object({ name: Type.String() })),
            },
            { description: 'It can' },
          ),
          ...problems(503),
        }),
      },
    },
    () => {
      const checks = readiness();
      const failed = checks.filter((check) => !check.ok);
      const isDegraded = checks.some((check) => check.degraded === true);
      if (failed.length === 0) return { status: isDegraded ? 'degraded' : 'ready', checks };
      const detail = failed.map((check) => `${check.name}: ${check.message ?? 'not well'}`).join('; ');
      throw new HttpProblem(503, 'not-ready', detail, [], { checks });
    },
  );
  app.get(
    '/metrics',
    {
      config: { access: 'viewer' },
      schema: {
        operationId: 'metrics',
        summary: 'Figures for Prometheus',
        tags,
        produces: ['text/plain'],
        response: documented({ 200: Type.String({ description: 'Prometheus text format' }) }),
      },
    },
    async (_request, reply) => {
      const text = await metrics.render();
      return reply.header('content-type', metrics.contentType).serializer(String).send(text);
    },
  );
  // made once: to make it takes longer than anyone without a key may have of the event loop
  let description = Buffer.alloc(0);
  app.addHook('onReady', (done) => {
    description = Buffer.from(JSON.stringify(app.swagger()));
    done();
  });
  app.get('/openapi.json', { config: { access: 'open' }, schema: { hide: true } }, (_request, reply) =>
    reply.header('content-type', 'application/json; charset=utf-8').send(description),
  );
}
