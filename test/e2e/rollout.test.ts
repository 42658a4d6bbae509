/* eslint-disable @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-assignment -- answers are held against the OpenAPI document as they come, not against types */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { tinyModel } from '../fuzz/models/tinyModel.js';
import { until } from '../support/controlRig.js';
import { restClient } from '../support/restClient.js';
import { mustServe } from '../support/serveProcess.js';
import { deviceClient } from '../support/serviceRig.js';

const quick = { uplinkBitsPerSecond: 1e12, downlinkBitsPerSecond: 1e12, rttSeconds: 0 };
const hello = { bootEpoch: 1, capabilities: ['prepare'] };
const endHello = { ...hello, deviceId: 'camera', role: 'end', computeRatio: 1e6 };
const edgeHello = { ...hello, deviceId: 'edge-1', role: 'edge', computeRatio: 0.001 };

describe('cutpoint serve, killed in the middle of a rollout', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cutpoint-rollout-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it('knows the last good cut and the version, and goes on with that version alone', async () => {
    const args = ['--data', join(folder, 'data')];
    const env = { CUTPOINT_IMPORT__RUNS: '2', CUTPOINT_IMPORT__WARMUP_RUNS: '1' };
    let serve = await mustServe(args, env);
    try {
      let rest = await restClient(serve.origin);
      const model = await rest.upload('name=tiny&waitSeconds=60', Buffer.from(tinyModel()));
      assert.equal(model.status, 201, JSON.stringify(model.body));
      const tiers = { end: { deviceId: 'camera' }, edge: { deviceId: 'edge-1' } };
      const { body: created } = await rest.post('/v1/deployments', { modelId: model.body.id, ...tiers });
      const deploymentId = created.id as string;
      const address = `/v1/deployments/${deploymentId}`;

      let end = await deviceClient(serve.origin, endHello);
      let edge = await deviceClient(serve.origin, edgeHello);
      const first = await end.next('cut');
      assert.deepEqual([first['version'], first['phase']], [1, 'active']);
      end.send({ type: 'ack', deploymentId, version: 1 });
      await edge.next('cut'); // it need not answer: nothing runs there
      end.send({ type: 'telemetry', sequence: 1, ...quick });
      await until(() => end.of('cut').at(-1)?.['phase'] === 'prepare' && edge.of('cut').length === 2);
      end.send({ type: 'prepared', deploymentId, version: 2 });
      let rollout = (await rest.get(address)).body.rollout;
      for (let n = 0; n < 500 && rollout.tiers.end.prepared !== 2; n++)
        rollout = (await rest.get(address)).body.rollout;
      assert.deepEqual([rollout.phase, rollout.desired, rollout.lastGood], ['preparing', 2, 1]);
      await new Promise((resolve) => setTimeout(resolve, 800)); // what devices report is committed unhurriedly
      await serve.end('SIGKILL');

      serve = await mustServe(args, env);
      rest = await restClient(serve.origin);
      rollout = (await rest.get(address)).body.rollout;
      assert.deepEqual([rollout.phase, rollout.desired, rollout.lastGood], ['preparing', 2, 1]);
      const running = [{ deploymentId, version: 1 }];
      end = await deviceClient(serve.origin, { ...endHello, running });
      edge = await deviceClient(serve.origin, edgeHello);
      for (const device of [end, edge]) {
        const cut = await device.next('cut');
        assert.deepEqual(
          [cut['version'], cut['phase']],
          [2, 'prepare'],
          'the latest alone, and not active yet',
        );
        device.send({ type: 'prepared', deploymentId, version: 2 });
      }
      for (const device of [end, edge]) {
        const cut = await device.next('cut', 2);
        assert.deepEqual([cut['version'], cut['phase']], [2, 'active']);
        device.send({ type: 'ack', deploymentId, version: 2 });
      }
      for (let n = 0; n < 500 && rollout.phase !== 'active'; n++)
        rollout = (await rest.get(address)).body.rollout;
      assert.deepEqual([rollout.phase, rollout.lastGood], ['active', 2]);
      for (const device of [end, edge]) device.socket.terminate();
    } finally {
      await serve.end('SIGTERM');
    }
  });
});
