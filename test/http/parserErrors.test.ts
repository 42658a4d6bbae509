import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import { securityHeaders } from '../../src/http/securityHeaders.js';
import { serviceRig, type ServiceRig } from '../support/serviceRig.js';

let rig: ServiceRig;
before(async () => (rig = await serviceRig({ listen: { headersTimeoutMs: 200, requestTimeoutMs: 200 } })));
after(() => rig.dispose());

async function answerTo(request: string): Promise<{ status: number; headers: Headers; body: string }> {
  const socket = connect(Number(new URL(rig.origin).port), '127.0.0.1').on('error', () => {});
  socket.write(request);
  let answer = '';
  for await (const chunk of socket) answer += String(chunk);
  const [head = '', body = ''] = answer.split('\r\n\r\n', 2);
  const [first = '', ...lines] = head.split('\r\n');
  const headers = new Headers(lines.map((line) => line.split(': ', 2) as [string, string]));
  return { status: Number(first.split(' ')[1]), headers, body };
}

test('what fails before it is a request is answered like everything else, counted, and closed', async () => {
  const wrong: [string, number, string][] = [
    [`GET /healthz HTTP/1.1\r\nhost: x\r\nx-large: ${'x'.repeat(20_000)}\r\n\r\n`, 431, 'head-too-large'],
    ['rubbish\r\n\r\n', 400, 'not-http'],
    ['GET /healthz HTTP/1.1\r\nhost: x\r\nbad header\r\n\r\n', 400, 'not-http'],
    ['GET /healthz HTTP/1.1\r\n\r\n', 400, 'host-missing'],
    ['GET /healthz HTTP/1.1\r\nhost: x\r\nexpect: the-impossible\r\n\r\n', 417, 'expectation-failed'],
    ['GET /healthz HTTP/1.1\r\nhost: x\r\nx-slow: ', 408, 'request-too-slow'],
  ];
  for (const [request, status, code] of wrong) {
    const answer = await answerTo(request);
    assert.equal(answer.status, status, code);
    for (const [name, value] of Object.entries(securityHeaders(false))) {
      assert.equal(answer.headers.get(name), value, `${code}: ${name}`);
    }
    assert.equal(answer.headers.get('connection'), 'close', code);
    assert.match(answer.headers.get('content-type')!, /^application\/problem\+json/, code);
    const problem = JSON.parse(answer.body.replace(/^[0-9a-f]+\r\n|\r\n0$/g, '')) as Record<string, unknown>;
    assert.deepEqual([problem['type'], problem['status']], [`urn:cutpoint:problem:${code}`, status]);
    if (code !== 'host-missing') {
      assert.ok(
        rig.recorded.of('refused').some(([, counted]) => counted === code),
        code,
      );
    }
  }
});
