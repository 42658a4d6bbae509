import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { createAppContext, type AppContext, type ContextOverrides } from '../../src/appContext.js';
import { loadConfig } from '../../src/config.js';
import { StoreError, type Store } from '../../src/control/ports.js';
import { quickLink, until } from '../support/controlRig.js';
import { asAdmin, rememberAdminKey } from '../support/credentials.js';
import { deviceClient, edgeHello, endHello } from '../support/serviceRig.js';
import { smallImporter } from '../support/smallModel.js';

describe('the context of an application', () => {
  let folder: string;
  const contexts: AppContext[] = [];
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cutpoint-context-'));
  });
  afterEach(async () => {
    await Promise.all(contexts.splice(0).map((context) => context.stop()));
    await rm(folder, { recursive: true, force: true });
  });

  async function started(name: string, overrides: ContextOverrides = {}, more: Record<string, number> = {}) {
    const values = {
      'listen.port': 0,
      'data.directory': join(folder, name),
      'log.level': 'silent',
      ...more,
    };
    const config = loadConfig({ env: {}, overrides: values });
    const context = await createAppContext(config, { importer: smallImporter(), ...overrides });
    contexts.push(context);
    const origin = await context.start();
    const key = context.access.keys.create({ label: 'test', role: 'admin', createdBy: 'test' });
    rememberAdminKey(origin, key.secret);
    return { context, origin };
  }

  async function upload(origin: string): Promise<string> {
    const answer = await fetch(`${origin}/v1/models?name=small`, {
      method: 'POST',
      headers: { 'content-type': 'application/octet-stream', ...asAdmin(origin) },
      body: 'a model',
    });
    return ((await answer.json()) as { id: string }).id;
  }

  async function deploy(origin: string, modelId: string, deviceId: string): Promise<string> {
    const body = { modelId, end: { deviceId }, edge: { deviceId: 'edge' } };
    const created = await fetch(`${origin}/v1/deployments`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...asAdmin(origin) },
      body: JSON.stringify(body),
    });
    return ((await created.json()) as { id: string }).id;
  }

  /** Uploads and deploys by REST, connects both devices. */
  async function busy(origin: string) {
    const deploymentId = await deploy(origin, await upload(origin), 'camera');
    const end = await deviceClient(origin, endHello);
    const edge = await deviceClient(origin, edgeHello);
    await Promise.all([end.next('cut'), edge.next('cut')]);
    return { deploymentId, end, edge };
  }

  it(
    'asks the system for the queue of connections that the configuration says',
    {
      skip: spawnSync('ss', ['-V']).error ? 'ss is absent: the length of the queue is not looked at' : false,
    },
    async () => {
      const { origin } = await started('queue', {}, { 'listen.backlog': 300 });
      const { stdout } = spawnSync('ss', ['-Hltn', `sport = :${new URL(origin).port}`], { encoding: 'utf8' });
      const [, , allowed] = stdout.trim().split(/\s+/);
      assert.equal(allowed, '300', stdout);
    },
  );

  it('can be there twice in one process, each with its own world', async () => {
    const [one, two] = [await started('one'), await started('two')];
    const { end } = await busy(one.origin);
    end.send({ type: 'telemetry', sequence: 1, ...quickLink });
    await until(() => end.of('cut').at(-1)?.['endLayers'] !== undefined && end.of('cut').length >= 2);
    const count = (context: AppContext) =>
      [context.control.models, context.control.devices, context.control.deployments].map(
        (all) => all.list().length,
      );
    assert.deepEqual(
      [count(one.context), count(two.context)],
      [
        [1, 2, 1],
        [0, 0, 0],
      ],
    );
    const accepted = async (context: AppContext) =>
      /^cutpoint_telemetry_frames_total\{outcome="accepted"\} (\d+)$/m.exec(
        await context.metrics.render(),
      )?.[1];
    assert.deepEqual([await accepted(one.context), await accepted(two.context)], ['1', '0']);
    contexts.splice(contexts.indexOf(one.context), 1);
    assert.equal(await one.context.stop(), true);
    assert.equal((await fetch(`${two.origin}/readyz`)).status, 200, 'the other one goes on');
  });

  it('is not ready while its database fails, keeps cuts back, and recovers by itself', async () => {
    let broken = false;
    const wrapStore = (store: Store): Store => ({
      ...store,
      commit(decisions, deployments) {
        if (broken) throw new StoreError('full', 'The disk is full.');
        return store.commit(decisions, deployments);
      },
    });
    const { origin } = await started('failing', { wrapStore });
    const { end } = await busy(origin);
    const ready = async () => (await fetch(`${origin}/readyz`)).status;
    assert.equal(await ready(), 200);
    broken = true;
    end.send({ type: 'telemetry', sequence: 1, ...quickLink });
    await pollUntil(async () => (await ready()) === 503);
    assert.equal((await fetch(`${origin}/healthz`)).status, 200);
    assert.equal(end.of('cut').length, 1);
    broken = false;
    await end.next('cut', 2);
    assert.equal(await ready(), 200);
  });

  it('tells how many connections are not read while more comes than is decided, and that none is afterwards', async () => {
    const { context, origin } = await started(
      'overloaded',
      {},
      {
        'limits.framesPerSecond': 10_000,
        'limits.frameBurst': 10_000,
        // a row for each decision, and one decision for each commit
        'decisions.keptRowMs': 0,
        'decisions.queueRows': 1,
        'decisions.batchDeployments': 1,
        'decisions.flushMs': 20,
      },
    );
    const held = async () =>
      Number(/^cutpoint_held_connections (\d+)$/m.exec(await context.metrics.render())?.[1]);
    const modelId = await upload(origin);
    await deviceClient(origin, edgeHello);
    const cameras: Awaited<ReturnType<typeof deviceClient>>[] = [];
    for (let i = 0; i < 6; i++) {
      const deviceId = `camera-${i}`;
      await deploy(origin, modelId, deviceId);
      cameras.push(await deviceClient(origin, { ...endHello, deviceId }));
    }
    for (const camera of cameras) await camera.next('cut');
    assert.equal(await held(), 0);
    let sequence = 0;
    const flood = setInterval(() => {
      sequence++;
      for (const camera of cameras)
        camera.send({ type: 'telemetry', sequence, ...quickLink, cpuLoad: (sequence % 10) / 10 });
    }, 2);
    try {
      await pollUntil(async () => (await held()) > 0);
    } finally {
      clearInterval(flood);
    }
    await pollUntil(async () => (await held()) === 0);
    await pollUntil(() => Promise.resolve(context.control.devices.get('camera-5').lastSequence === sequence));
    assert.equal(await held(), 0);
  });
});

async function pollUntil(condition: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 30_000;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error('the condition did not come true within 30 s');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
