/** Errors of the REST face: RFC 9457 problems, whatever went wrong and wherever. */
import { STATUS_CODES } from 'node:http';
import type { ErrorObject } from 'ajv';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { ControlError, type ControlErrorKind } from '../control/controlError.js';
import { StoreError, type Events } from '../control/ports.js';
import { describe, fieldOf } from '../schema/problems.js';
import type { HttpApp } from './httpApp.js';

const ProblemSchema = Type.Object(
  {
    type: Type.String({ description: 'Stable name of the kind of problem, as a URI' }),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String({ description: 'What is wrong here, and what to do' }),
    instance: Type.String({ description: 'The request that was answered' }),
    errors: Type.Optional(
      Type.Array(Type.Object({ field: Type.String(), message: Type.String() }), {
        description: 'The fields at fault',
      }),
    ),
  },
  { $id: 'Problem', title: 'Problem', description: 'RFC 9457 problem details' },
);

/** The answers of every operation that go wrong, for its schema. */
export function problems(...statuses: number[]): Record<number, object> {
  return Object.fromEntries(
    statuses.map((status) => [
      status,
      {
        description: STATUS_CODES[status],
        content: { 'application/problem+json': { schema: Type.Ref('Problem#') } },
      },
    ]),
  );
}

export interface FieldProblem {
  readonly field: string;
  readonly message: string;
}

/** A problem that http itself finds; what control refuses is a ControlError. */
export class HttpProblem extends Error {
  override readonly name = 'HttpProblem';
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly errors: readonly FieldProblem[] = [],
    /** Further members of the problem document. */
    readonly more: Readonly<Record<string, unknown>> = {},
  ) {
    super(message);
  }
}

const statusOf: Record<ControlErrorKind, number> = {
  'not-found': 404,
  invalid: 422,
  conflict: 409,
  limit: 409,
  unavailable: 503,
};

/** One error handler for all routes, and for addresses that are none. */
export function installProblems(app: HttpApp, events: Events): void {
  app.addSchema(ProblemSchema);
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const problem = asProblem(error);
    // a problem that was expected is counted with the refusals
    if (problem.status >= 500 && !(error instanceof HttpProblem || error instanceof ControlError)) {
      const { operationId = 'none' } = (request.routeOptions.schema ?? {}) as { operationId?: string };
      events.requestFailed({ operation: operationId, code: problem.code, error });
    }
    events.refused('request', problem.code);
    if (problem.code === 'body-too-large') events.capHit('restBodyBytes');
    return sendProblem(request, reply, problem);
  });
}

export function noSuchAddress(request: FastifyRequest): HttpProblem {
  return new HttpProblem(404, 'no-such-address', `There is nothing at ${request.method} ${pathOf(request)}.`);
}

/** What fails before a route is found: the address itself. */
export function answerFrameworkError(
  error: FastifyError,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  void sendProblem(request, reply.header('connection', 'close'), asProblem(error));
}

export const problemType = 'application/problem+json; charset=utf-8';

export function sendProblem(
  request: FastifyRequest,
  reply: FastifyReply,
  problem: HttpProblem,
): FastifyReply {
  request.problemCode = problem.code;
  if (problem.status === 503) void reply.header('retry-after', '5');
  return reply
    .code(problem.status)
    .header('content-type', problemType)
    .serializer(JSON.stringify)
    .send(problemDocument(problem, pathOf(request)));
}

/** @param instance path of the request; null where it could not be read */
export function problemDocument(problem: HttpProblem, instance: string | null): object {
  return {
    type: `urn:cutpoint:problem:${problem.code}`,
    title: STATUS_CODES[problem.status] ?? 'Error',
    status: problem.status,
    detail: problem.message,
    ...(instance === null ? {} : { instance }),
    ...(problem.errors.length === 0 ? {} : { errors: problem.errors }),
    ...problem.more,
  };
}

function asProblem(error: FastifyError): HttpProblem {
  if (error instanceof HttpProblem) return error;
  if (error instanceof ControlError) {
    const errors = error.field === undefined ? [] : [{ field: error.field, message: error.message }];
    return new HttpProblem(statusOf[error.kind], error.code, error.message, errors);
  }
  if (error instanceof StoreError) return new HttpProblem(503, `store-${error.code}`, error.message);
  if (error.validation !== undefined) {
    // the compilers of this application are ajv's, so its errors are too
    const errors = (error.validation as unknown as ErrorObject[]).map((one) => ({
      field: fieldOf(one),
      message: describe(one),
    }));
    const where = { body: 'body', querystring: 'query', params: 'address', headers: 'headers' };
    const part = where[error.validationContext as keyof typeof where] ?? 'request';
    return new HttpProblem(
      400,
      'invalid-request',
      `The ${part} of the request is not as it must be: ${errors.map((one) => one.message).join('; ')}.`,
      errors,
    );
  }
  return ofFramework(error);
}

/** What Fastify itself refuses, in our words; the rest is a fault of ours, whose details stay in the log. */
function ofFramework(error: FastifyError): HttpProblem {
  switch (error.code) {
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
    case 'FST_ERR_CTP_EMPTY_TYPE':
      return new HttpProblem(
        415,
        'unsupported-media-type',
        'The content type is none that this address takes: application/json, or application/octet-stream for a model.',
      );
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new HttpProblem(
        413,
        'body-too-large',
        'The body is larger than limits.maxRestBodyBytes allows.',
      );
    case 'FST_ERR_CTP_INVALID_JSON_BODY':
    case 'FST_ERR_CTP_EMPTY_JSON_BODY':
      return new HttpProblem(400, 'not-json', `The body is not JSON: ${error.message}.`);
    default:
      break;
  }
  const status = error.statusCode ?? 500;
  if (status >= 400 && status < 500) return new HttpProblem(status, 'bad-request', error.message);
  return new HttpProblem(
    500,
    'internal-error',
    'The controller failed at this request; its log says more. Nothing else is affected.',
  );
}

function pathOf(request: FastifyRequest): string {
  return request.url.split('?', 1)[0]!;
}
