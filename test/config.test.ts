import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, test } from 'node:test';
import { ConfigError, loadConfig, type ConfigSources } from '../src/config.js';
import { proxiesOf } from '../src/configRules.js';
import { configDocument } from '../src/configDocument.js';
import { configKeys } from '../src/configKeys.js';
import { packageRoot } from '../src/packageRoot.js';

const folder = mkdtempSync(join(tmpdir(), 'cutpoint-config-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const file = join(folder, 'own.yaml');

function load(yaml: string, sources: Partial<ConfigSources> = {}) {
  writeFileSync(file, yaml);
  return loadConfig({ env: {}, file, ...sources });
}

/** The problems as `key (source): message`. */
function problemsOf(run: () => unknown): string[] {
  let problems: string[] = [];
  assert.throws(run, (error) => {
    assert.ok(error instanceof ConfigError, String(error));
    for (const { key } of error.problems) assert.ok(error.message.includes(key));
    problems = error.problems.map(({ key, source, message }) => `${key} (${source}): ${message}`);
    return true;
  });
  return problems;
}

test('every default is allowed by its own limits', () => {
  for (const key of configKeys()) assert.ok(key.isValid(key.default), key.name);
  assert.equal(loadConfig({ env: {} }).listen.port, 8080);
});

test('the limits that a value may take are taken, and one beyond is not', () => {
  const max = { 'listen.port': 65_535, 'log.level': 'silent' };
  assert.equal(loadConfig({ env: {}, overrides: max }).listen.port, 65_535);
  assert.deepEqual(
    problemsOf(() => loadConfig({ env: {}, overrides: { 'listen.port': 65_536 } })),
    ['listen.port (command line): 65536 is not allowed; allowed: a whole number from 0 to 65535'],
  );
});

test('config/cutpoint.yaml is what the schema says (npm run config:write)', () => {
  const documented = join(packageRoot(), 'config', 'cutpoint.yaml');
  assert.equal(readFileSync(documented, 'utf8'), configDocument());
  assert.deepEqual(loadConfig({ env: {}, file: documented }), loadConfig({ env: {} }));
});

test('a time to live must outlast three heartbeats', () => {
  const overrides = { 'limits.heartbeatMs': 1_000, 'decisions.timeToLiveMs': 3_000 };
  const [problem] = problemsOf(() => loadConfig({ env: {}, overrides }));
  assert.match(problem!, /decisions\.timeToLiveMs .*more than three heartbeats \(3000\)/);
  loadConfig({ env: {}, overrides: { ...overrides, 'decisions.timeToLiveMs': 3_001 } });
});

test('beyond loopback there is TLS, or somebody says that the network is safe', () => {
  const overrides = { 'listen.host': '0.0.0.0' };
  const [problem] = problemsOf(() => loadConfig({ env: {}, overrides }));
  assert.match(problem!, /^listen\.host .*without TLS/);
  loadConfig({ env: {}, overrides: { ...overrides, 'listen.insecure': true } });
  for (const host of ['localhost', '127.0.0.2', '::1']) {
    loadConfig({ env: {}, overrides: { 'listen.host': host } });
  }
});

test('the head of a request is a part of it, and has no more time', () => {
  const overrides = { 'listen.headersTimeoutMs': 1_000, 'listen.requestTimeoutMs': 999 };
  const [problem] = problemsOf(() => loadConfig({ env: {}, overrides }));
  assert.match(problem!, /^listen\.requestTimeoutMs .*less than listen\.headersTimeoutMs \(1000\)/);
  loadConfig({ env: {}, overrides: { ...overrides, 'listen.requestTimeoutMs': 1_000 } });
});

test('a proxy that is trusted has an address or a network, and everybody is none', () => {
  const trusting = (trustProxy: string) => () =>
    loadConfig({ env: {}, overrides: { 'listen.trustProxy': trustProxy } });
  assert.deepEqual(proxiesOf(trusting('')().listen), []);
  const { listen } = trusting(' 10.0.0.5, 10.1.0.0/16,::1,fd00::/8')();
  assert.deepEqual(proxiesOf(listen), ['10.0.0.5', '10.1.0.0/16', '::1', 'fd00::/8']);
  for (const wrong of [
    'proxy.example',
    'true',
    '0.0.0.0/0',
    '10.0.0.0/33',
    '::/0',
    '10.0.0.1,',
    '10.0.0.0/8/8',
  ]) {
    const [problem] = problemsOf(trusting(wrong));
    assert.match(problem ?? '', /^listen\.trustProxy .* is neither an address nor a network/, wrong);
  }
});

test('later sources win: file, environment, command line', () => {
  const yaml = 'listen:\n  port: 1\n  host: localhost\nlog:\n  level: warn\nlimits:\n';
  const env = { CUTPOINT_LISTEN__PORT: '2', CUTPOINT_LIMITS__MAX_MODEL_BYTES: '4096', PATH: '/bin' };
  const config = load(yaml, { env, overrides: { 'listen.port': 3, 'log.level': undefined } });
  assert.deepEqual([config.listen.host, config.listen.port], ['localhost', 3]);
  assert.equal(config.log.level, 'warn');
  assert.equal(config.limits.maxModelBytes, 4096);
  assert.equal(load(yaml, { env }).listen.port, 2);
});

test('CUTPOINT_CONFIG names the file', () => {
  writeFileSync(file, 'listen: {port: 77}');
  assert.equal(loadConfig({ env: { CUTPOINT_CONFIG: file } }).listen.port, 77);
});

test('the configuration is frozen, and its folder is an absolute path', () => {
  const config = loadConfig({ env: {} });
  assert.ok(Object.isFrozen(config) && Object.values(config).every((section) => Object.isFrozen(section)));
  assert.equal(config.data.directory, resolve('cutpoint-data'));
});

test('everything that is wrong is listed at once, with key, source, value and what is allowed', () => {
  const yaml =
    'listen:\n  port: "80"\n  host: ""\nlimit:\n  maxModels: 3\nlimits:\n  maxModel: 3\nlog: loud\nstates:\n  maxStates: null\n';
  const env = { CUTPOINT_LOG__LEVEL: 'loud', CUTPOINT_LISTEN_PORT: '1', CUTPOINT_SPEED: '9' };
  assert.deepEqual(
    problemsOf(() => load(yaml, { env, overrides: { port: 1 } })),
    [
      `limit (${file}): there is no such key; config/cutpoint.yaml lists all`,
      `limits.maxModel (${file}): there is no such key; config/cutpoint.yaml lists all`,
      `log (${file}): it is a section and must hold keys`,
      'CUTPOINT_LISTEN_PORT (environment): there is no such variable; did you mean CUTPOINT_LISTEN__PORT?',
      'CUTPOINT_SPEED (environment): there is no such variable; config/cutpoint.yaml lists all',
      'port (command line): there is no such key; did you mean listen.port?',
      `listen.host (${file}): "" is not allowed; allowed: text of 1 to 4096 characters`,
      `listen.port (${file}): "80" is not allowed; allowed: a whole number from 0 to 65535`,
      'log.level (CUTPOINT_LOG__LEVEL): "loud" is not allowed; allowed: fatal, error, warn, info, debug, trace, silent',
      `states.maxStates (${file}): null is not allowed; allowed: a whole number from 1 to 10000000`,
    ],
  );
});

test('numbers of the environment are numbers or refused', () => {
  for (const value of ['', ' 80', '0x50', '80.5', 'NaN', 'Infinity', '-1', '8080px']) {
    assert.equal(problemsOf(() => loadConfig({ env: { CUTPOINT_LISTEN__PORT: value } })).length, 1, value);
  }
});

test('a wrong value counts also where a later source replaces it', () => {
  const env = { CUTPOINT_LISTEN__PORT: 'x' };
  assert.equal(problemsOf(() => loadConfig({ env, overrides: { 'listen.port': 3 } })).length, 1);
});

test('addresses that Kubernetes puts into the environment are no keys', () => {
  const env = {
    CUTPOINT_PORT: 'tcp://10.0.0.1:80',
    CUTPOINT_SERVICE_HOST: '10.0.0.1',
    CUTPOINT_SERVICE_PORT_HTTP: '80',
    CUTPOINT_PORT_80_TCP_ADDR: '10.0.0.1',
    CUTPOINT_LISTEN_PORT: 'tcp://10.0.0.2:80',
  };
  assert.equal(loadConfig({ env }).listen.port, 8080);
});

test('a file that is missing, is no YAML, or is no mapping is named', () => {
  const missing = join(folder, 'missing.yaml');
  assert.deepEqual(
    problemsOf(() => loadConfig({ env: {}, file: missing })),
    [`file (${missing}): it cannot be read (ENOENT)`],
  );
  assert.match(
    problemsOf(() => load('listen:\n  port: 1\n  port: 2\n'))[0]!,
    /^line 3 .*Map keys must be unique/,
  );
  assert.match(problemsOf(() => load('listen: [\n'))[0]!, /^line \d+ .*no valid YAML/);
  assert.match(problemsOf(() => load('- 1\n'))[0]!, /^file .*must hold sections/);
  assert.equal(load('').listen.port, 8080);
});
