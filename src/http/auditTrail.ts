/** Every change through REST is written down before it is carried out, and completed with its outcome. */
import type { FastifyRequest } from 'fastify';
import type { Audit } from '../control/access/audit.js';
import type { AuditStart } from '../control/access/records.js';
import { StoreError } from '../control/ports.js';
import type { HttpApp } from './httpApp.js';
import { sourceOf } from './strangers.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route changes nothing although its method says so. */
    readonly changesNothing?: boolean;
    /** Cuts somebody off: carried out in part, and written down later, also while the audit takes nothing. */
    readonly evenUnrecorded?: boolean;
  }
  interface FastifyRequest {
    audited: (AuditStart & { readonly id: number }) | null;
    /** What could not be written down, and why; only where the route goes on all the same. */
    unrecorded: { readonly change: AuditStart; readonly error: StoreError } | null;
    /** Code of the problem that the request was answered with. */
    problemCode: string | null;
  }
}

const reading = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Carries out one of several things that a request stands for, as a change with a row of its own.
 * @throws StoreError: then it is not done
 */
export function auditedPart(
  request: FastifyRequest,
  audit: Audit,
  change: Pick<AuditStart, 'operation' | 'target'>,
  work: () => void,
): void {
  const { actor, actorLabel, role, address } = request.audited!; // of a route that changes something
  const started = audit.start({ actor, actorLabel, role, address, ...change });
  work();
  audit.finish(started, { status: 204, code: null, target: change.target });
}

export function installAuditTrail(app: HttpApp, audit: Audit): void {
  app.decorateRequest('audited', null);
  app.decorateRequest('unrecorded', null);
  app.decorateRequest('problemCode', null);
  // after the request was found to be well-formed, before anything is done
  app.addHook('preHandler', (request, _reply, done) => {
    const { operator, method } = request;
    const { config, schema } = request.routeOptions;
    if (operator === null || reading.has(method) || config.changesNothing) {
      done();
      return;
    }
    const change = audit.dated({
      actor: operator.id,
      actorLabel: operator.label,
      role: operator.role,
      address: sourceOf(request),
      operation: (schema as { operationId: string }).operationId,
      target: request.url.split('?', 1)[0]!,
    });
    try {
      request.audited = audit.start(change);
    } catch (error) {
      if (!config.evenUnrecorded || !(error instanceof StoreError)) throw error;
      request.unrecorded = { change, error };
    }
    done();
  });
  app.addHook('onSend', (request, reply, payload, done) => {
    if (request.audited !== null) {
      const made = reply.getHeader('location');
      const target = typeof made === 'string' ? made : request.audited.target;
      audit.finish(request.audited, { status: reply.statusCode, code: request.problemCode, target });
      request.audited = null;
    }
    done(null, payload);
  });
}
