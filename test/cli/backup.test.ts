/* eslint-disable @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-assignment -- answers are read as they come */
import assert from 'node:assert/strict';
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { openStore } from '../../src/store/store.js';
import { writeZooModel } from '../../src/zoo/zoo.js';
import { restClient } from '../support/restClient.js';
import { runCutpoint } from '../support/runCutpoint.js';
import { mustServe } from '../support/serveProcess.js';
import { deviceClient } from '../support/serviceRig.js';

const folder = mkdtempSync(join(tmpdir(), 'cutpoint-backup-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const data = join(folder, 'data');
const backup = join(folder, 'backup');
const env = {
  CUTPOINT_IMPORT__RUNS: '1',
  CUTPOINT_IMPORT__WARMUP_RUNS: '0',
  CUTPOINT_AUTH__ANONYMOUS_DEVICES: 'true',
};
const links = [
  { uplinkBitsPerSecond: 5e7, downlinkBitsPerSecond: 1e8, rttSeconds: 0.005 },
  { uplinkBitsPerSecond: 1e4, downlinkBitsPerSecond: 1e4, rttSeconds: 0.5 },
];
const endHello = { deviceId: 'camera', role: 'end', computeRatio: 20, bootEpoch: 1 };
const edgeHello = { deviceId: 'edge-1', role: 'edge', computeRatio: 0.5 };

let deploymentId = '';
/** Of the cut that the camera saw last, when the controller was stopped. */
let lastSeen = 0;
let seenAtBackup = 0;

function answerCuts(client: Awaited<ReturnType<typeof deviceClient>>): void {
  client.socket.on('message', (frame: Buffer) => {
    const { type, version, phase } = JSON.parse(frame.toString());
    if (type === 'cut')
      client.send({ type: phase === 'prepare' ? 'prepared' : 'ack', deploymentId, version });
  });
}

/** A backup beside a running controller that writes all the time. */
before(async () => {
  const model = join(folder, 'model.onnx');
  await writeZooModel('squeezenet-1.1', model, { weights: 'constant' });
  const serve = await mustServe(['--data', data], env);
  const rest = await restClient(serve.origin);
  const uploaded = await rest.upload('name=backup&waitSeconds=60', readFileSync(model));
  const created = await rest.post('/v1/deployments', {
    modelId: uploaded.body.id,
    end: { deviceId: 'camera' },
    edge: { deviceId: 'edge-1' },
  });
  deploymentId = created.body.id;
  const edge = await deviceClient(serve.origin, edgeHello, null);
  const end = await deviceClient(serve.origin, endHello, null);
  for (const client of [edge, end]) answerCuts(client);
  await end.next('welcome');
  let sequence = 0;
  const telemetry = setInterval(() => {
    sequence++;
    end.send({ type: 'telemetry', sequence, ...links[sequence % 2] });
  }, 25);
  await end.next('cut', 5);
  const taken = await runCutpoint(['backup', backup, '--data', data, '--json']);
  assert.equal(taken.code, 0, taken.stderr);
  seenAtBackup = end.of('cut').at(-1)!['version'] as number;
  await end.next('cut', end.of('cut').length + 5);
  clearInterval(telemetry);
  assert.equal(await serve.end('SIGTERM'), 0);
  lastSeen = end.of('cut').at(-1)!['version'] as number;
  const manifest = JSON.parse(taken.stdout);
  assert.deepEqual([manifest.deployments, manifest.models.length, manifest.missing], [1, 1, []]);
  assert.deepEqual(readdirSync(backup).sort(), ['backup.json', 'cutpoint.db', 'models']);
});

const contents = (name: string) => readFileSync(join(data, name));

test('a restored backup goes on beyond every version that a device saw after it', async () => {
  const other = join(folder, 'other');
  const restored = await runCutpoint(['restore', backup, '--data', other, '--json']);
  assert.equal(restored.code, 0, restored.stderr);
  const { versionsSkipped } = JSON.parse(restored.stdout);
  assert.deepEqual(readdirSync(other).sort(), ['cutpoint.db', 'cutpoint.db.lock', 'models']);
  const copy = join(folder, 'copy.db'); // to open a database may change it
  copyFileSync(join(backup, 'cutpoint.db'), copy);
  const before = openStore({ file: copy });
  const [stored] = before.deployments();
  before.close();
  assert.ok(stored!.version <= seenAtBackup && lastSeen > seenAtBackup);

  const serve = await mustServe(['--data', other], env);
  const running = [{ deploymentId, version: lastSeen }];
  // the backup may hold a cut that was on its way, and the end device hears of that when the edge has it
  answerCuts(await deviceClient(serve.origin, { ...edgeHello, bootEpoch: 2, running }, null));
  const end = await deviceClient(serve.origin, { ...endHello, bootEpoch: 2, running }, null);
  const cut = await end.next('cut');
  assert.equal(cut['version'], stored!.version + versionsSkipped + 1);
  assert.deepEqual(cut['endLayers'], stored!.cut!.endLayers);
  assert.equal(await serve.end('SIGTERM'), 0);
});

test('a restore does not overwrite without --force, and does with it', async () => {
  const target = join(folder, 'there');
  const first = await runCutpoint(['restore', backup, '--data', target]);
  assert.equal(first.code, 0, first.stderr);
  const file = join(target, 'cutpoint.db');
  appendFileSync(file, 'rubbish');
  const before = readFileSync(file);
  const refused = await runCutpoint(['restore', backup, '--data', target]);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /^cutpoint: .*cutpoint\.db is there already.*--force\.\n$/);
  assert.ok(readFileSync(file).equals(before));
  const forced = await runCutpoint(['restore', backup, '--data', target, '--force']);
  assert.equal(forced.code, 0, forced.stderr);
  assert.deepEqual(readdirSync(target).sort(), ['cutpoint.db', 'cutpoint.db.lock', 'models']);
  openStore({ file }).close();
});

test('a data folder in use is not restored into', async () => {
  const store = openStore({ file: join(data, 'cutpoint.db') });
  const refused = await runCutpoint(['restore', backup, '--data', data, '--force']);
  store.close();
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /Another Cutpoint controller is using the database/);
});

test('a backup with a damaged or missing file is refused and changes nothing', async () => {
  const [model] = readdirSync(join(backup, 'models'));
  for (const name of ['cutpoint.db', join('models', model!)]) {
    const file = join(backup, name);
    const whole = readFileSync(file);
    const damaged = Buffer.from(whole);
    damaged[damaged.length >> 1]! ^= 1;
    for (const damage of [() => writeFileSync(file, damaged), () => rmSync(file)]) {
      damage();
      const refused = await runCutpoint(['restore', backup, '--data', join(folder, 'never')]);
      writeFileSync(file, whole);
      assert.equal(refused.code, 1);
      assert.match(refused.stderr, /^cutpoint: The backup .* is damaged: .*Nothing was restored/);
    }
  }
  assert.ok(!existsSync(join(folder, 'never', 'cutpoint.db')));
  const none = await runCutpoint(['restore', folder, '--data', join(folder, 'never')]);
  assert.equal(none.code, 1);
  assert.match(none.stderr, /is no backup: .*backup\.json cannot be read \(ENOENT\)/);
});

test('a backup does not overwrite, says what is missing, and leaves the data as it was', async () => {
  const before = contents('cutpoint.db');
  const again = await runCutpoint(['backup', backup, '--data', data]);
  assert.equal(again.code, 1);
  assert.match(again.stderr, /is there already\. Give the name of a new folder/);
  const nowhere = await runCutpoint(['backup', join(folder, 'b2'), '--data', join(folder, 'nowhere')]);
  assert.equal(nowhere.code, 1);
  assert.match(nowhere.stderr, /There is no database .*nowhere/);
  assert.ok(!existsSync(join(folder, 'b2')) && !existsSync(join(folder, 'nowhere')));
  const [model] = readdirSync(join(data, 'models'));
  const bytes = contents(join('models', model!));
  rmSync(join(data, 'models', model!));
  const lacking = await runCutpoint(['backup', join(folder, 'b3'), '--data', data]);
  writeFileSync(join(data, 'models', model!), bytes);
  assert.equal(lacking.code, 1);
  assert.match(lacking.stderr, /the backup lacks 1 model files/);
  assert.equal((await runCutpoint(['restore', join(folder, 'b3'), '--data', join(folder, 'r3')])).code, 0);
  assert.ok(contents('cutpoint.db').equals(before));
});
