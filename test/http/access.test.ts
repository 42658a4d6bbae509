/* eslint-disable @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-call, @typescript-eslint/no-unsafe-assignment, @typescript-eslint/no-unsafe-argument -- answers are held against the OpenAPI document as they come, not against types */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, before, describe, it } from 'node:test';
import fastify from 'fastify';
import { WebSocket } from 'ws';
import { operatorRoles } from '../../src/control/access/records.js';
import { installAccess } from '../../src/http/accessRules.js';
import type { HttpApp } from '../../src/http/httpApp.js';
import { Strangers } from '../../src/http/strangers.js';
import { bearer } from '../support/credentials.js';
import { until } from '../support/controlRig.js';
import { restClient, type RestClient } from '../support/restClient.js';
import { deviceClient, endHello, serviceRig, type ServiceRig } from '../support/serviceRig.js';

interface Operation {
  readonly responses: object;
  readonly operationId: string;
  readonly description?: string;
  readonly security?: readonly object[];
}

const openOperations = ['health', 'readiness'];

describe('who may call what over REST', () => {
  let rig: ServiceRig;
  let admin: RestClient;
  before(async () => {
    rig = await serviceRig();
    admin = await restClient(rig.origin);
  });
  after(() => rig.dispose());

  function operations(): { path: string; method: string; operation: Operation }[] {
    return Object.entries(admin.document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({
        path: path.replaceAll(/\{[^}]+\}/g, 'none'),
        method: method.toUpperCase(),
        operation: operation as Operation,
      })),
    );
  }

  it('does not start with a route that declares no role', () => {
    const app = fastify() as unknown as HttpApp;
    installAccess(app, rig.access, new Strangers(1, [], () => {}));
    assert.throws(
      () => app.get('/v1/secret', () => 'x'),
      /GET \/v1\/secret does not declare who may call it/,
    );
  });

  it('asks for a key at every operation that is not open, and says so in its document', async () => {
    for (const { path, method, operation } of operations()) {
      const isOpen = openOperations.includes(operation.operationId);
      const { status, headers } = await fetch(`${rig.origin}${path}`, { method });
      if (isOpen) assert.equal(operation.security, undefined);
      else {
        assert.deepEqual([operation.operationId, status], [operation.operationId, 401]);
        assert.match(headers.get('www-authenticate')!, /^Bearer/);
        assert.deepEqual(operation.security, [{ operatorKey: [] }]);
        assert.match(operation.description!, /Needs the role (viewer|operator|admin)\.$/);
        // once, although there is a HEAD with the same schema
        assert.equal(operation.description!.match(/Needs the role/g)!.length, 1);
      }
    }
  });

  it('asks for it whatever way a request takes to an operation', async () => {
    const { port } = new URL(rig.origin);
    const key = 'sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\nsec-websocket-version: 13\r\n';
    const upgrade = `connection: upgrade\r\nupgrade: websocket\r\n${key}`;
    const requests: [string, string, RegExp][] = [
      ['HEAD /v1/models', '', /^HTTP\/1\.1 401/],
      ['HEAD /v1/devices', '', /^HTTP\/1\.1 401/],
      ['GET /v1/%6dodels', '', /^HTTP\/1\.1 401/],
      ['GET /v1/models?x=1', '', /^HTTP\/1\.1 401/],
      ['GET /v1/models', upgrade, /^HTTP\/1\.1 401/],
      ['GET /metrics', upgrade, /^HTTP\/1\.1 401/],
      ['GET /v1/devices/none', upgrade, /^HTTP\/1\.1 401/],
      ['DELETE /v1/keys/none', 'x-http-method-override: GET\r\n', /^HTTP\/1\.1 401/],
      ['GET //v1/models', '', /^HTTP\/1\.1 404/],
      ['GET /v1/models/../keys', '', /^HTTP\/1\.1 40[14]/],
      ['TRACE /v1/keys', '', /^HTTP\/1\.1 40[0145]/],
    ];
    for (const [line, headers, wanted] of requests) {
      const socket = connect(Number(port), '127.0.0.1');
      socket.end(`${line} HTTP/1.1\r\nhost: x\r\n${headers}\r\n`);
      let answer = '';
      for await (const chunk of socket) answer += String(chunk);
      assert.match(answer, wanted, line);
    }
  });

  it('gives each role what it may do and refuses the rest before it looks at the request', async () => {
    for (const role of operatorRoles) {
      const { body } = await admin.post('/v1/keys', { label: `a ${role}`, role });
      for (const { path, method, operation } of operations()) {
        if (openOperations.includes(operation.operationId)) continue;
        const needed = /Needs the role (\w+)/.exec(operation.description!)![1]!;
        const allowed = operatorRoles.indexOf(role) >= operatorRoles.findIndex((each) => each === needed);
        // no content type and no body: what gets past the roles is refused for that, or finds nothing
        const { status } = await fetch(`${rig.origin}${path}`, { method, headers: bearer(body.key) });
        assert.equal(status === 403, !allowed, `${role} ${method} ${path}: ${status}`);
        assert.notEqual(status, 401);
      }
    }
  });

  it('shows a key once, keeps no secret, and a revoked one is refused at once', async () => {
    const made = await admin.post('/v1/keys', { label: 'a dashboard', role: 'viewer' });
    assert.equal(made.status, 201);
    const { key, ...shown } = made.body;
    const viewer = await restClient(rig.origin, key);
    assert.equal((await viewer.get('/v1/models')).status, 200);
    const listed = (await admin.get('/v1/keys')).body.keys.find(({ id }: { id: string }) => id === shown.id);
    assert.deepEqual(listed, shown);
    assert.deepEqual([shown.role, shown.createdBy], ['viewer', rig.access.keys.list()[0]!.id]);
    const stored = rig.store.apiKeys().map((record) => Buffer.from(record.digest).toString('latin1'));
    assert.ok(stored.every((digest) => digest.length === 32 && !key.includes(digest)));
    assert.equal((await admin.delete(`/v1/keys/${shown.id}`)).status, 204);
    assert.equal((await viewer.get('/v1/models')).status, 401);
    assert.equal((await admin.delete(`/v1/keys/${shown.id}`)).status, 404);
    const last = rig.access.keys.list().filter(({ role, revokedAtMs }) => role === 'admin' && !revokedAtMs);
    for (const { id } of last.slice(1)) assert.equal((await admin.delete(`/v1/keys/${id}`)).status, 204);
    const refused = await admin.delete(`/v1/keys/${last[0]!.id}`);
    assert.deepEqual([refused.status, refused.body.type], [409, 'urn:cutpoint:problem:last-admin-key']);
  });

  it('bounds keys and names what is wrong with a new one', async () => {
    for (const body of [
      {},
      { label: 'x', role: 'root' },
      { label: '', role: 'viewer' },
      { label: 'a\nb', role: 'viewer' },
    ])
      assert.equal((await admin.post('/v1/keys', body)).status, 400);
    const statuses: number[] = [];
    while (statuses.at(-1) !== 409 && statuses.length < 20)
      statuses.push((await admin.post('/v1/keys', { label: 'many', role: 'viewer' })).status);
    assert.equal(statuses.at(-1), 409);
    const { keys } = (await admin.get('/v1/keys')).body;
    const live = keys.filter(({ revokedAtMs }: { revokedAtMs: number | null }) => revokedAtMs === null);
    assert.equal(live.length, 10);
    for (const { id, label } of live) if (label === 'many') await admin.delete(`/v1/keys/${id}`);
    assert.ok((await admin.get('/v1/keys')).body.keys.length <= 20, 'revoked ones are bounded too');
  });

  it('sends its security headers with every answer', async () => {
    for (const path of ['/healthz', '/v1/models', '/nothing', '/v1/models/%E0%A4%A', '/openapi.json']) {
      const { headers } = await fetch(`${rig.origin}${path}`);
      assert.equal(headers.get('x-content-type-options'), 'nosniff', path);
      assert.equal(headers.get('cache-control'), 'no-store', path);
      assert.equal(headers.get('x-frame-options'), 'DENY', path);
      assert.match(headers.get('content-security-policy')!, /default-src 'none'/, path);
      assert.equal(
        headers.get('strict-transport-security'),
        null,
        'without TLS nobody may be told to insist on it',
      );
    }
  });
});

describe('the audit', () => {
  let rig: ServiceRig;
  let admin: RestClient;
  before(async () => {
    rig = await serviceRig();
    admin = await restClient(rig.origin);
  });
  after(() => rig.dispose());

  it('says who changed what, when, and with what outcome', async () => {
    const { body: made } = await admin.post('/v1/keys', { label: 'the operator', role: 'operator' });
    const operator = await restClient(rig.origin, made.key);
    const model = (await operator.upload('name=small', 'bytes of a model')).body;
    assert.equal((await operator.delete('/v1/models/none')).status, 404);
    assert.equal((await operator.get('/v1/audit')).status, 403);
    await operator.get('/v1/models');
    const { entries, next } = (await admin.get('/v1/audit?limit=2')).body;
    const rows = entries.map(
      ({ actor, actorLabel, operation, target, status, code }: Record<string, unknown>) => [
        actor === made.id,
        actorLabel,
        operation,
        target,
        status,
        code,
      ],
    );
    assert.deepEqual(rows, [
      [true, 'the operator', 'deleteModel', '/v1/models/none', 404, 'model-not-found'],
      [true, 'the operator', 'uploadModel', `/v1/models/${model.id}`, 201, null],
    ]);
    assert.ok(Math.abs(entries[0].atMs - Date.now()) < 60_000);
    assert.equal(entries[0].address, '127.0.0.1');
    const older = (await admin.get(`/v1/audit?before=${next}`)).body;
    assert.deepEqual(
      [older.entries[0].operation, older.entries[0].target],
      ['createKey', `/v1/keys/${made.id}`],
    );
    assert.equal(older.next, null);
    assert.ok(!JSON.stringify([entries, older]).includes(made.key), 'no secret stands in it');
    assert.equal(rig.recorded.of('audited').length, 3);
  });

  it('stays below its cap', async () => {
    const small = await serviceRig({ access: { auditKeepRows: 50 } });
    try {
      const rest = await restClient(small.origin);
      for (let i = 0; i < 260; i++) await rest.delete('/v1/models/none');
      const { entries } = (await rest.get('/v1/audit?limit=200')).body;
      assert.ok(entries.length >= 50 && entries.length <= 150, `${entries.length} entries`);
      assert.ok(entries[0].id === 260, 'the newest are kept');
      const pruned = small.recorded.of('auditPruned').flat();
      assert.equal(
        pruned.reduce((sum, rows) => sum + rows, 0),
        260 - entries.length,
      );
    } finally {
      await small.dispose();
    }
  });

  it('comes before the change: what cannot be written down is not done', async () => {
    const { body: made } = await admin.post('/v1/keys', { label: 'kept', role: 'viewer' });
    const startAudit = rig.store.startAudit.bind(rig.store);
    rig.store.startAudit = () => {
      throw Object.assign(new Error('full'), { statusCode: 503 });
    };
    try {
      const { status } = await fetch(`${rig.origin}/v1/keys/${made.id}`, {
        method: 'DELETE',
        headers: bearer(rig.adminKey),
      });
      assert.ok(status >= 500);
      const viewer = await restClient(rig.origin, made.key);
      assert.equal((await viewer.get('/v1/models')).status, 200, 'the key was not revoked');
    } finally {
      rig.store.startAudit = startAudit;
    }
  });
});

describe('devices and their tokens', () => {
  let rig: ServiceRig;
  let rest: RestClient;
  before(async () => {
    rig = await serviceRig();
    rest = await restClient(rig.origin);
  });
  after(async () => {
    await rig.dispose();
    assert.deepEqual(rig.failures, [], 'nothing is thrown inside of socket callbacks');
  });

  const make = async (deviceId: string) =>
    (await rest.post(`/v1/devices/${deviceId}/tokens`, {})).body as { id: string; token: string };

  async function upgradeStatus(headers: Record<string, string>): Promise<[number, string]> {
    const socket = new WebSocket(`${rig.origin.replace('http', 'ws')}/v1/devices`, 'cutpoint.v1', {
      headers,
    });
    socket.on('error', () => {}); // of the abort
    const [, response] = (await once(socket, 'unexpected-response')) as [
      unknown,
      AsyncIterable<Buffer> & { statusCode: number },
    ];
    let text = '';
    for await (const chunk of response) text += chunk.toString();
    return [response.statusCode, text];
  }

  it('are let in with their token alone; unknown, wrong, revoked and malformed get the same answer', async () => {
    const made = await make('camera');
    assert.match(made.token, /^cpd_[0-9a-f]{16}_[A-Za-z0-9_-]{43}$/);
    const revoked = await make('camera');
    await rest.delete(`/v1/devices/camera/tokens/${revoked.id}`);
    const wrong = made.token.slice(0, -1) + (made.token.endsWith('A') ? 'B' : 'A');
    const refused = [
      {},
      bearer('x'),
      bearer(''),
      { authorization: 'Basic eDp5' },
      bearer(wrong),
      bearer(`cpd_${'0'.repeat(16)}_${'A'.repeat(43)}`),
      bearer(revoked.token),
      bearer(rig.adminKey),
      bearer('x'.repeat(8_000)),
    ];
    const answers = new Set<string>();
    for (const headers of refused) {
      const [status, text] = await upgradeStatus(headers);
      assert.equal(status, 401);
      answers.add(text);
    }
    assert.equal(answers.size, 1, [...answers].join('\n'));
    assert.equal(rig.hub.connectionCount, 0, 'no socket was upgraded');
    const reasons = rig.recorded.of('authenticationFailed').map(([{ reason }]) => reason);
    assert.deepEqual(reasons, [
      'missing',
      'malformed',
      'malformed',
      'malformed',
      'wrong',
      'unknown',
      'revoked',
      'malformed',
      'malformed',
    ]);
    const device = await deviceClient(rig.origin, endHello, made.token);
    await device.next('welcome');
    await device.end();
    assert.equal((await fetch(`${rig.origin}/v1/models`, { headers: bearer(made.token) })).status, 401);
  });

  it('speak for themselves alone', async () => {
    const { token } = await make('thief');
    const device = await deviceClient(rig.origin, endHello, token);
    assert.deepEqual(await device.closing(), { code: 4010, reason: 'device-mismatch' });
    const [error] = device.of('error');
    assert.deepEqual([error?.['code'], error?.['field']], ['device-mismatch', 'deviceId']);
    assert.ok(!rig.control.devices.list().some(({ record }) => record.id === 'thief'));
  });

  it('are closed at once when their token is revoked, greeted or not, and others stay', async () => {
    const [one, two] = [await make('camera'), await make('camera')];
    const edge = await deviceClient(rig.origin, { deviceId: 'edge', role: 'edge' });
    const camera = await deviceClient(rig.origin, endHello, one.token);
    await Promise.all([camera.next('welcome'), edge.next('welcome')]);
    const silent = await deviceClient(rig.origin, null, one.token);
    await until(() => rig.hub.connectionCount === 3);
    assert.equal(
      (await rest.delete(`/v1/devices/edge/tokens/${one.id}`)).status,
      404,
      'not a token of the edge',
    );
    assert.equal((await rest.delete(`/v1/devices/camera/tokens/${one.id}`)).status, 204);
    const gone = { code: 4009, reason: 'revoked' };
    assert.deepEqual([await camera.closing(), await silent.closing()], [gone, gone]);
    assert.equal((await upgradeStatus(bearer(one.token)))[0], 401);
    const again = await deviceClient(rig.origin, endHello, two.token);
    await again.next('welcome');
    assert.equal(edge.closed, null);
    await Promise.all([again.end(), edge.end()]);
  });

  it('are closed at once when they are forgotten, and their tokens end with them, each with its row', async () => {
    const [one, two] = [await make('lost'), await make('lost')];
    const lost = await deviceClient(rig.origin, { ...endHello, deviceId: 'lost' }, one.token);
    await lost.next('welcome');
    const silent = await deviceClient(rig.origin, null, two.token);
    await until(() => rig.hub.connectionCount === 2);
    assert.equal((await rest.delete('/v1/devices/lost')).status, 204);
    const gone = { code: 4009, reason: 'revoked' };
    assert.deepEqual([await lost.closing(), await silent.closing()], [gone, gone]);
    for (const { token } of [one, two]) assert.equal((await upgradeStatus(bearer(token)))[0], 401);
    assert.equal((await rest.get('/v1/devices/lost')).status, 404, 'its end does not bring it back');
    assert.deepEqual((await rest.get('/v1/devices/lost/tokens')).body, { tokens: [] });
    assert.ok(!rig.store.deviceTokens().some(({ deviceId }) => deviceId === 'lost'));
    const { entries } = (await rest.get('/v1/audit?limit=3')).body as { entries: Record<string, unknown>[] };
    assert.deepEqual(
      entries.map(({ operation, target, status }) => [operation, target, status]),
      [
        ['revokeToken', `/v1/devices/lost/tokens/${two.id}`, 204],
        ['revokeToken', `/v1/devices/lost/tokens/${one.id}`, 204],
        ['deleteDevice', '/v1/devices/lost', 204],
      ],
    );
    assert.equal((await rest.delete('/v1/devices/lost')).status, 404);
  });

  it('are forgotten with their tokens also where they never came, but not while a deployment needs them', async () => {
    await make('never-came');
    assert.equal((await rest.delete('/v1/devices/never-came')).status, 204);
    assert.deepEqual((await rest.get('/v1/devices/never-came/tokens')).body, { tokens: [] });
    const { body: model } = await rest.upload('name=small', 'a model of its own');
    await until(() => rig.control.models.get(model.id as string).status === 'ready');
    const { token } = await make('needed');
    const wanted = { modelId: model.id, end: { deviceId: 'needed' }, edge: { deviceId: 'edge' } };
    assert.equal((await rest.post('/v1/deployments', wanted)).status, 201);
    assert.equal((await rest.delete('/v1/devices/needed')).status, 409);
    const needed = await deviceClient(rig.origin, { ...endHello, deviceId: 'needed' }, token);
    await needed.next('welcome');
    await needed.end();
  });

  it('have their tokens listed without secrets, and bounded', async () => {
    const { token, ...shown } = (await rest.post('/v1/devices/lamp/tokens', { label: 'flashed in May' }))
      .body;
    assert.deepEqual((await rest.get('/v1/devices/lamp/tokens')).body.tokens, [shown]);
    assert.equal(shown.label, 'flashed in May');
    assert.ok(!JSON.stringify(rig.store.deviceTokens()).includes(token));
    for (let i = 1; i < 4; i++) assert.equal((await rest.post('/v1/devices/lamp/tokens', {})).status, 201);
    const more = await rest.post('/v1/devices/lamp/tokens', {});
    assert.deepEqual([more.status, more.body.type], [409, 'urn:cutpoint:problem:too-many-tokens']);
    assert.equal((await rest.post('/v1/devices/-x/tokens', {})).status, 400);
    for (let i = 0; i < 12; i++) {
      const { tokens } = (await rest.get('/v1/devices/lamp/tokens')).body;
      const live = tokens.find(({ revokedAtMs }: { revokedAtMs: number | null }) => revokedAtMs === null);
      await rest.delete(`/v1/devices/lamp/tokens/${live.id}`);
      await make('lamp');
    }
    assert.ok(
      (await rest.get('/v1/devices/lamp/tokens')).body.tokens.length <= 8,
      'revoked ones are bounded too',
    );
    assert.equal(rig.store.deviceTokens().filter(({ deviceId }) => deviceId === 'lamp').length, 8);
  });

  it('may come without a token where that is switched on, but not as a device that has one', async () => {
    const open = await serviceRig({ access: { anonymousDevices: true } });
    try {
      assert.deepEqual(open.recorded.of('anonymousDevices'), [[true]]);
      const device = await deviceClient(open.origin, endHello, null);
      await device.next('welcome');
      const token = await open.deviceToken('edge');
      const thief = await deviceClient(open.origin, { deviceId: 'edge', role: 'edge' }, null);
      assert.equal((await thief.closing()).code, 4010);
      const edge = await deviceClient(open.origin, { deviceId: 'edge', role: 'edge' }, token);
      await edge.next('welcome');
      await assert.rejects(deviceClient(open.origin, endHello, 'wrong'), /401/);
      const page = new WebSocket(`${open.origin.replace('http', 'ws')}/v1/devices`, 'cutpoint.v1', {
        origin: 'https://example.org',
      });
      const [error] = (await once(page, 'error')) as [Error];
      assert.match(error.message, /401/, 'a page in a browser of this machine is no device');
    } finally {
      await open.dispose();
    }
  });
});

describe('limits before anyone is known', () => {
  it('slows an address down that fails again and again, and still takes what is right from there', async () => {
    const rig = await serviceRig({ access: { failuresPerMinute: 5 } });
    try {
      const statuses: number[] = [];
      for (let i = 0; i < 8; i++) statuses.push((await fetch(`${rig.origin}/v1/models`)).status);
      assert.deepEqual(statuses, [401, 401, 401, 401, 401, 429, 429, 429]);
      await assert.rejects(deviceClient(rig.origin, endHello, 'wrong'), /429/);
      const rest = await restClient(rig.origin);
      assert.equal((await rest.get('/v1/models')).status, 200);
      const device = await deviceClient(rig.origin, endHello);
      await device.next('welcome');
      await device.end();
      const limited = rig.recorded.of('authenticationFailed').map(([failure]) => failure.limited);
      assert.deepEqual(limited, [...Array<boolean>(5).fill(false), ...Array<boolean>(4).fill(true)]);
    } finally {
      await rig.dispose();
    }
  });

  it('knows addresses behind a proxy that is trusted, each with a budget of its own, and believes nobody else', async () => {
    const failing = async (rig: ServiceRig, forwardedFor: string) =>
      (await fetch(`${rig.origin}/v1/models`, { headers: { 'x-forwarded-for': forwardedFor } })).status;
    const addresses = (rig: ServiceRig) =>
      rig.recorded.of('authenticationFailed').map(([{ address }]) => address);
    const behind = await serviceRig({
      access: { failuresPerMinute: 2 },
      listen: { trustedProxies: ['127.0.0.1', '10.9.0.0/16'] },
    });
    const bare = await serviceRig({ access: { failuresPerMinute: 2 } });
    try {
      const statuses = [];
      for (let i = 0; i < 3; i++) statuses.push(await failing(behind, '203.0.113.7'));
      statuses.push(await failing(behind, '203.0.113.8'));
      assert.deepEqual(statuses, [401, 401, 429, 401]);
      await failing(behind, '192.0.2.1, 203.0.113.9, 10.9.1.1');
      assert.equal(
        addresses(behind).at(-1),
        '203.0.113.9',
        'the last that no trusted proxy has, not what it claims',
      );
      const upgrade = new WebSocket(`${behind.origin.replace('http', 'ws')}/v1/devices`, 'cutpoint.v1', {
        headers: { 'x-forwarded-for': '203.0.113.7' },
      });
      const [error] = (await once(upgrade, 'error')) as [Error];
      assert.match(error.message, /429/, 'devices are held against the same budget');
      const { body: made } = await (await restClient(behind.origin)).post('/v1/devices/camera/tokens', {});
      assert.ok(made.token);
      const own = [];
      for (let i = 0; i < 3; i++) own.push(await failing(bare, `203.0.113.${i}`));
      assert.deepEqual(own, [401, 401, 429], 'a header of a stranger changes nothing');
      assert.deepEqual(new Set(addresses(bare)), new Set(['127.0.0.1']));
    } finally {
      await Promise.all([behind.dispose(), bare.dispose()]);
    }
  });

  it('closes connections beyond their number unread, and those that send no request', async () => {
    const rig = await serviceRig({ listen: { maxSockets: 4, headersTimeoutMs: 300 } });
    try {
      const port = Number(new URL(rig.origin).port);
      const sockets = Array.from({ length: 8 }, () => connect(port, '127.0.0.1').on('error', () => {}));
      let closed = 0;
      for (const socket of sockets) socket.resume().once('close', () => closed++);
      sockets[0]!.write('GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ');
      await until(() => closed >= 4, 'the close of what is too many');
      assert.ok(rig.recorded.of('capHit').some(([cap]) => cap === 'sockets'));
      await until(() => closed === 8, 'the close of what sends no request');
      assert.equal((await fetch(`${rig.origin}/healthz`)).status, 200);
    } finally {
      await rig.dispose();
    }
  });
});
