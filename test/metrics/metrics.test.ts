import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { StoreError } from '../../src/control/ports.js';
import { createMetrics, type EventLog, type Metrics } from '../../src/metrics/metrics.js';
import { packageRoot } from '../../src/packageRoot.js';
import { parseExposition } from './exposition.js';

interface Line {
  readonly level: string;
  readonly fields: Record<string, unknown>;
  readonly message: string;
}

function setup({ maxModels = 10 } = {}) {
  const lines: Line[] = [];
  const clock = { ms: 0 };
  const write = (level: string) => (fields: object, message: string) =>
    void lines.push({ level, fields: { ...fields }, message });
  const log: EventLog = {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
  };
  const metrics = createMetrics({
    log,
    version: '1.2.3',
    maxModels,
    eventLoopResolutionMs: 10,
    nowMs: () => clock.ms,
  });
  return { metrics, lines, clock };
}

const families = async (metrics: Metrics) => parseExposition(await metrics.render());

/** A sample by its whole name; undefined where it is absent. */
async function sample(metrics: Metrics, name: string): Promise<number | undefined> {
  for (const family of (await families(metrics)).values()) {
    const value = family.samples.get(name);
    if (value !== undefined) return value;
  }
  return undefined;
}

const cut = { deploymentId: 'p1', deviceId: 'd1', version: 4 };

/** Each event once. */
function tellAll(metrics: Metrics): void {
  metrics.searchDone({ algorithm: 'gads', reason: 'telemetry', nanoseconds: 1_500 });
  metrics.decision({
    deploymentId: 'p1',
    reason: 'telemetry',
    changed: true,
    version: 4,
    latencySeconds: 0.1,
    optimality: 'exact',
    violations: 0,
    kept: 'not-worth-the-switch',
    isRow: true,
  });
  metrics.telemetryFrame('invalid');
  metrics.telemetryToPush(0.004);
  metrics.deviceConnected({ deviceId: 'd1', role: 'end' });
  metrics.deviceConnected({ deviceId: 'd2', role: 'end' });
  metrics.deviceDisconnected({ deviceId: 'd1', role: 'end', code: 4_321, reason: 'gone' });
  metrics.cutPushed({ ...cut, phase: 'prepare' });
  metrics.stageMeasured({ ...cut, stage: 'edge', ratio: 3 });
  metrics.cutSentAgain({ ...cut, role: 'edge' });
  metrics.cutActivated({ ...cut, seconds: 0.2 });
  metrics.cutSetAside({ ...cut, role: 'edge', cause: 'nack', code: 'no-memory', count: 1, waitMs: 1_000 });
  metrics.cutAnswered({ kind: 'ack', ...cut });
  metrics.cutAnswered({ kind: 'nack', code: 'no-memory', ...cut });
  metrics.importDone({ modelId: 'm1', name: 'net', outcome: 'ready', seconds: 2 });
  metrics.states({ modelId: 'm1', name: 'a "quoted" \\ name', states: 85 });
  metrics.inventory({ models: 1, devices: 2 });
  metrics.inventory({ deployments: 3 });
  metrics.watchDeployments(() => ({
    byStatus: { active: 2, waiting: 1, building: 0, failed: 0, holding: 0 },
    byPhase: { preparing: 1, activating: 0, active: 3, rejected: 2 },
    violating: 1,
    heldBack: 4,
    inFallback: 5,
  }));
  metrics.watchHeldConnections(() => 6);
  metrics.decisionQueue(7);
  metrics.storeCommitted({ rows: 5, seconds: 0.0001 });
  metrics.storeFailed({ operation: 'commit', error: new StoreError('full', 'The disk is full') });
  metrics.decisionsPruned(9);
  metrics.dropped('superseded-telemetry', 3);
  metrics.refused('frame', 'too-large', { deviceId: 'd1' });
  metrics.capHit('models', { cap: 1 });
}

test('every figure has help and a type, and its name ends as Prometheus asks', async () => {
  const { metrics } = setup();
  tellAll(metrics);
  const all = await families(metrics);
  assert.ok(all.size > 30);
  for (const { name, help, type } of all.values()) {
    assert.ok(help.length > 5, name);
    assert.match(type, /^(counter|gauge|histogram)$/, name);
    if (!name.startsWith('cutpoint_')) continue;
    assert.equal(type === 'counter', name.endsWith('_total'), name);
    if (type === 'histogram') assert.match(name, /_(seconds|ratio)$/);
    assert.doesNotMatch(name, /_(ms|milliseconds|microseconds|us|ns|nanoseconds|kb|mb)(_|$)/);
  }
  for (const name of [
    'process_cpu_seconds_total',
    'process_resident_memory_bytes',
    'nodejs_heap_size_used_bytes',
  ]) {
    assert.ok(all.has(name), name);
  }
  metrics.close();
});

test('docs/operations.md lists every figure with its labels', async () => {
  const { metrics } = setup();
  tellAll(metrics);
  const text = readFileSync(join(packageRoot(), 'docs', 'operations.md'), 'utf8');
  const listed = [...text.matchAll(/^\| `(cutpoint_\w+)` +\| ([\w, ]*)\|/gm)].map(
    ([, name, labels]) => `${name}: ${labels!.trim()}`,
  );
  const given = [...(await families(metrics)).values()]
    .filter(({ name }) => name.startsWith('cutpoint_'))
    .map(({ name, samples }) => {
      const labels = [...[...samples.keys()][0]!.matchAll(/(\w+)="/g)].map((match) => match[1]!);
      return `${name}: ${labels.filter((label) => label !== 'le').join(', ')}`;
    });
  assert.deepEqual(listed.sort(), given.sort());
  metrics.close();
});

test('each event moves its figure', async () => {
  const { metrics } = setup();
  tellAll(metrics);
  const expected: Record<string, number> = {
    'cutpoint_search_duration_seconds_bucket{le="0.000001",algorithm="gads",reason="telemetry"}': 0,
    'cutpoint_search_duration_seconds_bucket{le="0.000002",algorithm="gads",reason="telemetry"}': 1,
    'cutpoint_search_duration_seconds_sum{algorithm="gads",reason="telemetry"}': 1.5e-6,
    'cutpoint_decisions_total{reason="telemetry",changed="true"}': 1,
    'cutpoint_telemetry_frames_total{outcome="invalid"}': 1,
    'cutpoint_telemetry_frames_total{outcome="accepted"}': 0,
    cutpoint_telemetry_to_push_seconds_count: 1,
    'cutpoint_connected_devices{role="end"}': 1,
    'cutpoint_connected_devices{role="edge"}': 0,
    'cutpoint_device_connections_total{role="end"}': 2,
    'cutpoint_device_disconnections_total{role="end",reason="other"}': 1,
    'cutpoint_cuts_pushed_total{phase="prepare"}': 1,
    'cutpoint_measured_ratio_count{stage="edge"}': 1,
    cutpoint_cuts_sent_again_total: 1,
    cutpoint_rollout_duration_seconds_count: 1,
    'cutpoint_cuts_set_aside_total{cause="nack"}': 1,
    'cutpoint_cuts_set_aside_total{cause="prepare-timeout"}': 0,
    'cutpoint_cut_answers_total{kind="nack"}': 1,
    'cutpoint_imports_total{outcome="ready"}': 1,
    cutpoint_import_duration_seconds_count: 1,
    'cutpoint_model_states{model_id="m1",model="a \\"quoted\\" \\\\ name"}': 85,
    cutpoint_models: 1,
    cutpoint_devices: 2,
    cutpoint_deployments: 3,
    'cutpoint_deployment_status{status="active"}': 2,
    cutpoint_deployments_violating: 1,
    cutpoint_held_connections: 6,
    cutpoint_decision_queue_rows: 7,
    cutpoint_store_committed_rows_total: 5,
    cutpoint_store_commit_duration_seconds_count: 1,
    'cutpoint_store_failures_total{code="full"}': 1,
    cutpoint_store_pruned_rows_total: 9,
    'cutpoint_dropped_total{what="superseded-telemetry"}': 3,
    'cutpoint_refused_total{what="frame",code="too-large"}': 1,
    'cutpoint_cap_hits_total{cap="models"}': 1,
    'cutpoint_cap_hits_total{cap="outboxBytes"}': 0,
    [`cutpoint_build_info{version="1.2.3",node_version="${process.version}"}`]: 1,
  };
  for (const [name, value] of Object.entries(expected)) {
    assert.equal(await sample(metrics, name), value, name);
  }
  metrics.close();
});

test('no label holds what a device or an operator can choose without bound', async () => {
  const { metrics } = setup();
  for (let index = 0; index < 50; index++) {
    const deviceId = `device-${index}`;
    const deploymentId = `deployment-${index}`;
    metrics.deviceConnected({ deviceId, role: 'end' });
    metrics.deviceDisconnected({ deviceId, role: 'end', code: 3_000 + index, reason: deviceId });
    metrics.cutPushed({ deploymentId, deviceId, version: index, phase: 'active' });
    metrics.cutAnswered({ kind: 'nack', deploymentId, deviceId, version: index, code: `code-${index}` });
    metrics.refused('frame', 'too-large', { deviceId });
  }
  const text = await metrics.render();
  assert.doesNotMatch(text, /device-\d|deployment-\d|code-\d/);
  metrics.close();
});

test('states have a series per model up to the cap, and none for a model that is gone', async () => {
  const { metrics, lines } = setup({ maxModels: 2 });
  for (const modelId of ['a', 'b', 'c']) metrics.states({ modelId, name: 'net', states: 5 });
  const series = async () => [...(await families(metrics)).get('cutpoint_model_states')!.samples.keys()];
  const named = (modelId: string, name = 'net') =>
    `cutpoint_model_states{model_id="${modelId}",model="${name}"}`;
  assert.deepEqual(await series(), [named('a'), named('b')]);
  assert.equal(await sample(metrics, 'cutpoint_cap_hits_total{cap="stateSeries"}'), 1);
  assert.deepEqual(lines, [
    { level: 'warn', fields: { modelId: 'c', cap: 'stateSeries' }, message: 'limit hit' },
  ]);
  metrics.modelRemoved('a');
  metrics.modelRemoved('never seen');
  metrics.states({ modelId: 'c', name: 'net', states: 5 });
  metrics.states({ modelId: 'b', name: 'renamed', states: 6 });
  assert.deepEqual((await series()).sort(), [named('b', 'renamed'), named('c')]);
  metrics.close();
});

test('what happens often has one line a second, which says how many had none', () => {
  const { metrics, lines, clock } = setup();
  for (let index = 0; index < 100; index++) metrics.capHit('devices');
  metrics.capHit('models');
  assert.deepEqual(
    lines.map((line) => line.fields),
    [{ cap: 'devices' }, { cap: 'models' }],
  );
  clock.ms = 1_000;
  metrics.capHit('devices');
  assert.deepEqual(lines.at(-1), {
    level: 'warn',
    fields: { cap: 'devices', unsaid: 99 },
    message: 'limit hit',
  });
  metrics.close();
});

test('a request that fails by our fault has its stack in the log, once a second for each operation', () => {
  const { metrics, lines } = setup();
  const error = new Error('the disk is gone');
  for (let index = 0; index < 100; index++) {
    metrics.requestFailed({ operation: 'listModels', code: 'internal-error', error });
  }
  metrics.requestFailed({ operation: 'getModel', code: 'internal-error', error });
  const fields = (operation: string) => ({ err: error, operation, code: 'internal-error' });
  assert.deepEqual(lines, [
    { level: 'error', fields: fields('listModels'), message: 'request failed' },
    { level: 'error', fields: fields('getModel'), message: 'request failed' },
  ]);
  metrics.close();
});

test('two contexts in one process count apart', async () => {
  const [one, other] = [setup().metrics, setup().metrics];
  one.telemetryFrame('accepted');
  const name = 'cutpoint_telemetry_frames_total{outcome="accepted"}';
  assert.equal(await sample(one, name), 1);
  assert.equal(await sample(other, name), 0);
  one.close();
  other.close();
});

test('a loop that was held up shows in the delay', async () => {
  const { metrics } = setup();
  const worst = 'cutpoint_event_loop_delay_seconds{percentile="100"}';
  const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  await pause(50);
  const until = performance.now() + 300;
  while (performance.now() < until); // hold the loop up
  await pause(50);
  const delaySeconds = (await sample(metrics, worst))!;
  assert.ok(delaySeconds > 0.2, String(delaySeconds));
  const { metrics: idle } = setup();
  assert.equal(await sample(idle, worst), 0); // nothing sampled yet is no delay
  metrics.close();
  idle.close();
});

test('failed attempts beyond the limit of their address are counted and not logged', async () => {
  const { metrics, lines } = setup();
  const failure = { face: 'operator', reason: 'wrong', address: '10.0.0.1' } as const;
  metrics.authenticationFailed({ ...failure, limited: false });
  const logged = lines.length;
  for (let i = 0; i < 5; i++) metrics.authenticationFailed({ ...failure, limited: true });
  assert.equal(lines.length, logged);
  const name = 'cutpoint_authentication_failures_total{face="operator",reason="wrong",limited="true"}';
  assert.equal(await sample(metrics, name), 5);
  metrics.close();
});
