/* eslint-disable @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-assignment -- answers are read as they come */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { writeZooModel } from '../../src/zoo/zoo.js';
import { restClient, type RestClient } from '../support/restClient.js';
import { mustServe, startServe, type ServeProcess } from '../support/serveProcess.js';
import { deviceClient } from '../support/serviceRig.js';

const folder = mkdtempSync(join(tmpdir(), 'cutpoint-full-'));
const disk = join(folder, 'disk');
const filler = join(disk, 'filler');
const mounted =
  spawnSync('mkdir', [disk]).status === 0 &&
  spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'cutpoint-test', disk]).status === 0;
after(() => {
  if (mounted) spawnSync('umount', ['--lazy', disk]);
  rmSync(folder, { recursive: true, force: true });
});
const skip = mounted
  ? false
  : 'no small disk can be mounted here: a full disk under a real controller is not tested';

const env = (whenStoreFails: string) => ({
  CUTPOINT_IMPORT__RUNS: '1',
  CUTPOINT_IMPORT__WARMUP_RUNS: '0',
  CUTPOINT_AUTH__ANONYMOUS_DEVICES: 'true',
  CUTPOINT_DECISIONS__RESTART_GRACE_MS: '0',
  CUTPOINT_DECISIONS__WHEN_STORE_FAILS: whenStoreFails,
});
const links = [
  { uplinkBitsPerSecond: 5e7, downlinkBitsPerSecond: 1e8, rttSeconds: 0.005 },
  { uplinkBitsPerSecond: 1e4, downlinkBitsPerSecond: 1e4, rttSeconds: 0.5 },
];
const edgeHello = { deviceId: 'edge-1', role: 'edge', computeRatio: 0.5 };

function fillDisk(): void {
  const file = openSync(filler, 'w');
  const block = Buffer.alloc(4096, 1);
  try {
    for (;;) writeSync(file, block);
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC');
  } finally {
    closeSync(file);
  }
}

describe('a disk that is full', { skip }, () => {
  let serve: ServeProcess | null = null;
  let telemetry: NodeJS.Timeout | undefined;
  afterEach(async () => {
    clearInterval(telemetry);
    await serve?.end('SIGKILL');
    rmSync(filler, { force: true });
  });

  /** A deployment whose cut changes all the time, and its devices, which do as they are told. */
  async function busy(data: string, whenStoreFails: string) {
    const model = join(folder, 'model.onnx');
    await writeZooModel('squeezenet-1.1', model, { weights: 'constant' });
    serve = await mustServe(['--data', data], env(whenStoreFails));
    const rest = await restClient(serve.origin);
    const uploaded = await rest.upload('name=full&waitSeconds=60', await readFile(model));
    assert.equal(uploaded.status, 201, JSON.stringify(uploaded.body));
    const created = await rest.post('/v1/deployments', {
      modelId: uploaded.body.id,
      end: { deviceId: 'camera' },
      edge: { deviceId: 'edge-1' },
    });
    const deploymentId: string = created.body.id;
    const edge = await deviceClient(serve.origin, edgeHello, null);
    const hello = { deviceId: 'camera', role: 'end', computeRatio: 20, bootEpoch: 1 };
    const end = await deviceClient(serve.origin, hello, null);
    for (const device of [end, edge]) {
      device.socket.on('message', (frame: Buffer) => {
        const { type, version } = JSON.parse(frame.toString()) as { type: string; version: number };
        if (type === 'cut') device.send({ type: 'ack', deploymentId, version });
      });
    }
    await end.next('welcome');
    let sequence = 0;
    telemetry = setInterval(() => {
      sequence++;
      end.send({ type: 'telemetry', sequence, ...links[sequence % 2] });
    }, 25);
    await end.next('cut', 5);
    const versions = () => end.of('cut').map((cut) => cut['version'] as number);
    return { deploymentId, rest, end, versions };
  }

  const metric = async (rest: RestClient, name: string) => {
    const { body } = await rest.get('/metrics');
    return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(String(body))?.[1] ?? 0);
  };

  it('holds the cuts, says so, refuses changes, and goes on by itself when there is room', async () => {
    const { deploymentId, rest, end, versions } = await busy(join(disk, 'hold'), 'hold');
    fillDisk();
    await until(async () => (await rest.get('/readyz')).status === 503);
    assert.match(JSON.stringify((await rest.get('/readyz')).body), /disk is full|commit failed/);
    assert.equal(await metric(rest, 'cutpoint_store_failing'), 1);
    assert.ok((await metric(rest, 'cutpoint_store_failures_total{code="full"}')) > 0);
    assert.equal((await rest.get('/healthz')).status, 200);
    const held = versions().at(-1)!;
    const change = await rest.patch(`/v1/deployments/${deploymentId}`, {
      requirements: { latencySeconds: 9 },
    });
    assert.equal(change.status, 503);
    const upload = await rest.upload('name=more', Buffer.alloc(1_000_000));
    assert.ok(upload.status >= 500 && upload.status !== 500, `an upload is answered with ${upload.status}`);
    await sleep(300);
    assert.equal((await rest.get('/readyz')).status, 503);
    assert.ok(versions().at(-1)! <= held + 1, 'cuts stay as they are');
    assert.equal((await rest.get(`/v1/deployments/${deploymentId}`)).status, 200);

    rmSync(filler);
    await until(async () => (await rest.get('/readyz')).status === 200);
    const { length } = versions();
    await end.next('cut', length + 3);
    assert.equal(await metric(rest, 'cutpoint_store_failing'), 0);
    clearInterval(telemetry);
    assert.equal(await serve!.end('SIGTERM'), 0);
    assert.deepEqual(
      versions(),
      [...new Set(versions())].sort((a, b) => a - b),
      'none twice, none back',
    );
  });

  it('goes on with the cuts where it is to, and beyond all of them after a crash', async () => {
    const data = join(disk, 'continue');
    const { deploymentId, rest, end, versions } = await busy(data, 'continue');
    fillDisk();
    await until(async () => (await rest.get('/readyz')).body.status === 'degraded');
    assert.equal((await rest.get('/readyz')).status, 200);
    const { length } = versions();
    await end.next('cut', length + 5);
    // a commit that is small enough may still find room; what is left of it is used up soon
    await until(async () => (await metric(rest, 'cutpoint_cuts_given_out_unstored_total')) >= 4);
    clearInterval(telemetry);
    await serve!.end('SIGKILL');
    const last = versions().at(-1)!;

    const refused = await startServe(['--data', data], env('continue'));
    if ('origin' in refused)
      await refused.end('SIGKILL'); // a little room was left in the files
    else assert.match(refused.stderr, /^cutpoint: .*(disk is full|reading or writing failed).*\n$/);
    rmSync(filler);
    serve = await mustServe(['--data', data], env('continue'));
    const hello = { deviceId: 'camera', role: 'end', computeRatio: 20, bootEpoch: 2 };
    const running = [{ deploymentId, version: last }];
    await deviceClient(serve.origin, edgeHello, null);
    const back = await deviceClient(serve.origin, { ...hello, running }, null);
    const { version } = await back.next('cut');
    assert.ok((version as number) > last, `${String(version)} comes after ${last}`);
    assert.equal(await serve.end('SIGTERM'), 0);
  });
});

async function until(condition: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 30_000;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error('the condition did not come true within 30 s');
    await sleep(20);
  }
}
