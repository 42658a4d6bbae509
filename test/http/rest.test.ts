/* eslint-disable @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-argument, @typescript-eslint/no-unsafe-assignment, @typescript-eslint/no-unsafe-call -- answers are held against the OpenAPI document as they come, not against types */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ImportRefused } from '../../src/control/ports.js';
import { quickLink, until } from '../support/controlRig.js';
import { asAdmin } from '../support/credentials.js';
import { restClient, type RestClient } from '../support/restClient.js';
import { edgeHello, endHello, serviceRig, type ServiceRig } from '../support/serviceRig.js';
import { smallImporter, smallProfile } from '../support/smallModel.js';

const fields = (body: { errors?: { field: string }[] }) => (body.errors ?? []).map((error) => error.field);

describe('the REST face', () => {
  let rig: ServiceRig;
  let rest: RestClient;
  let modelId: string;
  let deploymentId: string;
  let refuse = false;
  before(async () => {
    const gate = () =>
      refuse ? Promise.reject(new ImportRefused('not-onnx', 'This is no ONNX file.')) : Promise.resolve();
    rig = await serviceRig({ importer: smallImporter(gate) });
    rest = await restClient(rig.origin);
  });
  after(() => rig.dispose());

  it('takes a model, once', async () => {
    const first = await rest.upload('name=small', 'bytes of a model');
    assert.deepEqual([first.status, first.body.status, first.body.layerCount], [201, 'ready', 4]);
    modelId = first.body.id as string;
    assert.equal(first.headers.get('location'), `/v1/models/${modelId}`);
    const again = await rest.upload('name=other', 'bytes of a model');
    assert.deepEqual([again.status, again.body.id, again.body.name], [200, modelId, 'small']);
    assert.equal((await rest.get('/v1/models')).body.models.length, 1);
    assert.equal((await rest.get(`/v1/models/${modelId}`)).body.sha256, first.body.sha256);
    assert.equal((await rest.get(`/v1/models/${modelId}/graph`)).body.layers.length, 4);
    assert.deepEqual(await readdir(join(rig.folder, 'uploads')), [], 'no upload is left behind');
  });

  it('answers 202 when the import takes longer than one waits', async () => {
    const slow = await serviceRig({ importer: smallImporter(() => new Promise(() => {})) });
    try {
      const answer = await (await restClient(slow.origin)).upload('name=slow&waitSeconds=0', 'x');
      assert.deepEqual([answer.status, answer.body.status], [202, 'importing']);
    } finally {
      await slow.dispose();
    }
  });

  it('says in words why a file is refused, and keeps them with the model', async () => {
    refuse = true;
    const refused = await rest.upload('name=wrong', 'no model');
    refuse = false;
    assert.deepEqual([refused.status, refused.body.detail], [422, 'This is no ONNX file.']);
    assert.equal(refused.body.type, 'urn:cutpoint:problem:not-onnx');
    const kept = await rest.get(`/v1/models/${refused.body.modelId}`);
    assert.deepEqual(kept.body.error, { code: 'not-onnx', message: 'This is no ONNX file.' });
    assert.equal((await rest.get(`/v1/models/${refused.body.modelId}/graph`)).status, 409);
    assert.equal((await rest.delete(`/v1/models/${refused.body.modelId}`)).status, 204);
  });

  it('refuses uploads that are wrong before it imports anything', async () => {
    const large = await rest.upload('name=large', new Uint8Array(1_001));
    assert.equal(large.status, 413);
    const stream = new ReadableStream({
      start(controller) {
        for (let i = 0; i < 3; i++) controller.enqueue(new Uint8Array(400));
        controller.close();
      },
    });
    const chunked = { headers: { 'content-type': 'application/octet-stream' }, body: stream, duplex: 'half' };
    assert.equal((await rest.send('POST', '/v1/models?name=large', chunked as RequestInit)).status, 413);
    const nameless = await rest.upload('', 'x');
    assert.deepEqual([nameless.status, fields(nameless.body)], [400, ['name']]);
    const shapes = await rest.upload(`name=x&inputs=${encodeURIComponent('{"a":{"shape":[1.5]}}')}`, 'x');
    assert.deepEqual([shapes.status, fields(shapes.body)], [400, ['inputs.a.shape[0]']]);
    assert.equal((await rest.upload('name=x&inputs={', 'x')).status, 400);
    const asJson = await rest.post('/v1/models?name=x', { a: 1 });
    assert.equal(asJson.status, 415);
    assert.deepEqual(await readdir(join(rig.folder, 'uploads')), []);
    assert.equal((await rest.get('/v1/models')).body.models.length, 1);
  });

  it('leaves nothing of an upload that breaks off', async () => {
    const socket = connect(Number(new URL(rig.origin).port), '127.0.0.1');
    const head =
      'POST /v1/models?name=b HTTP/1.1\r\nHost: x\r\nContent-Type: application/octet-stream\r\n' +
      `Authorization: ${asAdmin(rig.origin).authorization}\r\n`;
    socket.write(`${head}Content-Length: 500\r\n\r\nonly the beginning`);
    const uploads = join(rig.folder, 'uploads');
    await pollUntil(async () => (await readdir(uploads)).length === 1);
    const second = connect(Number(new URL(rig.origin).port), '127.0.0.1');
    second.write(`${head}Content-Length: 500\r\n\r\nonly the beginning`);
    await pollUntil(async () => (await readdir(uploads)).length === 2);
    assert.equal((await rest.upload('name=third', 'x')).status, 503, 'two at once are the cap');
    second.destroy();
    socket.destroy();
    await pollUntil(async () => (await readdir(uploads)).length === 0);
  });

  it('creates a deployment, and names the field of what is wrong with one', async () => {
    const good = { modelId, end: { deviceId: 'camera' }, edge: { deviceId: 'edge' } };
    const wrong: [object, number, string][] = [
      [{ ...good, modelId: 'none' }, 422, 'modelId'],
      [{ ...good, edge: { deviceId: 'camera' } }, 422, 'edge.deviceId'],
      [{ ...good, edge: {} }, 400, 'edge.deviceId'],
      [{ ...good, end: { deviceId: 'camera', computeRatio: '4' } }, 400, 'end.computeRatio'],
      [{ ...good, end: { deviceId: 'camera', profileId: 'none' } }, 422, 'end.profileId'],
      [{ ...good, requirements: { latencySeconds: 0 } }, 400, 'requirements.latencySeconds'],
      [{ ...good, requirements: { batteryLifetimeSeconds: 9 } }, 422, 'requirements.inferencesPerSecond'],
      [{ ...good, speed: 1 }, 400, 'speed'],
    ];
    for (const [body, status, field] of wrong) {
      const answer = await rest.post('/v1/deployments', body);
      assert.deepEqual([answer.status, fields(answer.body)], [status, [field]], JSON.stringify(body));
      assert.match(answer.headers.get('content-type')!, /^application\/problem\+json/);
    }
    const created = await rest.post('/v1/deployments', good);
    assert.equal(created.status, 201);
    deploymentId = created.body.id as string;
    assert.equal(created.body.status.kind, 'waiting');
    assert.equal(created.body.status.missing.length, 2);
    assert.equal((await rest.get(`/v1/deployments/${deploymentId}/cut`)).status, 409);
    assert.equal((await rest.get(`/v1/deployments/${deploymentId}/alternatives`)).status, 409);
  });

  it('shows the cut, why it won, what else would cost, and the history', async () => {
    const end = await rig.device(endHello);
    const edge = await rig.device(edgeHello);
    await Promise.all([end.next('welcome'), edge.next('welcome')]);
    end.send({ type: 'telemetry', sequence: 1, ...quickLink, freeMemoryBytes: 1 });
    const session = rig.control.deployments.get(deploymentId);
    await until(() => session.lastDecision?.context.hops[0]?.uplinkBitsPerSecond !== undefined);
    const { body: cut } = await rest.get(`/v1/deployments/${deploymentId}/cut`);
    assert.deepEqual([cut.endLayers, cut.tensors], [[], [{ name: 't0', bytes: 600_000 }]]);
    assert.equal(cut.context.hops[0].uplinkBitsPerSecond, quickLink.uplinkBitsPerSecond);
    assert.deepEqual(cut.why.edgeOnly.prediction, cut.prediction);
    assert.equal(cut.why.deviceOnly.violations[0].constraint, 'tiers[0].memoryBytes');
    assert.ok(cut.why.runnerUp.extraLatencySeconds > 0);
    const sum = [...cut.prediction.tierSeconds, ...cut.prediction.uplinkSeconds]
      .concat(cut.prediction.downlinkSeconds, cut.prediction.rttSeconds, cut.prediction.queueSeconds)
      .reduce((total: number, seconds: number) => total + seconds, 0);
    assert.ok(Math.abs(sum - cut.prediction.latencySeconds) < 1e-12);
    const { body: others } = await rest.get(`/v1/deployments/${deploymentId}/alternatives?limit=3`);
    assert.equal(others.alternatives.length, 3);
    assert.deepEqual(others.alternatives[0].endLayers, cut.endLayers);
    const { body: ranges } = await rest.get(`/v1/deployments/${deploymentId}/ranges`);
    const uplink = ranges.ranges.find(
      ({ value }: { value: string }) => value === 'hops[0].uplinkBitsPerSecond',
    );
    assert.equal(uplink.present, quickLink.uplinkBitsPerSecond);
    assert.ok(uplink.from <= uplink.present && (uplink.to === null || uplink.to >= uplink.present));
    const { body: history } = await rest.get(`/v1/deployments/${deploymentId}/decisions?limit=1`);
    assert.equal(history.decisions.length, 1);
    assert.equal(history.decisions[0].versionAfter, cut.version);
    const older = `/v1/deployments/${deploymentId}/decisions?before=${history.next}`;
    const { body: rest2 } = await rest.get(older);
    assert.ok(rest2.decisions.every((row: { id: number }) => row.id < history.decisions[0].id));
    assert.equal(rest2.next, null);
    await Promise.all([end.end(), edge.end()]);
    await until(() => session.lastDecision?.reason === 'device-disconnected');
  });

  it('refuses to page on from a decision of another deployment', async () => {
    const { body: mine } = await rest.get(`/v1/deployments/${deploymentId}/decisions?limit=1`);
    const { deploymentId: own, ...decision } = rig.store.decisions(deploymentId, { limit: 1 })[0]!;
    const other = { ...rig.control.deployments.get(own).durable, id: randomUUID() };
    rig.store.saveDeployment(other);
    rig.store.commit([{ ...decision, deploymentId: other.id }], []);
    const foreign = rig.store.decisions(other.id, { limit: 1 })[0]!.id;
    assert.equal(foreign, mine.decisions[0].id + 1);
    const refused = await rest.get(`/v1/deployments/${deploymentId}/decisions?before=${foreign}`);
    assert.equal(refused.status, 422);
    assert.deepEqual(fields(refused.body), ['before']);
    rig.store.deleteDeployment(other.id);
  });

  it('shows a better cut that is not worth its switch beside the one that stays', async () => {
    const address = `/v1/deployments/${deploymentId}`;
    const session = rig.control.deployments.get(deploymentId);
    const end = await rig.device({ ...endHello, switchSeconds: 6 });
    await end.next('welcome');
    end.send({ type: 'telemetry', sequence: 1, ...quickLink });
    await until(() => session.lastDecision?.context.tiers[0]!.freeMemoryBytes === undefined);
    const edge = await rig.device(edgeHello);
    await edge.next('welcome');
    await until(() => session.lastDecision?.switching?.kept?.why === 'not-worth-the-switch');
    const { body: cut } = await rest.get(`${address}/cut`);
    const { switching } = cut;
    assert.deepEqual([cut.endLayers, cut.tensors], [[0, 1, 2, 3], []]);
    assert.deepEqual(cut.prediction, cut.why.deviceOnly.prediction);
    assert.deepEqual([switching.reason, switching.switchSeconds], ['stay', 6]);
    assert.deepEqual(switching.kept.best.endLayers, []);
    assert.deepEqual(switching.kept.best.prediction, cut.why.edgeOnly.prediction);
    assert.ok(switching.kept.best.objectiveValue < cut.objectiveValue);
    const [row] = (await rest.get(`${address}/decisions?limit=1`)).body.decisions;
    assert.deepEqual(
      [row.cutAfter.endLayers, row.objectiveValue],
      [[0, 1, 2, 3], switching.kept.best.objectiveValue],
    );
    assert.deepEqual(row.switching.kept.prediction, cut.prediction);
    assert.deepEqual(fields((await rest.patch(address, { requirements: { switchSeconds: -1 } })).body), [
      'requirements.switchSeconds',
    ]);
    await rest.patch(address, { requirements: { switchSeconds: 0 } });
    await until(() => session.durable.cut?.endLayers.length === 0, 'what an operator asks');
    const now = (await rest.get(`${address}/cut`)).body.switching;
    assert.deepEqual(now, { reason: 'asked', switchSeconds: 0, kept: null });
    await rest.patch(address, { requirements: { switchSeconds: null } });
    await Promise.all([end.end(), edge.end()]);
    await until(() => session.lastDecision?.reason === 'device-disconnected');
  });

  it('names the bounds that rule out what would be better', async () => {
    const context = {
      tiers: [{}, { freeStorageBytes: 5_000 }],
      hops: [{ ...quickLink, connected: true }],
      requirements: {},
    };
    const session = rig.control.deployments.get(deploymentId);
    const decided = await rest.post(`/v1/deployments/${deploymentId}/what-if`, { context });
    assert.equal(decided.status, 200);
    assert.ok(decided.body.prediction.weightBytes[1] <= 5_000);
    assert.equal(decided.body.isPresentCut, false);
    assert.equal(session.durable.version, (await rest.get(`/v1/deployments/${deploymentId}`)).body.version);
    const wrong = await rest.post(`/v1/deployments/${deploymentId}/what-if`, {
      context: { ...context, tiers: [{ slowdown: -1 }, {}] },
    });
    assert.deepEqual([wrong.status, fields(wrong.body)], [400, ['context.tiers[0].slowdown']]);
  });

  it('changes requirements by merging, and devices are listed in pages', async () => {
    const address = `/v1/deployments/${deploymentId}`;
    const bounds = { requirements: { latencySeconds: 1, energyJoulesPerInference: 5 } };
    assert.deepEqual((await rest.patch(address, bounds)).body.requirements, bounds.requirements);
    const fewer = await rest.patch(address, { requirements: { energyJoulesPerInference: null } });
    assert.deepEqual(fewer.body.requirements, { latencySeconds: 1 });
    assert.equal((await rest.patch(address, {})).status, 400);
    assert.deepEqual(fields((await rest.patch(address, { end: { deviceId: 'x' } })).body), ['end.deviceId']);
    const first = (await rest.get('/v1/devices?limit=1')).body;
    const second = (await rest.get(`/v1/devices?limit=1&after=${first.next}`)).body;
    assert.deepEqual([first.devices[0].id, second.devices[0].id, second.next], ['camera', 'edge', null]);
    assert.equal((await rest.get('/v1/devices?limit=0')).status, 400);
    assert.deepEqual((await rest.get('/v1/devices/camera')).body.deployments, [deploymentId]);
  });

  it('takes profiles of the same model alone', async () => {
    const { sha256, options } = rig.control.models.get(modelId);
    const profile = smallProfile(sha256, options, 'pi');
    const address = `/v1/models/${modelId}/profiles`;
    const added = await rest.post(address, profile);
    assert.deepEqual([added.status, added.body.machine.id, added.body.origin], [201, 'pi', 'upload']);
    assert.equal((await rest.post(address, profile)).status, 200);
    assert.deepEqual((await rest.get(`${address}/${added.body.id}`)).body, profile);
    assert.equal((await rest.get(address)).body.profiles.length, 2);
    const wrong: [object, number, string][] = [
      [{ ...profile, modelSha256: '0'.repeat(64) }, 422, 'modelSha256'],
      [{ ...profile, layers: profile.layers.slice(1) }, 422, 'layers'],
      [{ ...profile, layers: profile.layers.toReversed() }, 422, 'layers[0].name'],
      [{ ...profile, layers: [] }, 400, 'layers'],
    ];
    for (const [body, status, field] of wrong) {
      const answer = await rest.post(address, body);
      assert.deepEqual([answer.status, fields(answer.body)], [status, [field]]);
    }
    assert.equal((await rest.delete(`${address}/${added.body.id}`)).status, 204);
  });

  it('refuses to delete what is in use, deletes what is not, and says 404 for what is not there', async () => {
    assert.equal((await rest.delete(`/v1/models/${modelId}`)).status, 409);
    assert.equal((await rest.delete('/v1/devices/camera')).status, 409);
    assert.equal((await rest.delete(`/v1/deployments/${deploymentId}`)).status, 204);
    assert.equal((await rest.delete('/v1/devices/camera')).status, 204);
    assert.equal((await rest.delete(`/v1/models/${modelId}`)).status, 204);
    for (const address of [
      `/v1/models/${modelId}`,
      '/v1/devices/camera',
      `/v1/deployments/${deploymentId}`,
    ]) {
      assert.equal((await rest.get(address)).status, 404);
      assert.equal((await rest.delete(address)).status, 404);
    }
    assert.equal((await rest.get('/v1/deployments/x/cut')).status, 404);
  });

  it('answers everything else with a problem too', async () => {
    const post = (body: string, type: string) =>
      fetch(`${rig.origin}/v1/deployments`, {
        method: 'POST',
        headers: { 'content-type': type, ...asAdmin(rig.origin) },
        body,
      });
    const answers: [Response, number][] = [
      [await fetch(`${rig.origin}/nothing`), 404],
      [await post('{', 'application/json'), 400],
      [await post('', 'application/json'), 400],
      [await post('{}', 'text/plain'), 415],
      [await post(`"${'x'.repeat(20_000)}"`, 'application/json'), 413],
      [await fetch(`${rig.origin}/v1/models/%E0%A4%A`), 400],
    ];
    for (const [response, status] of answers) {
      assert.equal(response.status, status);
      assert.match(response.headers.get('content-type')!, /^application\/problem\+json/);
      const problem = (await response.json()) as { detail: string; status: number };
      assert.equal(problem.status, status);
      assert.ok(problem.detail.length > 10);
    }
    assert.ok(rig.recorded.of('capHit').some(([cap]) => cap === 'restBodyBytes'));
  });

  it('says whether it is alive and ready, and why not', async () => {
    assert.equal((await rest.get('/healthz')).status, 200);
    assert.equal((await rest.get('/readyz')).body.status, 'ready');
    rig.setUnready('the disk is full');
    const unready = await rest.get('/readyz');
    assert.deepEqual([unready.status, unready.body.detail], [503, 'database: the disk is full']);
    assert.deepEqual(rig.recorded.of('requestFailed'), [], 'that is counted, and no fault that has a stack');
    rig.setUnready(null);
    assert.equal((await rest.get('/metrics')).body, '# none\n');
  });

  it('describes each operation once, with a name, a tag and a summary', () => {
    const operations = Object.values(rest.document.paths).flatMap((path) =>
      Object.values(path),
    ) as unknown as {
      operationId?: string;
      tags?: string[];
      summary?: string;
    }[];
    const ids = operations.map((operation) => operation.operationId);
    assert.equal(new Set(ids).size, ids.length);
    assert.ok(
      operations.every(({ operationId, tags, summary }) => operationId && tags?.length === 1 && summary),
    );
    assert.ok(ids.includes('whatIf') && ids.length >= 20);
  });
});

async function pollUntil(condition: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 30_000;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error('the condition did not come true within 30 s');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
