import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

interface LockedPackage {
  readonly resolved?: string;
  readonly hasInstallScript?: boolean;
}

const lock = JSON.parse(readFileSync(new URL('../../../package-lock.json', import.meta.url), 'utf8')) as {
  readonly packages: Readonly<Record<string, LockedPackage>>;
};

test('npm ci does not run the install script of onnxruntime-node, which would download CUDA', () => {
  // npm 11 and later honour allowScripts of package.json, older ones do not. All of them run an install script
  // only where the lock file says that there is one.
  const runtime = lock.packages['node_modules/onnxruntime-node'];
  assert.ok(runtime, 'onnxruntime-node is not locked at node_modules/onnxruntime-node');
  assert.equal(
    runtime.hasInstallScript,
    undefined,
    'npm wrote the mark back with a new version: delete the line "hasInstallScript": true from the entry ' +
      'node_modules/onnxruntime-node of package-lock.json',
  );
});

test('the one install script that npm ci runs builds the SQLite binding', () => {
  const production = Object.entries(lock.packages).filter(([, { hasInstallScript }]) => hasInstallScript);
  assert.deepEqual(
    production.map(([path]) => path),
    ['node_modules/better-sqlite3'],
  );
});

test('the lock file names no registry', () => {
  const named = Object.entries(lock.packages).filter(([, { resolved }]) => resolved !== undefined);
  assert.deepEqual(named, []);
});
