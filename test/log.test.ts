import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { createLog } from '../src/log.js';

function linesOf(level: string, write: (log: ReturnType<typeof createLog>) => void) {
  const lines: string[] = [];
  const log = createLog({ level, destination: { write: (line) => void lines.push(line) } });
  write(log);
  log.flush();
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

const SECRET = 'hush-7461';

test('no secret is written, however deep its name stands', () => {
  const names = [
    'authorization',
    'Authorization',
    'proxy-authorization',
    'cookie',
    'Cookie',
    'set-cookie',
    'x-api-key',
    'apiKey',
    'token',
    'accessToken',
    'refreshToken',
    'password',
    'secret',
    'clientSecret',
    'credentials',
  ];
  for (const name of names) {
    const lines = linesOf('info', ({ logger }) => {
      const secret = { [name]: SECRET, kept: 'kept' };
      logger.info(secret, 'top');
      logger.info({ a: secret }, 'one down');
      logger.info({ req: { headers: secret } }, 'two down');
      logger.info({ a: [{ b: secret }] }, 'three down');
      logger.child({}).info({ config: secret }, 'child');
    });
    const text = JSON.stringify(lines);
    assert.equal(lines.length, 5);
    assert.ok(!text.includes(SECRET), `${name}: ${text}`);
    assert.equal(text.match(/\[secret\]/g)?.length, 5, name);
    assert.equal(text.match(/"kept":"kept"/g)?.length, 5, name);
  }
});

test('the object that is logged keeps its secret', () => {
  const headers = { authorization: SECRET };
  linesOf('info', ({ logger }) => logger.info({ headers }, 'seen'));
  assert.equal(headers.authorization, SECRET);
});

test('less severe lines than the level are not written, errors have their stack', () => {
  const lines = linesOf('warn', ({ logger }) => {
    logger.info('not this');
    logger.error({ error: new Error('broken') }, 'this');
  });
  assert.equal(lines.length, 1);
  assert.equal(lines[0]!['level'], 'error');
  assert.match(String((lines[0]!['error'] as { stack: string }).stack), /Error: broken\n\s+at /);
});

test('flush writes out what waits before the process ends', () => {
  const program = `
    import { createLog } from ${JSON.stringify(new URL('../src/log.js', import.meta.url).href)};
    const log = createLog({ level: 'info' });
    for (let index = 0; index < 2000; index++) log.logger.info({ index, filler: 'x'.repeat(200) }, 'line');
    log.flush();
    process.exit(3);`;
  const { status, stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
    maxBuffer: 1 << 24,
  });
  assert.equal(status, 3);
  const lines = stdout.trimEnd().split('\n');
  assert.equal(lines.length, 2000);
  assert.equal((JSON.parse(lines.at(-1)!) as { index: number }).index, 1999);
});

test('lines beyond the cap are dropped and counted when nobody reads', async () => {
  const program = `
    import { writeSync } from 'node:fs';
    import { createLog } from ${JSON.stringify(new URL('../src/log.js', import.meta.url).href)};
    let dropped = 0;
    const log = createLog({ level: 'info', onDrop: () => dropped++ });
    for (let index = 0; index < 12_000; index++) log.logger.info({ filler: 'x'.repeat(1000) }, 'line');
    writeSync(2, String(dropped));
    process.kill(process.pid, 'SIGKILL');`;
  // standard output is a pipe that is never read
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let told = '';
  child.stderr.on('data', (chunk: Buffer) => (told += chunk.toString()));
  await once(child, 'exit');
  child.stdout.destroy();
  const dropped = Number(told);
  // 12,000 lines of 1.1 kB: about 8 MiB of them wait, the rest goes
  assert.ok(dropped > 2_000 && dropped < 7_000, told);
});
