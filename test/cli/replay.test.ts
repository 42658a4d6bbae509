import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createModelLink } from '../../src/demo/bandwidthModel.js';
import type { GraphDocument } from '../../src/schema/graphDocument.js';
import type { ReplayDocument } from '../../src/schema/replayDocument.js';
import { runCutpoint } from '../support/runCutpoint.js';
import { assertWellFormed } from '../support/xml.js';

let folder: string;
let trace: string;
let cache: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cutpoint-replay-test-'));
  cache = join(folder, 'cache');
  trace = join(folder, 'drive.csv');
  const link = createModelLink('5g-drive', 3);
  const rows = Array.from({ length: 120 }, (_, t) => {
    const { uplinkBitsPerSecond, rttSeconds } = link.advance(1);
    const rate = t >= 60 && t < 70 ? 0 : uplinkBitsPerSecond;
    return `${t},${rate},,${t < 5 ? '' : rttSeconds! * 1000},`;
  });
  await writeFile(trace, ['t_s,uplink_bps,downlink_bps,rtt_ms,loss', ...rows, ''].join('\n'));
});
after(() => rm(folder, { recursive: true, force: true }));

const model = ['squeezenet-1.1', '--end-ratio', '20', '--runs', '2', '--warmup', '0'];

test('a network of the zoo is replayed; anyone can recompute the figures from the documents', async () => {
  const svg = join(folder, 'replay.svg');
  const args = ['replay', ...model, '--cache', cache, '--trace', trace, '--switch-cost', '50ms'];
  const ran = await runCutpoint([...args, '--json', '--steps', '--svg', svg]);
  assert.equal(ran.code, 0, ran.stderr);
  const document = JSON.parse(ran.stdout) as ReplayDocument;
  assert.equal(document.trace.seconds, 120);
  assert.match(document.trace.assumed.join('\n'), /no downlink was measured/);
  assert.match(document.trace.assumed.join('\n'), /no round trip was measured in 5 of 120 s: 50.0 ms/);
  const zoo = join(folder, 'squeezenet.onnx');
  await runCutpoint(['zoo', 'squeezenet-1.1', '--weights', 'constant', '--out', zoo]);
  const graphed = await runCutpoint(['graph', zoo, ...model.slice(1), '--cache', cache, '--json']);
  recompute(JSON.parse(graphed.stdout) as GraphDocument, document);
  assertWellFormed(await readFile(svg, 'utf8'));
  const readable = await runCutpoint(args);
  assert.match(readable.stdout, /Cutpoint .*\n.*follow unless nearly equal.*\n.*re-cut every second/);
  // the profile is measured: which of the two it is differs by machine
  const { kept } = document.promises!.deviceOnly!;
  assert.match(
    readable.stdout,
    kept ? /^kept: never above device-only/m : /^BROKEN: never above device-only/m,
  );
});

/** Latency of every second of every policy, from the graph document alone. */
function recompute(graph: GraphDocument, document: ReplayDocument): void {
  const { link, rules } = document;
  const [end, edge] = graph.tiers.map((tier) => tier.seconds);
  const deviceOnly = end!.reduce((sum, s) => sum + s, 0);
  const latency = (onEnd: ReadonlySet<number>, second: number): number => {
    if (onEnd.size === graph.layers.length) return deviceOnly;
    const up = link!.uplinkBitsPerSecond[second];
    const down = link!.downlinkBitsPerSecond[second];
    let seconds = link!.rttSeconds[second]!;
    graph.layers.forEach((_, v) => (seconds += onEnd.has(v) ? end![v]! : edge![v]!));
    for (const { producer, consumers, bytes, isOutput } of graph.tensors) {
      const isBelow = producer === null || onEnd.has(producer);
      if (isBelow && consumers.some((c) => !onEnd.has(c))) seconds += up ? (8 * bytes) / up : Infinity;
      if (isOutput && !isBelow) seconds += down ? (8 * bytes) / down : Infinity;
    }
    return Math.min(seconds, rules.unansweredSeconds + deviceOnly);
  };
  const clairvoyant = document.policies.find(({ name }) => name === 'clairvoyant')!;
  for (const policy of document.policies) {
    const { cut, latencySeconds, switched } = policy.steps!;
    const sum = latencySeconds.reduce((total, s) => total + s, 0);
    let switches = 0;
    latencySeconds.forEach((seconds, i) => {
      const isFree = i === 0 || (i === 1 && !policy.knowsTrace && !rules.chargeFirstCut);
      const isPaid = i > 0 && cut[i] !== cut[i - 1] && !(isFree && policy.name !== 'edge-only');
      if (isPaid) switches += 1;
      assert.equal(switched[i] !== null, i > 0 && cut[i] !== cut[i - 1]);
      const expected = latency(new Set(document.cuts![cut[i]!]), i) + (isPaid ? rules.switchSeconds : 0);
      assert.ok(Math.abs(expected - seconds) <= 1e-9 * expected, `${policy.name} second ${i}`);
    });
    assert.equal(policy.switches, switches, policy.name);
    assert.ok(Math.abs(policy.meanSeconds - sum / 120) < 1e-9);
    assert.ok(policy.totalSeconds >= clairvoyant.totalSeconds * (1 - 1e-9), policy.name);
  }
}

test('requirements are kept to and their breach is counted', async () => {
  const args = ['replay', ...model, '--cache', cache, '--trace', trace, '--json', '--steps'];
  const ran = await runCutpoint([
    ...args,
    '--requirements',
    '{"privacyDepth":3}',
    '--policy',
    'default,edge-only',
  ]);
  assert.equal(ran.code, 0, ran.stderr);
  const { policies, cuts, promises } = JSON.parse(ran.stdout) as ReplayDocument;
  assert.deepEqual(
    policies.map(({ name, violatingShare }) => [name, violatingShare]),
    [
      ['default', 0],
      ['edge-only', 1],
    ],
  );
  assert.ok(cuts!.some((endLayers) => endLayers.length === 0));
  assert.ok(promises !== null);
});

test('what device-only breaks is said, and its figures are held against nobody', async () => {
  const args = [
    'replay',
    ...model,
    '--cache',
    cache,
    '--trace',
    trace,
    '--requirements',
    '{"weightBytes":[1e5,1e9]}',
  ];
  const ran = await runCutpoint([...args, '--json']);
  assert.equal(ran.code, 0, ran.stderr);
  const { policies, promises, clairvoyantSeconds } = JSON.parse(ran.stdout) as ReplayDocument;
  const regrets = new Map(policies.map(({ name, regret }) => [name, regret]));
  assert.equal(regrets.get('device-only'), null);
  assert.equal(promises!.deviceOnly, null);
  assert.ok(Math.abs(regrets.get('clairvoyant')!) < 1e-9);
  for (const { regret, totalSeconds } of policies) {
    if (regret !== null) assert.ok(totalSeconds >= clairvoyantSeconds * (1 - 1e-9));
  }
  const readable = await runCutpoint(args);
  assert.match(readable.stdout, /device-only .*not comparable/);
  assert.match(readable.stdout, /not judged: never above device-only/);
});

test('wrong use is told by option and field', async () => {
  const refusal = async (...args: string[]): Promise<readonly [number | null, string]> => {
    const { code, stderr } = await runCutpoint(['replay', 'googlenet', '--trace', trace, ...args]);
    return [code, stderr.trim()];
  };
  assert.match((await refusal('--switch-cost', 'soon'))[1], /--switch-cost.*such as 600ms/s);
  assert.match((await refusal('--policy', 'best'))[1], /"best" is none of default, follow, recut/);
  assert.deepEqual(await refusal('--steps'), [2, 'cutpoint: replay: --steps needs --json']);
  const wrong = await refusal('--requirements', '{"latencySeconds":-1}');
  assert.equal(wrong[0], 1);
  assert.match(wrong[1], /requirements\.latencySeconds/);
  assert.match((await refusal('--requirements', '{"objective":"energy"}'))[1], /requirements\.objective/);
  const notJudged = await refusal('--requirements', '{"energyJoulesPerInference":0.0001}');
  assert.equal(notJudged[0], 1);
  assert.match(notJudged[1], /--requirements: requirements\.energyJoulesPerInference: .*no power figures/);
  for (const [key, why] of [
    ['batteryLifetimeSeconds', /neither battery nor power/],
    ['inferencesPerSecond', /one request a second/],
    ['switchSeconds', /--switch-cost/],
  ] as const) {
    assert.match((await refusal('--requirements', `{"${key}":5}`))[1], why);
  }
  const broken = join(folder, 'broken.csv');
  await writeFile(broken, 't_s,uplink_bps,downlink_bps,rtt_ms,loss\n0,1,,,\n1,x,,,\n');
  assert.match((await refusal('--trace', broken))[1], /broken\.csv: line 3: uplink_bps/);
  assert.match((await refusal('--trace', join(folder, 'none.csv')))[1], /none\.csv: no such file/);
});
