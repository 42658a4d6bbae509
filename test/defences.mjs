// Would the tests of docs/threat-model.md notice a defence that is gone? Takes each one of test/house/defences.json out of
// a copy of the compiled product and runs the test that holds it, which must fail. Prints those that do not.
//   npm run build && nice node test/defences.mjs [PART OF A THREAT]
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = new URL('../', import.meta.url).pathname;
const [part = ''] = process.argv.slice(2);
const defences = JSON.parse(readFileSync(join(root, 'test/house/defences.json'), 'utf8'));
/** A test that does not end without its defence has noticed. */
const testSeconds = 60;

const copy = mkdtempSync(join(tmpdir(), 'cutpoint-defences-'));
let unnoticed = 0;
try {
  cpSync(join(root, 'dist'), join(copy, 'dist'), { recursive: true });
  for (const name of ['package.json', 'config', 'migrations', 'docs', 'test', 'node_modules']) {
    symlinkSync(join(root, name), join(copy, name));
  }
  for (const { threat, file, was, is, test, title } of defences.filter((one) => one.threat.includes(part))) {
    const path = join(copy, 'dist', file);
    const whole = readFileSync(path, 'utf8');
    const pattern = `--test-name-pattern=${title.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')}`;
    const run = () =>
      spawnSync(
        process.execPath,
        ['--test-force-exit', pattern, '--test', join(copy, 'dist', test.replace(/\.ts$/, '.js'))],
        {
          cwd: copy,
          timeout: testSeconds * 1_000,
          encoding: 'utf8',
        },
      );
    const before = run();
    writeFileSync(
      path,
      whole.replace(was, () => is),
    );
    const after = run();
    writeFileSync(path, whole);
    const isHeld = before.status === 0 && after.status !== 0;
    if (!isHeld) unnoticed++;
    const verdict = isHeld ? 'noticed' : before.status === 0 ? 'NOT NOTICED' : 'FAILS WITH IT';
    process.stdout.write(`${verdict}: ${threat}: ${file}: ${was}\n`);
  }
} finally {
  rmSync(copy, { recursive: true, force: true });
}
process.exit(unnoticed === 0 ? 0 : 1);
