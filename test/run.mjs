// Runs every compiled *.test.js with node's own runner. A glob of our own, because Node 20's --test
// takes no glob and Node 22's takes no folder.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

const root = new URL('../dist/test/', import.meta.url).pathname;
const only = process.argv.slice(2);
const files = readdirSync(root, { recursive: true })
  .map(String)
  .filter(
    (name) => name.endsWith('.test.js') && (only.length === 0 || only.some((part) => name.includes(part))),
  )
  .sort()
  .map((name) => join(root, name));
if (files.length === 0) {
  process.stderr.write(`no test file matches ${only.join(' ')}\n`);
  process.exit(1);
}
const result = spawnSync(process.execPath, ['--test', '--test-concurrency=2', ...files], {
  stdio: 'inherit',
});
process.exit(result.status ?? 1);
