import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { conformanceModel, modelName } from '../../src/conformance/model.js';
import { Operator } from '../../src/conformance/operator.js';
import { resultLines } from '../../src/conformance/report.js';
import type { Result } from '../../src/conformance/run.js';
import { nameOf } from '../../src/conformance/scenario.js';
import { checkServer, serverScenarios } from '../../src/conformance/serverScenarios.js';
import { adminKey } from '../support/credentials.js';
import { mustServe, type ServeProcess } from '../support/serveProcess.js';
import { brokenServer, type Flaw, type Message } from './brokenServer.js';

const isA = (type: string, message: Message): boolean => message.type === type;
const without = (field: string, { [field]: _, ...rest }: Message): Message => rest as Message;

const isEmpty = (value: unknown): boolean => Array.isArray(value) && value.length === 0;

/** Drops every message of a type. */
const swallows = (type: string): Flaw => ({ message: (message) => (isA(type, message) ? null : message) });
/** Changes every message of a type. */
const changes = (type: string, change: (message: Message) => Message): Flaw => ({
  message: (message) => (isA(type, message) ? change(message) : message),
});
const earlierCuts: Message[] = [];

/** Each breaks a promise; the scenarios named must find it. */
const flaws: readonly (readonly [what: string, finders: readonly string[], flaw: Flaw])[] = [
  ['takes every version', ['version/unknown-version', 'version/similar-name'], { takes: () => true }],
  [
    'looks at no credentials',
    ['identity/unknown-token', 'identity/other-scheme', 'identity/revoked-like-unknown'],
    { takes: ({ authorization }) => authorization !== undefined },
  ],
  [
    'closes without its code',
    ['identity/takeover', 'hello/twice', 'backpressure/hellos-are-bounded'],
    { closeCode: () => 1000 },
  ],
  [
    'says another version',
    ['welcome/verdict'],
    changes('welcome', (m) => ({ ...m, protocol: 'cutpoint.v2' })),
  ],
  ['says no welcome', ['hello/minimal', 'hello/complete'], swallows('welcome')],
  [
    'keeps a limit to itself',
    ['welcome/limits'],
    changes('welcome', (m) => ({ ...m, limits: { frameBytes: 1 } })),
  ],
  [
    'welcomes twice',
    ['welcome/first-and-once'],
    {
      message: (message, { toDevice }) => {
        if (isA('welcome', message)) toDevice(message);
        return message;
      },
    },
  ],
  [
    'does not name the field',
    ['telemetry/negative', 'hello/unknown-role'],
    changes('error', (m) => without('field', m)),
  ],
  ['does not say which frame', ['telemetry/nested-field'], changes('error', (m) => without('sequence', m))],
  ['says no errors', ['data-safety/unknown-type', 'sizes/too-deep', 'measurement/zero'], swallows('error')],
  ['sends no pings', ['heartbeat/pings'], { pings: false }],
  ['does not warn', ['backpressure/too-fast-is-warned'], swallows('warning')],
  ['keeps removals to itself', ['cut/removed'], swallows('removed')],
  ['leaves the time to live out', ['cut/first'], changes('cut', (m) => without('timeToLiveMs', m))],
  ['gives a version two meanings', ['durability/one-meaning'], changes('cut', (m) => ({ ...m, version: 1 }))],
  [
    'tells the tiers different cuts',
    ['cut/agreed-by-both'],
    changes('cut', (m) => (m['tier'] === 'edge' ? { ...m, endLayers: [] } : m)),
  ],
  [
    'keeps the way back to the end device to itself',
    ['offline/edge-lost', 'offline/edge-back'],
    {
      message: (message) =>
        isA('cut', message) && Number(message['version']) > 1 && isEmpty(message['tensors']) ? null : message,
    },
  ],
  [
    'does not say what the edge sends on',
    ['cut/three-tiers', 'offline/cloud-lost'],
    changes('cut', (m) => without('edgeTensors', m)),
  ],
  [
    'replays',
    ['resume/latest-only'],
    {
      message: (message, { toDevice }) => {
        if (isA('cut', message) && message['tier'] === 'end') earlierCuts.push(message);
        if (isA('welcome', message)) queueMicrotask(() => earlierCuts.forEach(toDevice));
        return message;
      },
    },
  ],
  [
    'switches what was not prepared',
    [
      'two-phases/prepare-first',
      'two-phases/waits-for-the-edge',
      'two-phases/waits-for-the-cloud',
      'ack-and-nack/nack-by-the-edge',
    ],
    changes('cut', (m) => ({ ...m, phase: 'active' })),
  ],
  ['does not say what is current', ['resume/current'], swallows('current')],
  [
    'hides what a device refused',
    ['ack-and-nack/nack-is-seen'],
    { rest: (_, body) => body.replaceAll('"no-memory"', '"unknown"') },
  ],
  [
    'hides who fell back',
    ['offline/fallback-is-taken'],
    { rest: (_, body) => body.replace(/"fallback":\{[^}]*\}/g, '"fallback":null') },
  ],
  [
    'forgets decisions',
    ['durability/stored-before-sent'],
    { rest: (path, body) => (path.includes('/decisions') ? '{"decisions":[],"next":null}' : body) },
  ],
  [
    'takes values of a bad frame',
    ['telemetry/bad-frame-takes-nothing'],
    {
      rest: (path, body) =>
        path.startsWith('/v1/devices/') ? body.replace('"rttSeconds":0.1', '"rttSeconds":0.2') : body,
    },
  ],
];

describe('a server that breaks a promise', () => {
  let folder: string;
  let serve: ServeProcess;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cutpoint-broken-'));
    const env = { CUTPOINT_LIMITS__HEARTBEAT_MS: '800', CUTPOINT_IMPORT__RUNS: '5' };
    serve = await mustServe(['--data', folder], env);
    // no run takes it away again: to each it was there before
    await new Operator(serve.origin, adminKey(serve.origin)).upload(modelName, conformanceModel());
  });
  after(async () => {
    await serve.end('SIGTERM');
    await rm(folder, { recursive: true, force: true });
  });

  async function played(
    flaw: Flaw,
    names: readonly string[],
    prefix: string,
    patience = 1,
  ): Promise<Result[]> {
    const broken = await brokenServer(serve.origin, flaw);
    const target = { origin: broken.origin, key: adminKey(serve.origin), prefix, patience };
    const scenarios = serverScenarios.filter((scenario) => names.includes(nameOf(scenario)));
    assert.equal(scenarios.length, names.length, `one of ${names.join(', ')} does not exist`);
    const results = await checkServer(target, scenarios, () => undefined);
    await broken.close();
    return results;
  }

  it('is not found where there is none: the proxy alone changes nothing', async () => {
    const finders = [...new Set(flaws.flatMap(([, names]) => names))];
    const results = await played({}, finders, 'whole', 4);
    assert.deepEqual(
      results.flatMap((result) => (result.verdict === 'pass' ? [] : resultLines(result, true))),
      [],
    );
  });

  it('is found by the scenario for that promise', async () => {
    const missed: string[] = [];
    const todo = [...flaws.entries()];
    const worker = async (): Promise<void> => {
      for (let next = todo.shift(); next !== undefined; next = todo.shift()) {
        const [i, [what, finders, flaw]] = next;
        const results = await played(flaw, finders, `flaw-${i}`);
        const left = results.filter(({ verdict }) => verdict !== 'fail');
        missed.push(...left.map(({ name }) => `${what}: ${name}`));
      }
    };
    await Promise.all(Array.from({ length: 6 }, worker));
    assert.deepEqual(missed, [], 'scenarios that did not fail');
  });
});
