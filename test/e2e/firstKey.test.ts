/* eslint-disable @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-assignment -- answers are held against the OpenAPI document as they come, not against types */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { bearer } from '../support/credentials.js';
import { restClient } from '../support/restClient.js';
import { runCutpoint } from '../support/runCutpoint.js';
import { selfSigned } from '../support/selfSigned.js';
import { mustServe, startServe } from '../support/serveProcess.js';
import { deviceClient } from '../support/serviceRig.js';

interface Line {
  readonly level: string;
  readonly msg: string;
  readonly adminKey?: string;
}

describe('the first start', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cutpoint-keys-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it('tells the key of an admin once, and nothing else secret is ever written', async () => {
    const args = ['--data', join(folder, 'data'), '--log-level', 'trace'];
    let serve = await mustServe(args);
    const { adminKey } = serve.lines
      .map((line) => JSON.parse(line) as Line)
      .find(({ msg }) => msg === 'controller ready')!;
    assert.match(adminKey!, /^cpk_[0-9a-f]{16}_[A-Za-z0-9_-]{43}$/);
    const rest = await restClient(serve.origin, adminKey);
    const secrets: string[] = [(await rest.post('/v1/keys', { label: 'x', role: 'viewer' })).body.key];
    const made = (await rest.post('/v1/devices/camera/tokens', {})).body as { id: string; token: string };
    secrets.push(made.token, made.token.slice(-43), adminKey!.slice(-43));
    const device = await deviceClient(serve.origin, { deviceId: 'camera', role: 'end' }, made.token);
    await device.next('welcome');
    await rest.delete(`/v1/devices/camera/tokens/${made.id}`);
    assert.equal((await device.closing()).code, 4009);
    await assert.rejects(deviceClient(serve.origin, null, made.token), /401/);
    await fetch(`${serve.origin}/v1/models?token=${made.token}`, {
      headers: { cookie: made.token, ...bearer(`${adminKey}x`) },
    });
    assert.equal(await serve.end('SIGTERM'), 0);
    const afterwards = serve.lines.filter((line) => !line.includes('controller ready')).join('\n');
    assert.match(afterwards, /"msg":"operator change"/);
    for (const secret of secrets) assert.ok(!afterwards.includes(secret), 'a secret stands in the log');

    serve = await mustServe(args);
    const again = serve.lines.map((line) => JSON.parse(line) as Line);
    assert.ok(
      again.every((line) => line.adminKey === undefined),
      'told once',
    );
    const same = await restClient(serve.origin, adminKey);
    const { entries } = (await same.get('/v1/audit')).body as { entries: Record<string, unknown>[] };
    assert.equal(entries.length, 4, 'and still good');
    const { actor, operation, target, status, address } = entries.at(-1)!;
    assert.deepEqual([actor, operation, status, address], ['start', 'createKey', 201, null]);
    assert.equal(target, `/v1/keys/${adminKey!.slice(4, 20)}`);
    assert.equal(await serve.end('SIGTERM'), 0);
  });

  it('tells the key whatever the level of the log', async () => {
    const serve = await mustServe(['--data', join(folder, 'silent'), '--log-level', 'silent']);
    assert.equal(await serve.end('SIGTERM'), 0);
    assert.equal(serve.lines.length, 1);
    assert.match((JSON.parse(serve.lines[0]!) as Line).adminKey!, /^cpk_/);
  });

  it('says that devices are taken without a token, where they are', async () => {
    const env = { CUTPOINT_AUTH__ANONYMOUS_DEVICES: 'true' };
    const serve = await mustServe(['--data', join(folder, 'anonymous')], env);
    const ready = (await (await fetch(`${serve.origin}/readyz`)).json()) as {
      checks: { name: string; message: string | null }[];
    };
    const check = ready.checks.find(({ name }) => name === 'anonymous-devices');
    assert.match(check!.message!, /without a token/);
    const device = await deviceClient(serve.origin, { deviceId: 'camera', role: 'end' }, null);
    await device.next('welcome');
    assert.equal(await serve.end('SIGTERM'), 0);
    const warnings = serve.lines
      .map((line) => JSON.parse(line) as Line)
      .filter(({ level }) => level === 'warn');
    assert.ok(warnings.some(({ msg }) => msg.includes('auth.anonymousDevices')));
  });

  it('is refused beyond loopback without TLS, until someone says that the network is safe', async () => {
    const data = ['--data', join(folder, 'wide')];
    for (const host of ['0.0.0.0', '::', 'example.org']) {
      const refused = await startServe([...data, '--host', host]);
      assert.ok('stderr' in refused, `it listens on ${host}`);
      assert.equal(refused.code, 1);
      assert.match(refused.stderr, /listen\.host .*without TLS.*listen\.insecure/);
    }
    const insecure = await mustServe([...data, '--host', '0.0.0.0'], { CUTPOINT_LISTEN__INSECURE: 'true' });
    assert.equal(await insecure.end('SIGTERM'), 0);
    const { cert, key } = selfSigned('wide');
    await writeFile(join(folder, 'cert.pem'), cert);
    await writeFile(join(folder, 'key.pem'), key);
    const half = await startServe(data, { CUTPOINT_LISTEN__TLS_CERTIFICATE_FILE: join(folder, 'cert.pem') });
    assert.ok('stderr' in half && /listen\.tlsKeyFile/.test(half.stderr));
    const secure = await mustServe([...data, '--host', '0.0.0.0'], {
      CUTPOINT_LISTEN__TLS_CERTIFICATE_FILE: join(folder, 'cert.pem'),
      CUTPOINT_LISTEN__TLS_KEY_FILE: join(folder, 'key.pem'),
    });
    assert.match(secure.origin, /^https:/);
    const loaded = () => secure.lines.filter((line) => line.includes('TLS certificate loaded')).length;
    const renewed = selfSigned('renewed');
    await writeFile(join(folder, 'cert.pem'), renewed.cert);
    await writeFile(join(folder, 'key.pem'), renewed.key);
    secure.child.kill('SIGHUP');
    const end = Date.now() + 5_000;
    while (loaded() < 2 && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 10));
    assert.equal(loaded(), 2, 'SIGHUP takes the new certificate, long before the next look at the files');
    assert.equal(await secure.end('SIGTERM'), 0);
  });

  it('can be followed by keys that a command makes, beside a running controller too', async () => {
    const data = ['--data', join(folder, 'command')];
    const none = await runCutpoint(['key', 'create', '--role', 'admin', ...data]);
    assert.equal(none.code, 1);
    assert.match(none.stderr, /^cutpoint: There is no database .*\n$/);
    assert.equal((await runCutpoint(['key', 'create', '--role', 'root', ...data])).code, 2);
    const serve = await mustServe(data);
    const beside = await runCutpoint(['key', 'create', '--role', 'admin', '--label', 'found again', ...data]);
    assert.deepEqual([beside.code, beside.stderr], [0, '']);
    const rest = await restClient(serve.origin, beside.stdout.trim());
    assert.equal((await rest.get('/v1/keys')).status, 200, 'at once');
    const [entry] = (await rest.get('/v1/audit')).body.entries;
    assert.deepEqual(
      [entry.actor, entry.operation, entry.status, entry.address],
      ['command line', 'createKey', 201, null],
    );
    assert.equal(await serve.end('SIGTERM'), 0);
    const stopped = await runCutpoint(['key', 'create', '--role', 'viewer', '--json', ...data]);
    const { key, role } = JSON.parse(stopped.stdout) as { key: string; role: string };
    assert.equal(role, 'viewer');
    const again = await mustServe(data);
    assert.equal((await (await restClient(again.origin, key)).get('/v1/models')).status, 200);
    assert.equal(await again.end('SIGTERM'), 0);
  });
});
