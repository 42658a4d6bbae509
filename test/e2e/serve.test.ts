/* eslint-disable @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-call, @typescript-eslint/no-unsafe-assignment -- answers are held against the OpenAPI document as they come, not against types */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { writeZooModel } from '../../src/zoo/zoo.js';
import { restClient } from '../support/restClient.js';
import { mustServe, startServe } from '../support/serveProcess.js';
import { deviceClient } from '../support/serviceRig.js';

const link = { uplinkBitsPerSecond: 5e7, downlinkBitsPerSecond: 1e8, rttSeconds: 0.005 };
const noLink = { uplinkBitsPerSecond: 1e4, downlinkBitsPerSecond: 1e4, rttSeconds: 0.5 };
const endHello = { deviceId: 'camera', role: 'end', computeRatio: 20, bootEpoch: 1 };
const edgeHello = { deviceId: 'edge-1', role: 'edge', computeRatio: 0.5 };

describe('cutpoint serve', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cutpoint-serve-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it('imports, deploys, decides with live telemetry, and forgets nothing when it is killed', async () => {
    const file = join(folder, 'squeezenet.onnx');
    await writeZooModel('squeezenet-1.1', file, { weights: 'constant' });
    const args = ['--data', join(folder, 'data')];
    const env = { CUTPOINT_IMPORT__RUNS: '2', CUTPOINT_IMPORT__WARMUP_RUNS: '1' };
    let serve = await mustServe(args, env);
    let rest = await restClient(serve.origin);

    const uploaded = await rest.upload('name=SqueezeNet&waitSeconds=60', await readFile(file));
    assert.equal(uploaded.status, 201, JSON.stringify(uploaded.body));
    const graph = (await rest.get(`/v1/models/${uploaded.body.id}/graph`)).body;
    assert.ok(graph.layers.length > 10);
    const created = await rest.post('/v1/deployments', {
      modelId: uploaded.body.id,
      end: { deviceId: 'camera' },
      edge: { deviceId: 'edge-1' },
    });
    const address = `/v1/deployments/${created.body.id}`;

    let end = await deviceClient(serve.origin, endHello);
    let edge = await deviceClient(serve.origin, edgeHello);
    await Promise.all([end.next('welcome'), edge.next('welcome')]);
    end.send({ type: 'telemetry', sequence: 1, ...noLink });
    const first = await end.next('cut');
    assert.equal((first['endLayers'] as number[]).length, graph.layers.length, 'all on the device');
    end.send({ type: 'telemetry', sequence: 2, ...link });
    await nextVersionWhere(end, (cut) => (cut['endLayers'] as number[]).length < graph.layers.length);
    const cut = end.of('cut').at(-1)!;
    assert.ok((cut['tensors'] as unknown[]).length > 0);
    const version = cut['version'] as number;
    const seen = (await rest.get(`${address}/cut`)).body;
    assert.deepEqual([seen.version, seen.endLayers], [version, cut['endLayers']]);
    assert.deepEqual(
      seen.secondsSources.map((source: { kind: string; computeRatio: number }) => source.computeRatio),
      [20, 0.5],
    );
    assert.ok(seen.why.deviceOnly.prediction.latencySeconds > seen.prediction.latencySeconds);
    for (const device of [end, edge]) device.send({ type: 'ack', deploymentId: created.body.id, version });
    await until(async () => {
      const { reported } = (await rest.get(address)).body;
      return reported.end === version && reported.edge === version;
    });
    const historyBefore = (await rest.get(`${address}/decisions`)).body.decisions;

    assert.equal(await serve.end('SIGKILL'), null);
    assert.equal((await end.closing()).code, 1006);
    serve = await mustServe(args, env);
    rest = await restClient(serve.origin);
    const after = (await rest.get(address)).body;
    assert.deepEqual([after.version, after.reported], [version, { end: version, edge: version }]);
    assert.deepEqual((await rest.get(`${address}/decisions`)).body.decisions, historyBefore);
    assert.equal((await rest.get('/v1/models')).body.models[0].status, 'ready');
    const known = (await rest.get('/v1/devices')).body.devices as { id: string }[];
    assert.deepEqual(
      known.map((device) => device.id),
      ['camera', 'edge-1'],
    );

    const running = [{ deploymentId: created.body.id, version }];
    edge = await deviceClient(serve.origin, { ...edgeHello, running });
    end = await deviceClient(serve.origin, { ...endHello, bootEpoch: 2, running });
    await Promise.all([end.next('welcome'), edge.next('welcome')]);
    end.send({ type: 'telemetry', sequence: 1, ...link });
    end.send({ type: 'telemetry', sequence: 2, ...noLink });
    const next = await end.next('cut');
    assert.equal(next['version'], version + 1, 'no replay, and the versions go on');
    const metrics = (await rest.get('/metrics')).body as string;
    assert.match(metrics, /cutpoint_search_duration_seconds_count\{[^}]*\} [1-9]/);

    assert.equal(await serve.end('SIGTERM'), 0);
    assert.deepEqual(await end.closing(), { code: 4000, reason: 'shutting-down' });
    assert.equal((JSON.parse(serve.lines.at(-1)!) as { msg: string }).msg, 'stopped');
  });

  it('goes on with an import that was killed and removes what that left', async () => {
    const file = join(folder, 'killed.onnx');
    await writeZooModel('squeezenet-1.1', file, { weights: 'constant' });
    const data = join(folder, 'killed');
    const imports = () => readdir(join(data, 'imports'));
    let serve = await mustServe(['--data', data], { CUTPOINT_IMPORT__RUNS: '10000' });
    let rest = await restClient(serve.origin);
    const { body } = await rest.upload('name=killed', await readFile(file));
    await until(async () => (await imports()).length === 1);
    const [left] = await imports();
    assert.equal(await serve.end('SIGKILL'), null);
    assert.deepEqual(await imports(), [left]);

    serve = await mustServe(['--data', data]);
    rest = await restClient(serve.origin);
    assert.ok(!(await imports()).includes(left!));
    await until(async () => (await imports()).length === 1); // of the same options: it would take long again
    assert.equal((await rest.get(`/v1/models/${body.id}`)).body.status, 'importing');
    await rest.delete(`/v1/models/${body.id}`);
    assert.equal(await serve.end('SIGTERM'), 0);
    assert.deepEqual(await imports(), []);
  });

  it('ends in good order though nobody reads its log any more', async () => {
    const serve = await mustServe(['--data', join(folder, 'unread')], { CUTPOINT_LOG__LEVEL: 'trace' });
    serve.child.stdout!.destroy();
    assert.equal(await serve.end('SIGTERM'), 0);
  });

  it('says in one line why it does not start', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => taken.once('listening', resolve));
    const { port } = taken.address() as AddressInfo;
    const data = ['--data', join(folder, 'other')];
    const inUse = await startServe([...data, '--port', String(port)]);
    taken.close();
    assert.ok('stderr' in inUse);
    assert.equal(inUse.code, 1);
    assert.match(inUse.stderr, /^cutpoint: Port \d+ on 127\.0\.0\.1 is in use .*--port.*\n$/);

    await writeFile(join(folder, 'a-file'), '');
    const noFolder = await startServe(['--data', join(folder, 'a-file', 'data')]);
    assert.ok('stderr' in noFolder);
    assert.deepEqual([noFolder.code, noFolder.stderr.split('\n').length], [1, 2]);
    assert.match(noFolder.stderr, /a-file/);

    const wrong = await startServe(['--log-level', 'loud'], { CUTPOINT_LIMITS__MAX_MODELS: '0' });
    assert.ok('stderr' in wrong);
    assert.match(wrong.stderr, /log\.level/);
    assert.match(wrong.stderr, /limits\.maxModels/);
    assert.notEqual(wrong.code, 0);
  });

  it('does not share its database with a second one', async () => {
    const data = ['--data', join(folder, 'shared')];
    const first = await mustServe(data);
    const second = await startServe(data);
    assert.equal(await first.end('SIGINT'), 0);
    assert.ok('stderr' in second);
    assert.equal(second.code, 1);
    assert.match(second.stderr, /^cutpoint: Another Cutpoint controller is using the database .*\n$/);
  });
});

type Client = Awaited<ReturnType<typeof deviceClient>>;

async function nextVersionWhere(
  client: Client,
  wanted: (cut: Record<string, unknown>) => boolean,
): Promise<void> {
  await until(() => Promise.resolve(client.of('cut').some(wanted)));
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 60_000;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error('the condition did not come true within 60 s');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
