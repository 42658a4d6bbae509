import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { StoreError } from '../../src/control/ports.js';
import { bearer } from '../support/credentials.js';
import { until } from '../support/controlRig.js';
import { restClient, type RestClient } from '../support/restClient.js';
import { deviceClient, endHello, serviceRig, type ServiceRig } from '../support/serviceRig.js';

interface Made {
  readonly id: string;
  readonly token: string;
}

describe('a token that is revoked', () => {
  let rig: ServiceRig;
  let rest: RestClient;
  before(async () => {
    rig = await serviceRig({ access: { anonymousDevices: true, maxDeviceTokens: 12 } });
    rest = await restClient(rig.origin);
  });
  after(async () => {
    await rig.dispose();
    assert.deepEqual(rig.failures, []);
  });

  const make = async (deviceId: string) =>
    (await rest.post(`/v1/devices/${deviceId}/tokens`, {})).body as Made;
  const revoke = (deviceId: string, { id }: Made) => rest.delete(`/v1/devices/${deviceId}/tokens/${id}`);
  const forget = (deviceId: string) => rest.delete(`/v1/devices/${deviceId}`);

  it('does not let its device in without one, where others come anonymously, until the device is forgotten', async () => {
    const hello = { ...endHello, deviceId: 'caught' };
    for (let i = 0; i < 12; i++) await revoke('caught', await make('caught'));
    const [last] = rig.access.tokens.ofDevice('caught').slice(-1);
    assert.ok(last !== undefined && last.revokedAtMs !== null);
    const back = await deviceClient(rig.origin, hello, null);
    assert.deepEqual(await back.closing(), { code: 4010, reason: 'device-mismatch' });
    assert.equal((await forget('caught')).status, 204);
    const anew = await deviceClient(rig.origin, hello, null);
    await anew.next('welcome');
    await anew.end();
    assert.equal((await forget('caught')).status, 204);
  });

  it('is closed also when that happens while its upgrade is on its way', async () => {
    const made = await make('late');
    const accept = rig.hub.accept.bind(rig.hub);
    rig.hub.accept = (socket, identity) => {
      rig.access.tokens.refuse('late', made.id);
      rig.hub.closeRevoked(made.id); // it is none of the hub's sockets yet
      accept(socket, identity);
    };
    try {
      const late = await deviceClient(rig.origin, { ...endHello, deviceId: 'late' }, made.token);
      assert.deepEqual(await late.closing(), { code: 4009, reason: 'revoked' });
      assert.equal(late.of('welcome').length, 0);
    } finally {
      rig.hub.accept = accept;
    }
    assert.equal((await forget('late')).status, 204);
  });

  it('is one of a bounded number, in memory and in the database, over all devices', async () => {
    // of a few devices: the oldest go, but the last one of a device stays with it
    for (let i = 0; i < 40; i++) {
      const deviceId = `few-${i % 4}`;
      assert.equal((await revoke(deviceId, await make(deviceId))).status, 204);
    }
    const kept = rig.store.deviceTokens();
    assert.equal(kept.length, 12);
    for (let i = 0; i < 4; i++) assert.ok(kept.some(({ deviceId }) => deviceId === `few-${i}`));
    // of many: when all that are kept guard a device, there is no token for a further one
    const statuses: number[] = [];
    for (let i = 0; i < 20; i++) {
      const made = await rest.post(`/v1/devices/many-${i}/tokens`, {});
      statuses.push(made.status);
      if (made.status === 201) await revoke(`many-${i}`, made.body as Made);
    }
    assert.deepEqual([...new Set(statuses)], [201, 409]);
    assert.equal(statuses.filter((status) => status === 201).length, 8);
    assert.equal(rig.store.deviceTokens().length, 12);
    assert.equal(
      (await rest.post('/v1/devices/few-0/tokens', {})).status,
      201,
      'a known one may have another',
    );
    for (let i = 0; i < 8; i++) assert.equal((await forget(`many-${i}`)).status, 204);
    assert.equal((await rest.post('/v1/devices/one-more/tokens', {})).status, 201);
  });
});

describe('a device is cut off while the database takes no writes', () => {
  it('at once, and that is stored with its row in the audit when it can be', async () => {
    const rig = await serviceRig();
    try {
      const rest = await restClient(rig.origin);
      const made = (await rest.post('/v1/devices/camera/tokens', {})).body as Made;
      const camera = await deviceClient(rig.origin, endHello, made.token);
      await camera.next('welcome');
      const { store } = rig;
      const real = {
        startAudit: store.startAudit.bind(store),
        saveDeviceToken: store.saveDeviceToken.bind(store),
      };
      const full = () => {
        throw new StoreError('full', 'The disk is full.');
      };
      Object.assign(rig.store, { startAudit: full, saveDeviceToken: full });
      const path = `/v1/devices/camera/tokens/${made.id}`;
      const answer = await fetch(`${rig.origin}${path}`, { method: 'DELETE', headers: bearer(rig.adminKey) });
      const { type, detail } = (await answer.json()) as { type: string; detail: string };
      assert.deepEqual([answer.status, type], [503, 'urn:cutpoint:problem:revocation-not-stored']);
      assert.match(detail, /refused from now on.*The disk is full/);
      assert.deepEqual(await camera.closing(), { code: 4009, reason: 'revoked' });
      await assert.rejects(deviceClient(rig.origin, endHello, made.token), /401/);
      assert.deepEqual(rig.recorded.of('revocationsUnstored').at(-1), [1]);
      assert.equal(rig.store.deviceTokens()[0]!.revokedAtMs, null);
      // nothing else is done that cannot be written down
      assert.ok((await rest.delete('/v1/devices/camera')).status >= 500);
      Object.assign(rig.store, real);
      await until(() => rig.store.deviceTokens()[0]!.revokedAtMs !== null, 'the write');
      const [row] = rig.store.audit({ limit: 1 });
      assert.deepEqual([row!.operation, row!.target, row!.status], ['revokeToken', path, 204]);
      assert.equal(row!.address, '127.0.0.1');
      assert.deepEqual(rig.recorded.of('revocationsUnstored').at(-1), [0]);
      await assert.rejects(deviceClient(rig.origin, endHello, made.token), /401/);
    } finally {
      await rig.dispose();
    }
  });

  it('and so is an operator, whose key stays refused when the keys are read anew', async () => {
    const rig = await serviceRig();
    try {
      const rest = await restClient(rig.origin);
      const wanted = { label: 'left', role: 'admin' };
      const made = (await rest.post('/v1/keys', wanted)).body as { id: string; key: string };
      const { store } = rig;
      const real = { startAudit: store.startAudit.bind(store), saveApiKey: store.saveApiKey.bind(store) };
      const full = () => {
        throw new StoreError('full', 'The disk is full.');
      };
      Object.assign(rig.store, { startAudit: full, saveApiKey: full });
      const path = `/v1/keys/${made.id}`;
      const revoke = () => fetch(`${rig.origin}${path}`, { method: 'DELETE', headers: bearer(rig.adminKey) });
      const answer = await revoke();
      const { type } = (await answer.json()) as { type: string };
      assert.deepEqual([answer.status, type], [503, 'urn:cutpoint:problem:revocation-not-stored']);
      const status = async () =>
        (await fetch(`${rig.origin}/v1/models`, { headers: bearer(made.key) })).status;
      assert.equal(await status(), 401);
      rig.access.keys.load(); // as after a command that made a key beside it
      assert.equal(await status(), 401);
      assert.equal((await revoke()).status, 404, 'it is done');
      assert.equal(rig.store.apiKeys().find(({ id }) => id === made.id)!.revokedAtMs, null);
      Object.assign(rig.store, real);
      const stored = () => rig.store.apiKeys().find(({ id }) => id === made.id)!.revokedAtMs !== null;
      await until(stored, 'the write');
      const [row] = rig.store.audit({ limit: 1 });
      assert.deepEqual([row!.operation, row!.target, row!.status], ['revokeKey', path, 204]);
      assert.deepEqual(rig.recorded.of('revocationsUnstored').at(-1), [0]);
      assert.equal(await status(), 401);
    } finally {
      await rig.dispose();
    }
  });
});
