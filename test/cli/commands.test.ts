import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { compileCheck } from '../../src/schema/problems.js';
import { DecisionDocumentSchema, type DecisionDocument } from '../../src/schema/decisionDocument.js';
import { checkGraphDocument, type GraphDocument } from '../../src/schema/graphDocument.js';
import { checkProfile } from '../../src/schema/profile.js';
import { runCutpoint } from '../support/runCutpoint.js';

const checkDecision = compileCheck(DecisionDocumentSchema);

// One network, built and measured once for all tests of this file.
let folder = '';
let model = '';
let graphFile = '';
let graph: GraphDocument;
const quick: string[] = ['--runs', '2', '--warmup', '0'];

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cutpoint-test-'));
  quick.push('--cache', join(folder, 'cache'));
  model = join(folder, 'net.onnx');
  graphFile = join(folder, 'graph.json');
  const zoo = await runCutpoint(['zoo', 'mobilenet-v2', '--weights', 'constant', '--out', model, '--json']);
  assert.equal(zoo.code, 0, zoo.stderr);
  assert.equal((JSON.parse(zoo.stdout) as { file: string }).file, model);
  const ratios = ['--end-ratio', '4', '--edge-ratio', '0.3'];
  const written = await runCutpoint(['graph', model, ...ratios, '--json', ...quick]);
  assert.equal(written.code, 0, written.stderr);
  writeFileSync(graphFile, written.stdout);
  const checked = checkGraphDocument(JSON.parse(written.stdout));
  assert.ok(checked.ok, checked.ok ? '' : checked.problems.join('\n'));
  graph = checked.value;
});
after(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Latency of the layers 0 … count - 1 on the end device, from the definitions in docs/decide.md alone. */
function latencyOfPrefix(count: number, uplink: number, downlink: number, rtt: number): number {
  const seconds = (tier: number, from: number, to: number): number =>
    graph.tiers[tier]!.seconds.slice(from, to).reduce((sum, value) => sum + value, 0);
  const compute = seconds(0, 0, count) + seconds(1, count, graph.layers.length);
  if (count === graph.layers.length) return compute;
  let up = 0;
  let down = 0;
  for (const { producer, consumers, bytes, isOutput } of graph.tensors) {
    if ((producer === null || producer < count) && consumers.some((layer) => layer >= count)) up += bytes;
    if (isOutput && producer !== null && producer >= count) down += bytes;
  }
  return compute + rtt + (8 * up) / uplink + (8 * down) / downlink;
}

test('model inspect, zoo --list and graph speak to people too', async () => {
  const inspect = await runCutpoint(['model', 'inspect', model]);
  assert.equal(inspect.code, 0, inspect.stderr);
  assert.match(inspect.stdout, /in {3}image: float32 \[1, 3, 224, 224\]/);
  const list = await runCutpoint(['zoo', '--list']);
  assert.match(list.stdout, /^resnet-50 .*25\.6 M.*4\.09 G/m);
  const table = await runCutpoint(['graph', model, '--end-ratio', '4', ...quick]);
  assert.match(table.stdout, /\d+ layers, \d+ tensors, .* of weights, 3\d\d M MACs/);
  assert.match(
    table.stdout,
    /end device: .* scaled by 4 from this machine\nedge: .* measured on this machine/,
  );
  assert.match(table.stdout, /cuts: \d+ valid, \d+ kept/);
});

test('a decision from the graph document equals the exhaustive one and no prefix of layers beats it', async () => {
  const rates = [3e5, 2e6, 8e6, 2e7, 6e7, 2e8, 1e9];
  const contexts = rates.map((rate) => ({
    tiers: [{}, {}],
    hops: [{ uplinkBitsPerSecond: rate, downlinkBitsPerSecond: 4 * rate, rttSeconds: 0.01 }],
    requirements: {},
  }));
  const decide = async (algorithm: string): Promise<DecisionDocument[]> => {
    const args = ['decide', graphFile, '--context', '-', '--algorithm', algorithm, '--json'];
    const ran = await runCutpoint(args, JSON.stringify(contexts));
    assert.equal(ran.code, 0, ran.stderr);
    return (JSON.parse(ran.stdout) as unknown[]).map((entry) => {
      const checked = checkDecision(entry);
      assert.ok(checked.ok, checked.ok ? '' : checked.problems.join('\n'));
      return checked.value;
    });
  };
  const found = await decide('gads');
  const oracle = await decide('exhaustive');
  assert.equal(found.length, rates.length);
  const relative = (a: number, b: number): number => Math.abs(a - b) / b;
  found.forEach((decision, index) => {
    const latency = decision.prediction.latencySeconds;
    assert.ok(relative(latency, oracle[index]!.prediction.latencySeconds) < 1e-12);
    assert.equal(decision.optimality.kind, 'exact');
    assert.deepEqual(
      decision.secondsSources.map(({ kind }) => kind),
      ['scaled', 'scaled'],
    );
    for (let count = 0; count <= graph.layers.length; count += 1) {
      const other = latencyOfPrefix(count, rates[index]!, 4 * rates[index]!, 0.01);
      assert.ok(latency <= other * (1 + 1e-12), `${count} layers on the end device would be better`);
    }
  });
  const sizes = new Set(found.map(({ endLayers }) => endLayers.length));
  assert.ok(sizes.size >= 3, `the cut moves with the link: ${[...sizes].join(', ')}`);
});

test('with a cloud there are three tiers, and a decision says what runs on each', async () => {
  const cloud = join(folder, 'cloud.json');
  const ratios = ['--end-ratio', '20', '--edge-ratio', '2', '--cloud-ratio', '0.1'];
  const written = await runCutpoint(['graph', model, ...ratios, '--json', ...quick]);
  assert.equal(written.code, 0, written.stderr);
  writeFileSync(cloud, written.stdout);
  const hop = (rate: number) => ({
    uplinkBitsPerSecond: rate,
    downlinkBitsPerSecond: rate,
    rttSeconds: 1e-3,
  });
  const context = (rates: readonly number[]) =>
    JSON.stringify({ tiers: [{}, {}, {}], hops: rates.map(hop), requirements: {} });
  const decide = async (rates: readonly number[]): Promise<DecisionDocument> => {
    const ran = await runCutpoint(['decide', cloud, '-c', '-', '--json'], context(rates));
    assert.equal(ran.code, 0, ran.stderr);
    const checked = checkDecision(JSON.parse(ran.stdout));
    assert.ok(checked.ok, checked.ok ? '' : checked.problems.join('\n'));
    return checked.value;
  };
  const counts = ({ endLayers, edgeLayers, layerCount }: DecisionDocument) => {
    assert.ok(edgeLayers !== undefined);
    return [endLayers.length, edgeLayers.length, layerCount - endLayers.length - edgeLayers.length];
  };
  const all = graph.layers.length;
  const inCloud = await decide([1e10, 1e10]);
  assert.deepEqual(counts(inCloud), [0, 0, all]);
  assert.deepEqual(inCloud.edgeTensors, inCloud.cutTensors, 'the edge passes on what it gets');
  const onEdge = await decide([1e10, 1e3]);
  assert.deepEqual([counts(onEdge), onEdge.edgeTensors], [[0, all, 0], []]);
  assert.deepEqual(counts(await decide([1e3, 1e10])), [all, 0, 0]);
  const told = await runCutpoint(['decide', cloud, '-c', '-'], context([1e10, 1e10]));
  assert.match(
    told.stdout,
    /0 layers on the end device, 0 on the edge, \d+ in the cloud\n.*\n.*the edge sends/,
  );
  const two = await runCutpoint(['decide', cloud, '-c', '-'], context([1e10]).replace(',{}', ''));
  assert.deepEqual([two.code, /tiers: 2 and hops: 1 given/.test(two.stderr)], [1, true], two.stderr);
  const oracle = await runCutpoint(
    ['decide', cloud, '-c', '-', '--algorithm', 'exhaustive', '--json'],
    context([3e7, 3e7]),
  );
  assert.equal(oracle.code, 0, oracle.stderr);
  const best = (JSON.parse(oracle.stdout) as DecisionDocument).prediction.latencySeconds;
  const found = (await decide([3e7, 3e7])).prediction.latencySeconds;
  assert.ok(Math.abs(found - best) <= 1e-9 * best);
});

test('--ranges ends where another cut takes over', async () => {
  const contextAt = (rate: number): string =>
    JSON.stringify({
      tiers: [{}, {}],
      hops: [{ uplinkBitsPerSecond: rate, downlinkBitsPerSecond: 1e8, rttSeconds: 0.01 }],
      requirements: {},
    });
  const decideAt = async (rate: number): Promise<DecisionDocument> => {
    const args = ['decide', graphFile, '--context', '-', '--ranges', '--json'];
    const ran = await runCutpoint(args, contextAt(rate));
    assert.equal(ran.code, 0, ran.stderr);
    return JSON.parse(ran.stdout) as DecisionDocument;
  };
  // So slow a link that something is left to take over, however busy the machine was when it took the profile.
  const slow = 1e5;
  const here = await decideAt(slow);
  const uplink = here.ranges!.find(({ value }) => value === 'hops[0].uplinkBitsPerSecond')!;
  assert.ok(uplink.to !== null && uplink.to > slow);
  assert.deepEqual((await decideAt(uplink.to / 1.01)).endLayers, here.endLayers);
  assert.notDeepEqual((await decideAt(uplink.to * 1.01)).endLayers, here.endLayers);
  const refused = await runCutpoint(
    ['decide', graphFile, '--context', '-', '--ranges', '--algorithm', 'exhaustive'],
    contextAt(slow),
  );
  assert.equal(refused.code, 2);
});

test('an ONNX model is decided with the same times as its graph, from the cache', async () => {
  const context = join(folder, 'context.json');
  const noLink = { tiers: [{}, {}], hops: [{}], requirements: { latencySeconds: 1e-9 } };
  writeFileSync(context, JSON.stringify(noLink));
  const ratios = ['--end-ratio', '4', '--edge-ratio', '0.3'];
  const ran = await runCutpoint(['decide', model, '--context', context, ...ratios, '--json', ...quick]);
  assert.equal(ran.code, 0, ran.stderr);
  const decision = JSON.parse(ran.stdout) as DecisionDocument;
  const all = graph.tiers[0]!.seconds.reduce((sum, value) => sum + value, 0);
  assert.ok(Math.abs(decision.prediction.latencySeconds / all - 1) < 1e-12, 'no link: all on the end device');
  assert.deepEqual(
    decision.violations.map(({ constraint }) => constraint),
    ['latencySeconds'],
  );
});

test('a profile written here is taken as the times of a tier, and refused for another model', async () => {
  const profile = join(folder, 'profile.json');
  const ran = await runCutpoint(['model', 'profile', model, '--out', profile, ...quick]);
  assert.equal(ran.code, 0, ran.stderr);
  assert.match(ran.stdout, /taken before/);
  const document: unknown = JSON.parse(readFileSync(profile, 'utf8'));
  assert.ok(checkProfile(document).ok);
  const withProfile = await runCutpoint(['graph', model, '--edge-profile', profile, '--json', ...quick]);
  assert.equal(withProfile.code, 0, withProfile.stderr);
  const { tiers } = JSON.parse(withProfile.stdout) as GraphDocument;
  assert.deepEqual(tiers[1], tiers[0]);
  writeFileSync(profile, JSON.stringify({ ...(document as object), modelSha256: 'a'.repeat(64) }));
  const refused = await runCutpoint(['graph', model, '--edge-profile', profile, ...quick]);
  assert.equal(refused.code, 1);
  assert.equal(refused.stderr, `cutpoint: ${profile}: modelSha256 is that of another model file\n`);
});

const good = {
  tiers: [{}, {}],
  hops: [{ uplinkBitsPerSecond: 1e6, downlinkBitsPerSecond: 1e6 }],
  requirements: {},
};

test('what is wrong with a context is listed with its fields', async () => {
  const wrong = {
    ...good,
    hops: [{ uplinkBitsPerSecond: -1, speed: 3 }],
    requirements: { latencySeconds: '1' },
  };
  const args = ['decide', graphFile, '--context', '-', '--json'];
  const ran = await runCutpoint(args, JSON.stringify([good, wrong]));
  assert.equal(ran.code, 1);
  assert.equal(ran.stdout, '');
  assert.deepEqual(ran.stderr.trimEnd().split('\n').sort(), [
    '  [1] hops[0].speed is not a known field',
    '  [1] hops[0].uplinkBitsPerSecond must be >= 0, not -1',
    '  [1] requirements.latencySeconds must be a number, not "1"',
    'cutpoint: stdin:',
  ]);
});

test('what the chosen cut breaks is told with its units, and what was minimised', async () => {
  const decideIn = async (requirements: object, ...more: string[]): Promise<string> => {
    const context = JSON.stringify({ ...good, requirements });
    const ran = await runCutpoint(['decide', graphFile, '--context', '-', ...more], context);
    assert.equal(ran.code, 0, ran.stderr);
    return ran.stdout;
  };
  // alone the bound on the latency can be met: by the cut that the one on the weights rules out
  const both = await decideIn({ weightBytes: [1e12, 0], latencySeconds: 1e-9 });
  assert.match(both, /^ {2}this cut breaks latencySeconds: .* m?s, asked for at most 1\.00 ns$/m);
  assert.match(both, /^ {2}no cut meets all bounds; earlier ones come first/m);
  assert.doesNotMatch(both, /exceeds|no cut meets (latency|tiers)/);
  const noWeights = await decideIn({ weightBytes: [0, 0] });
  assert.match(noWeights, /^ {2}this cut breaks tiers\[1\]\.weightBytes: .* MB, asked for at most 0 B$/m);
  // all weights above means sending the input itself
  const deep = await decideIn({ privacyDepth: 1, bytesSent: 0 });
  assert.doesNotMatch(deep, /breaks/);
  const unproven = await decideIn({ latencySeconds: 1e-9 }, '--max-states', '1');
  assert.match(unproven, /another cut may break less: not all could be tried/);
  assert.match(
    await decideIn({ objective: 'throughput' }),
    /^ {2}minimised: the slowest stage, a result every .*s$/m,
  );
  const mixed = await decideIn({ objective: { perLatencySecond: 1, perBottleneckSecond: 2 } });
  assert.match(mixed, /^ {2}minimised: the weighted sum that was asked for, [\d.]+$/m);
  assert.doesNotMatch(await decideIn({}), /minimised/);
});

test('files that say what cannot be are named, with the field', async () => {
  const write = (name: string, value: object): string => {
    const file = join(folder, name);
    writeFileSync(file, JSON.stringify(value));
    return file;
  };
  const slow = write('slow.json', {
    ...graph,
    tiers: graph.tiers.map((t) => ({ ...t, seconds: t.seconds.map(() => 1e300) })),
  });
  const twice = write('twice.json', {
    ...graph,
    tensors: graph.tensors.map((t) => ({ ...t, consumers: t.consumers.flatMap((c) => [c, c]) })),
  });
  const now = write('now.json', good);
  const three = write('three.json', { tiers: [{}, {}, {}], hops: [{}, {}], requirements: {} });
  const fast = join(folder, 'fast.csv');
  writeFileSync(fast, 't_s,uplink_bps,downlink_bps,rtt_ms,loss\n0,1e300,1e6,10,0\n1,1e6,1e6,10,0\n');
  const cases: [string[], RegExp][] = [
    [['decide', slow, '--context', now], /slow\.json:\s+tiers\[0\]\.seconds\[0\].*1000000000000000000/],
    [['replay', slow, '--trace', fast], /fast\.csv: line 2: uplink_bps must be a number from 0 to/],
    [
      ['decide', twice, '--context', now],
      /twice\.json: tensors\[0\]\.consumers: 0 stands after 0; each once/,
    ],
    [
      ['decide', graphFile, '--context', three],
      /three\.json: tiers: 3 and hops: 2 given, but the graph has 2 tiers/,
    ],
    [['decide', graphFile, '--context', folder], /: is a folder, not a file$/m],
    [['replay', graphFile, '--trace', folder], /: is a folder, not a file$/m],
    [
      ['graph', model, '--edge-ratio', '1e300', ...quick],
      /net\.onnx: tiers\[1\]\.seconds\[0\]: .* is not a number from 0/,
    ],
  ];
  for (const [args, message] of cases) {
    const ran = await runCutpoint(args);
    assert.equal(ran.code, 1, args.join(' '));
    assert.match(ran.stderr, message);
    assert.doesNotMatch(ran.stderr, /\n {4}at /);
  }
});

test('what the core refuses is told in one line', async () => {
  const cases: [object, string[], RegExp][] = [
    [
      { ...good, requirements: { objective: 'energy' } },
      [],
      /^cutpoint: power: not stated, but .* energy\n$/,
    ],
    [
      good,
      ['--algorithm', 'exhaustive', '--max-cuts', '10'],
      /^cutpoint: \S+ has more than 10 valid cuts.*\n$/,
    ],
  ];
  for (const [context, more, message] of cases) {
    const ran = await runCutpoint(['decide', graphFile, '--context', '-', ...more], JSON.stringify(context));
    assert.equal(ran.code, 1);
    assert.match(ran.stderr, message);
  }
});

test('a wrong command line ends with 2 and one line, a refusal with 1 and the reason', async () => {
  const broken = join(folder, 'broken.onnx');
  writeFileSync(broken, 'this is no model');
  const brokenGraph = join(folder, 'broken.json');
  const oneSecond = { ...graph.tiers[1], seconds: [1] };
  writeFileSync(brokenGraph, JSON.stringify({ ...graph, tiers: [graph.tiers[0], oneSecond] }));
  const cases: [string[], number, RegExp][] = [
    [['frob'], 2, /unknown command 'frob'/],
    [['zoo'], 2, /zoo: which network/],
    [['zoo', 'nope'], 2, /no network "nope"/],
    [['zoo', 'googlenet', '--seed', '1.5'], 2, /--seed.*whole number/],
    [['zoo', 'googlenet', '--out', join(folder, 'no', 'net.onnx')], 1, /Cannot write googlenet/],
    [['graph', model, '--end-ratio', '0'], 2, /--end-ratio.*above 0/],
    [['graph', model, '--inputs', 'image'], 2, /--inputs: give JSON/],
    [['graph', model, '--inputs', '{"image":{"shape":[-1]}}'], 1, /--inputs: image\.shape\[0\] must be >= 0/],
    [['graph', graphFile], 2, /give an ONNX model/],
    [['graph', broken, ...quick], 1, /ONNX/],
    [['graph', join(folder, 'absent.onnx'), ...quick], 1, /absent\.onnx/],
    [['model', 'inspect', broken], 1, /ONNX/],
    [['decide', graphFile], 2, /required option '-c, --context/],
    [['decide', graphFile, '-c', join(folder, 'none.json')], 1, /none\.json: no such file/],
    [['decide', graphFile, '-c', broken], 1, /broken\.onnx: is no JSON/],
    [['decide', '-', '-c', '-'], 2, /only one of FILE and --context/],
    [['decide', graphFile, '-c', '-', '--edge-ratio', '2'], 2, /has the seconds of all tiers/],
    [['decide', brokenGraph, '-c', '-'], 1, /tiers\[1\]\.seconds must have one entry per layer/],
  ];
  for (const [args, code, message] of cases) {
    const ran = await runCutpoint(args, JSON.stringify(good));
    const said = `cutpoint ${args.join(' ')} -> ${ran.code}: ${ran.stderr}`;
    assert.equal(ran.code, code, said);
    assert.match(ran.stderr, message, said);
    assert.equal(ran.stderr.trimEnd().split('\n').length, 1, said);
    assert.doesNotMatch(ran.stderr, /\n {4}at /, said);
    assert.equal(ran.stdout, '', said);
  }
});

test('every command has help with an example and its exit codes', async () => {
  for (const args of [['zoo'], ['graph'], ['decide'], ['model', 'inspect'], ['model', 'profile']]) {
    const ran = await runCutpoint([...args, '--help']);
    assert.equal(ran.code, 0);
    assert.match(ran.stdout, /Examples?:\n {2}cutpoint /);
    assert.match(ran.stdout, /Exit codes: 0/);
  }
});
