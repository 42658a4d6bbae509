import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { bearer } from '../support/credentials.js';
import { until } from '../support/controlRig.js';
import { restClient } from '../support/restClient.js';
import { deviceClient, endHello, serviceRig, type ServiceRig } from '../support/serviceRig.js';

const connectTo = (rig: ServiceRig): Socket =>
  connect(Number(new URL(rig.origin).port), '127.0.0.1').on('error', () => {});

/** Sends it as it is, and leaves the connection open. @returns all that comes until the other end closes */
async function answerTo(rig: ServiceRig, request: string): Promise<string> {
  const socket = connectTo(rig);
  socket.write(request);
  let answer = '';
  for await (const chunk of socket) answer += String(chunk);
  return answer;
}

const upgrade =
  'connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n' +
  'sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\nsec-websocket-protocol: cutpoint.v1\r\n';

describe('a stranger', () => {
  let rig: ServiceRig;
  before(async () => (rig = await serviceRig()));
  after(async () => {
    await rig.dispose();
    assert.deepEqual(rig.failures, []);
  });

  const authorization = () => `authorization: ${bearer(rig.adminKey).authorization}\r\n`;

  it('has no body read, whatever the address, and is answered and closed before it is there', async () => {
    const head = 'host: x\r\ncontent-type: application/json\r\ncontent-length: 8000\r\n\r\n{ no JSON';
    for (const [line, status] of [
      ['POST /nope', 404],
      ['POST /healthz', 404],
      ['PUT /openapi.json', 404],
      ['POST /v1/keys', 401],
      ['POST /v1/devices', 404],
      ['POST /v1/models/%E0%A4%A', 400],
    ] as const) {
      const answer = await answerTo(rig, `${line} HTTP/1.1\r\n${head}`);
      assert.match(answer, new RegExp(`^HTTP/1.1 ${status} `), line);
      assert.match(answer, /connection: close/i, line);
      assert.doesNotMatch(answer, /not-json/, line);
    }
  });

  it('gets no WebSocket but as a device, not even with the key of an operator', async () => {
    for (const path of ['/healthz', '/readyz', '/openapi.json']) {
      const answer = await answerTo(rig, `GET ${path} HTTP/1.1\r\nhost: x\r\n${upgrade}\r\n`);
      assert.match(answer, /^HTTP\/1.1 400 [^]*no-upgrade-here/, path);
    }
    const known = `GET /v1/models HTTP/1.1\r\nhost: x\r\n${authorization()}${upgrade}\r\n`;
    assert.match(await answerTo(rig, known), /^HTTP\/1.1 400 [^]*no-upgrade-here/);
    assert.equal(rig.app.websocketServer.clients.size, 0);
  });

  it('is counted by its address also where it resets its connection', async () => {
    const before = rig.recorded.of('authenticationFailed').length;
    const request = 'GET /v1/models HTTP/1.1\r\nhost: x\r\n\r\n';
    for (let i = 0; i < 20; i++) {
      const socket = connectTo(rig);
      await once(socket, 'connect');
      // half of them before the controller took the connection: then nobody can tell any more where it came from
      if (i % 2 === 0) await fetch(`${rig.origin}/healthz`);
      socket.write(request); // at once: what waits for its end comes too late
      socket.resetAndDestroy();
    }
    await fetch(`${rig.origin}/healthz`);
    const failures = rig.recorded.of('authenticationFailed').slice(before);
    assert.ok(failures.length >= 10, `${failures.length} of 20 counted`);
    const addresses = failures.map(([{ address }]) => address);
    assert.deepEqual(
      addresses.filter((address) => address !== '127.0.0.1' && address !== 'unknown'),
      [],
    );
    assert.ok(addresses.filter((address) => address === '127.0.0.1').length >= 10, addresses.join());
    const codes = rig.recorded.of('refused').map(([, code]) => code);
    assert.ok(!codes.includes('internal-error'));
  });

  it('can ask for the description without it being made again', async () => {
    const text = async () => (await fetch(`${rig.origin}/openapi.json`)).text();
    const first = await text();
    let made = 0;
    const { swagger } = rig.app;
    rig.app.swagger = (() => {
      made++;
      return {};
    }) as typeof swagger;
    try {
      assert.equal(await text(), first);
      assert.equal(made, 0);
    } finally {
      rig.app.swagger = swagger;
    }
  });
});

describe('an operator who resets the connection', () => {
  it('stands in the audit with an address all the same', async () => {
    const rig = await serviceRig();
    try {
      const rest = await restClient(rig.origin);
      for (let i = 0; i < 6; i++) {
        const made = await rest.post('/v1/keys', { label: 'short', role: 'viewer' });
        const { id } = made.body as { id: string };
        const socket = connectTo(rig);
        await once(socket, 'connect');
        if (i % 2 === 0) await rest.get('/v1/keys');
        const { authorization } = bearer(rig.adminKey);
        const head = `DELETE /v1/keys/${id} HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\n\r\n`;
        socket.write(head);
        socket.resetAndDestroy();
        await rest.get('/v1/keys');
      }
      const rows = rig.store.audit({ limit: 100 }).filter(({ operation }) => operation === 'revokeKey');
      assert.ok(rows.length >= 3, `${rows.length} of 6 were carried out`);
      assert.ok(rows.every(({ address }) => address === '127.0.0.1' || address === 'unknown'));
      assert.ok(rows.filter(({ address }) => address === '127.0.0.1').length >= 3);
    } finally {
      await rig.dispose();
    }
  });
});

describe('connections that nobody answers for', () => {
  it('are ended when the rest of a request does not come in time, also with a right key', async () => {
    const rig = await serviceRig({ listen: { headersTimeoutMs: 200, requestTimeoutMs: 300 } });
    try {
      const head = 'host: x\r\ncontent-type: application/json\r\ncontent-length: 8000\r\n';
      const { authorization } = bearer(rig.adminKey);
      const request = `POST /v1/keys HTTP/1.1\r\n${head}authorization: ${authorization}\r\n\r\n{`;
      assert.match(await answerTo(rig, request), /^HTTP\/1.1 408 /);
      assert.equal(rig.recorded.of('audited').length, 0);
      const device = await deviceClient(rig.origin, endHello);
      await device.next('welcome');
      await new Promise((resolve) => setTimeout(resolve, 1_000)); // several times the limit
      assert.equal(device.closed, null, 'an upgraded connection is no request any more');
      await device.end();
    } finally {
      await rig.dispose();
    }
  });

  it('are not counted by address behind a trusted proxy, where many have the same one', async () => {
    const rig = await serviceRig({
      listen: { maxStrangersPerAddress: 1, trustedProxies: ['127.0.0.0/8', '::1'] },
    });
    try {
      const sockets = [];
      for (let i = 0; i < 4; i++) sockets.push(connectTo(rig).resume());
      await Promise.all(sockets.map((socket) => once(socket, 'connect')));
      const device = await deviceClient(rig.origin, endHello);
      await device.next('welcome');
      assert.ok(sockets.every((socket) => !socket.closed));
      assert.ok(!rig.recorded.of('capHit').some(([cap]) => cap === 'strangersPerAddress'));
      await device.end();
    } finally {
      await rig.dispose();
    }
  });

  it('are bounded by address: the oldest goes, and what has shown a credential stays', async () => {
    const rig = await serviceRig({ listen: { maxStrangersPerAddress: 3 } });
    try {
      const closed: number[] = [];
      const strange = async (number: number) => {
        const socket = connectTo(rig).once('close', () => closed.push(number));
        await once(socket, 'connect');
        return socket.resume();
      };
      for (const number of [0, 1, 2]) await strange(number);
      const device = await deviceClient(rig.origin, endHello);
      await device.next('welcome');
      await until(() => closed.length >= 1, 'the close of the oldest');
      const rest = await restClient(rig.origin);
      for (const number of [3, 4, 5, 6]) await strange(number);
      await until(() => closed.length >= 4, 'the close of the older ones');
      assert.deepEqual(closed.slice(0, 4), [0, 1, 2, 3]);
      assert.equal(device.closed, null);
      assert.equal((await rest.get('/v1/models')).status, 200);
      const hits = rig.recorded.of('capHit').filter(([cap]) => cap === 'strangersPerAddress');
      assert.deepEqual(hits[0]![1], { cap: 3, address: '127.0.0.1' });
      await device.end();
    } finally {
      await rig.dispose();
    }
  });

  it('do not hold up a stop', async () => {
    const rig = await serviceRig();
    const silent = connectTo(rig).resume();
    await once(silent, 'connect');
    await fetch(`${rig.origin}/healthz`); // by now the controller has it
    await Promise.all([once(silent, 'close'), rig.dispose()]);
  });
});
