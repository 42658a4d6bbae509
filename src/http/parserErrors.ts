/** Requests that fail before they are one: their answers look like all others. */
import { STATUS_CODES, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Events } from '../control/ports.js';
import { HttpProblem, problemDocument, problemType } from './problem.js';

const notHttp = new HttpProblem(400, 'not-http', 'This is no request that HTTP/1.1 allows.');
const headTooLarge = new HttpProblem(431, 'head-too-large', 'The headers of the request are too large.');
const tooSlow = new HttpProblem(
  408,
  'request-too-slow',
  'The request was not complete in time (listen.headersTimeoutMs, listen.requestTimeoutMs).',
);
const noExpectation = new HttpProblem(
  417,
  'expectation-failed',
  'Of the header Expect only 100-continue is taken.',
);

/** Null: the connection is broken, or is no HTTP at all, and there is nobody to answer. */
function problemOf(code: string): HttpProblem | null {
  if (code === 'HPE_HEADER_OVERFLOW') return headTooLarge;
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return tooSlow;
  return code.startsWith('HPE_') ? notHttp : null;
}

/** For errors of the parser: a socket is all there is. */
export function parserErrors(headers: Readonly<Record<string, string>>, events: Events) {
  return (error: Error & { readonly code?: string }, socket: Socket): void => {
    const problem = problemOf(error.code ?? '');
    // an answer that is on its way already would be torn
    const begun = (socket as { _httpMessage?: ServerResponse | null })._httpMessage?.headersSent === true;
    if (problem !== null && !begun && socket.writable) {
      events.refused('request', problem.code);
      socket.write(answer(problem, headers));
    }
    socket.destroy();
  };
}

/** To be called before the server listens. */
export function refuseExpectations(
  server: Server,
  headers: Readonly<Record<string, string>>,
  events: Events,
): void {
  server.on('checkExpectation', (_request, response: ServerResponse) => {
    events.refused('request', noExpectation.code);
    response.writeHead(noExpectation.status, {
      ...headers,
      connection: 'close',
      'content-type': problemType,
    });
    response.end(JSON.stringify(problemDocument(noExpectation, null)));
  });
}

function answer(problem: HttpProblem, headers: Readonly<Record<string, string>>): string {
  const body = JSON.stringify(problemDocument(problem, null));
  const all = {
    ...headers,
    connection: 'close',
    'content-type': problemType,
    'content-length': String(Buffer.byteLength(body)),
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  return [`HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`, ...lines, '', body].join('\r\n');
}
