import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { connect, type TLSSocket } from 'node:tls';
import { WebSocket } from 'ws';
import { Certificate, CertificateError } from '../../src/http/certificate.js';
import { until } from '../support/controlRig.js';
import { recordedEvents } from '../support/recordedEvents.js';
import { selfSigned, type SelfSigned } from '../support/selfSigned.js';
import { serviceRig } from '../support/serviceRig.js';

describe('the TLS certificate', () => {
  let folder: string;
  let files: { certificateFile: string; keyFile: string };
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cutpoint-tls-'));
    files = { certificateFile: join(folder, 'cert.pem'), keyFile: join(folder, 'key.pem') };
  });
  after(() => rm(folder, { recursive: true, force: true }));

  async function write({ cert, key }: SelfSigned): Promise<void> {
    await writeFile(files.certificateFile, cert);
    await writeFile(files.keyFile, key);
  }

  /** Names of what a server with it would present, for each new connection. */
  function presented(port: number): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket: TLSSocket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
        resolve(String(socket.getPeerCertificate().subject.CN));
        socket.destroy();
      });
      socket.on('error', reject);
    });
  }

  it('serves REST and devices over TLS alone, and a client that checks it is content', async () => {
    const pair = selfSigned('first');
    await write(pair);
    const rig = await serviceRig({ certificate: new Certificate(files), access: { anonymousDevices: true } });
    try {
      const port = Number(new URL(rig.origin).port);
      const call = request({ port, host: '127.0.0.1', path: '/healthz', ca: pair.cert, agent: false }).end();
      const [response] = (await once(call, 'response')) as [IncomingMessage];
      response.resume();
      assert.equal(response.statusCode, 200);
      assert.match(String(response.headers['strict-transport-security']), /^max-age=\d+/);
      const device = new WebSocket(`wss://127.0.0.1:${port}/v1/devices`, 'cutpoint.v1', { ca: pair.cert });
      await once(device, 'open');
      device.send(JSON.stringify({ type: 'hello', deviceId: 'camera', role: 'end' }));
      const [welcome] = (await once(device, 'message')) as [Buffer];
      assert.equal((JSON.parse(welcome.toString()) as { type: string }).type, 'welcome');
      device.close();
      await assert.rejects(fetch(`http://127.0.0.1:${port}/healthz`), 'in clear text nothing is answered');
      const old = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, maxVersion: 'TLSv1.1' });
      const [refusal] = (await once(old, 'error')) as [Error];
      assert.match(refusal.message, /protocol|version|alert/i);
    } finally {
      await rig.dispose();
    }
  });

  it('does not wait long for who connects and then says nothing', async () => {
    await write(selfSigned('first'));
    const rig = await serviceRig({ certificate: new Certificate(files), listen: { headersTimeoutMs: 200 } });
    try {
      const silent = connectTcp(Number(new URL(rig.origin).port), '127.0.0.1');
      silent.resume();
      await once(silent, 'close', { signal: AbortSignal.timeout(10_000) });
    } finally {
      await rig.dispose();
    }
  });

  it('is taken anew when its files change, and open connections go on', async () => {
    await write(selfSigned('before'));
    const certificate = new Certificate(files);
    const rig = await serviceRig({ certificate });
    const recorded = recordedEvents();
    const agent = new Agent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: false });
    try {
      certificate.follow(rig.app.server as never, 20, recorded.events);
      const port = Number(new URL(rig.origin).port);
      const alive = async () => {
        const call = request({ port, host: '127.0.0.1', path: '/healthz', agent }).end();
        const [response] = (await once(call, 'response')) as [IncomingMessage];
        response.resume();
        await once(response, 'end');
        return { reused: call.reusedSocket, status: response.statusCode };
      };
      assert.deepEqual(await alive(), { reused: false, status: 200 });
      assert.equal(await presented(port), 'before');
      await write(selfSigned('after'));
      await until(() => recorded.of('certificate').some(([loaded], i) => i > 0 && loaded.ok), 'the reload');
      assert.equal(await presented(port), 'after');
      assert.deepEqual(await alive(), { reused: true, status: 200 }, 'the open connection was not touched');
    } finally {
      agent.destroy();
      certificate.close();
      await rig.dispose();
    }
  });

  it('stays the one before while the new one cannot be used; that is told once for each content', async () => {
    const good = selfSigned('good');
    await write(good);
    const certificate = new Certificate(files);
    const rig = await serviceRig({ certificate });
    const recorded = recordedEvents();
    try {
      certificate.follow(rig.app.server as never, 1_000_000, recorded.events);
      const port = Number(new URL(rig.origin).port);
      const useless: [SelfSigned, RegExp][] = [
        [{ cert: selfSigned('other').cert, key: good.key }, /key values mismatch/],
        [{ cert: 'rubbish', key: good.key }, /cannot be used/],
        [{ cert: good.cert, key: '' }, /cannot be used/],
        [selfSigned('ended', { fromDays: -3, toDays: -2 }), /ended at/],
        [selfSigned('too early', { fromDays: 2, toDays: 3 }), /starts at/],
      ];
      for (const [pair, why] of useless) {
        await write(pair);
        const told = recorded.of('certificate').length;
        for (let i = 0; i < 3; i++) certificate.reload();
        const [loaded] = recorded.of('certificate').at(-1)!;
        assert.equal(recorded.of('certificate').length, told + 1);
        assert.ok(!loaded.ok && why.test(loaded.error.message), loaded.ok ? '' : loaded.error.message);
        assert.equal(await presented(port), 'good');
      }
      await rm(files.keyFile);
      const before = recorded.of('certificate').length;
      certificate.reload();
      certificate.reload();
      assert.equal(recorded.of('certificate').length, before + 1, 'a missing file is told once too');
      await write(selfSigned('ended again', { fromDays: -3, toDays: -2 }));
      certificate.reload();
      assert.equal(recorded.of('certificate').at(-1)![0].ok, false);
      const last = selfSigned('at last');
      await write(last);
      certificate.reload();
      assert.equal(await presented(port), 'at last');
      await rm(files.keyFile);
      certificate.reload();
      assert.equal(recorded.of('certificate').at(-1)![0].ok, false);
      await write(last);
      certificate.reload();
      assert.equal(
        recorded.of('certificate').at(-1)![0].ok,
        true,
        'the same files are back: all is well again',
      );
    } finally {
      certificate.close();
      await rig.dispose();
    }
  });

  it('stops the start when it is of no use, in words', async () => {
    await write({ ...selfSigned('one'), key: selfSigned('two').key });
    assert.throws(
      () => new Certificate(files),
      (error) => error instanceof CertificateError && /mismatch/.test(error.message),
    );
    await rm(files.certificateFile);
    assert.throws(() => new Certificate(files), /cert\.pem cannot be read \(ENOENT\)/);
  });
});
