import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** What a program on a device would look like; `wrong` does not compile. */
const consumer = (wrong: boolean) => `
import { CutRefused, Device, partOf, type Cut, type TelemetryValues } from 'cutpoint/client';

const telemetry = (): TelemetryValues => ({ cpuLoad: ${wrong ? "'high'" : '0.5'} });
export const parts: string[] = [];
export function device(url: string, token: string): Device {
  return new Device({
    url,
    token,
    identity: { deviceId: 'camera', role: 'end', computeRatio: 4 },
    handlers: {
      prepare: (cut: Cut) => {
        parts.push(JSON.stringify(partOf(cut)));
        return cut.layerCount > 100 ? Promise.reject(new CutRefused('no-memory', 'too large')) : Promise.resolve();
      },
      activate: () => undefined,
      fallBack: () => undefined,
    },
    telemetry,
  });
}
`;

it('the package brings the client library with its types, and a program of a device compiles against them', async () => {
  const packed = JSON.parse(
    execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }),
  ) as [{ files: { path: string }[] }];
  const paths = packed[0].files.map(({ path }) => path);
  assert.ok(paths.includes('dist/src/client/index.d.ts'), 'npm run build makes the types');
  const folder = await mkdtemp(join(tmpdir(), 'cutpoint-package-'));
  try {
    const modules = join(folder, 'node_modules');
    for (const path of paths.filter(
      (each) => each === 'package.json' || /^dist\/src\/.*\.(js|d\.ts)$/.test(each),
    )) {
      const target = join(modules, 'cutpoint', path);
      await mkdir(dirname(target), { recursive: true });
      await copyFile(join(root, path), target);
    }
    // what npm would install beside it
    for (const name of [
      'typebox',
      'ajv',
      'ws',
      'fast-deep-equal',
      'fast-uri',
      'json-schema-traverse',
      'require-from-string',
      '@types',
    ]) {
      await symlink(join(root, 'node_modules', name), join(modules, name));
    }
    await writeFile(join(folder, 'package.json'), '{"type":"module"}');
    await writeFile(join(folder, 'right.ts'), consumer(false));
    await writeFile(join(folder, 'wrong.ts'), consumer(true));
    const options = [
      '--strict',
      '--exactOptionalPropertyTypes',
      '--module',
      'nodenext',
      '--target',
      'es2023',
    ];
    const compiled = spawnSync(
      process.execPath,
      [
        join(root, 'node_modules/typescript/bin/tsc'),
        ...options,
        '--types',
        'node',
        '--pretty',
        'false',
        'right.ts',
        'wrong.ts',
      ],
      { cwd: folder, encoding: 'utf8' },
    );
    const errors = compiled.stdout.split('\n').filter((line) => line.includes('error TS'));
    assert.equal(errors.length, 1, compiled.stdout + compiled.stderr);
    assert.match(errors[0]!, /^wrong\.ts\(.*'string' is not assignable to type 'number/);
    const run = `const { device } = await import('./right.js'); const one = device('ws://127.0.0.1:9', 't'); one.stop();`;
    const ran = spawnSync(process.execPath, ['--input-type=module', '-e', run], {
      cwd: folder,
      encoding: 'utf8',
    });
    assert.equal(ran.status, 0, ran.stderr);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
