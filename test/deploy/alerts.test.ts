/** The alert rules: sound, about figures that exist, each explained to the operator, each fires in its state. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { parse } from 'yaml';
import { createAppContext } from '../../src/appContext.js';
import { loadConfig } from '../../src/config.js';
import { packageRoot } from '../../src/packageRoot.js';

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

const folder = join(packageRoot(), 'deploy');
const read = (...path: string[]): string => readFileSync(join(packageRoot(), ...path), 'utf8');
const { groups } = parse(read('deploy', 'alerts.yml')) as { groups: { rules: Rule[] }[] };
const rules = groups.flatMap((group) => group.rules);

/** The text of all modules, in which log lines are looked for. */
function allSource(): string {
  const files = readdirSync(join(packageRoot(), 'src'), { recursive: true, encoding: 'utf8' });
  return files
    .filter((file) => file.endsWith('.ts'))
    .map((file) => read('src', file))
    .join('\n');
}

describe('the alert rules', () => {
  let data: string;
  let exposed: string;
  before(async () => {
    data = await mkdtemp(join(tmpdir(), 'cutpoint-alerts-'));
    const overrides = { 'listen.port': 0, 'data.directory': data, 'log.level': 'silent' };
    const context = await createAppContext(loadConfig({ env: {}, overrides }));
    await context.start();
    exposed = await context.metrics.render();
    await context.stop();
  });
  after(() => rm(data, { recursive: true, force: true }));

  it('are about figures and labels that a controller shows', () => {
    for (const { alert, expr } of rules) {
      const names = expr.match(/\bcutpoint_\w+/g) ?? [];
      for (const name of names)
        assert.match(exposed, new RegExp(`^# TYPE ${name.replace(/_bucket$/, '')} `, 'm'), alert);
      for (const [, name, label] of expr.matchAll(/(cutpoint_\w+)\{(\w+)=/g)) {
        assert.match(
          exposed,
          new RegExp(`^${name}\\{[^}]*${label}="`, 'm'),
          `${alert}: ${name} has no label ${label}`,
        );
      }
    }
  });

  it('have a section each in docs/operations.md, and no section is without its alert', () => {
    const operations = read('docs', 'operations.md');
    const sections = [...operations.matchAll(/^### (Cutpoint\w+)$/gm)].map(([, name]) => name);
    assert.deepEqual(
      sections,
      rules.map(({ alert }) => alert),
    );
    for (const { alert, annotations } of rules) {
      assert.equal(annotations['runbook'], `docs/operations.md#${alert.toLowerCase()}`);
    }
  });

  it('are all named in the table of states, which names figures and log lines that there are', () => {
    const [, table] = /## States, and what tells of them\n([\s\S]*?)\n## /.exec(
      read('docs', 'operations.md'),
    )!;
    const rows = table!.split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('| ---'));
    const cells = rows.slice(1).map((row) => row.split('|').map((cell) => cell.trim()));
    const quoted = (text: string) => [...text.matchAll(/`([^`]+)`/g)].map(([, name]) => name!);
    const source = allSource();
    const named = new Set<string>();
    for (const [, state, figure, line, alert] of cells) {
      for (const name of quoted(figure!).filter((text) => text.startsWith('cutpoint_')))
        assert.match(exposed, new RegExp(`^# TYPE ${name.replace(/\{.*/, '')} `, 'm'), state);
      for (const text of quoted(line!).filter((part) => part.includes(' ') && !/^[A-Z]+ |: /.test(part)))
        assert.ok(
          source.includes(text.replace(/^frame refused$/, '${what} refused')),
          `${state}: no log line says "${text}"`,
        );
      for (const [name] of alert!.matchAll(/Cutpoint\w+/g)) named.add(name);
    }
    assert.deepEqual([...named].sort(), rules.map(({ alert }) => alert).sort());
  });

  const promtool = (args: string[], input?: string) =>
    spawnSync('promtool', args, { cwd: folder, encoding: 'utf8', input });
  const missing = promtool(['--version']).error !== undefined;
  const skip = missing ? "needs promtool (Debian's package prometheus)" : false;

  it('pass promtool, and each fires in its state and not in normal work', { skip }, () => {
    for (const args of [
      ['check', 'config', '--syntax-only', 'prometheus.yml'], // the file of its key is the operator's
      ['check', 'rules', 'alerts.yml'],
      ['test', 'rules', 'alerts.test.yml'],
    ]) {
      const { status, stdout, stderr } = promtool(args);
      assert.equal(status, 0, `promtool ${args.join(' ')}: ${stdout}${stderr}`);
    }
    const tested = read('deploy', 'alerts.test.yml');
    for (const { alert } of rules) assert.match(tested, new RegExp(`name: ${alert} fires`));
  });

  it("pass promtool's rules for names of figures", { skip }, () => {
    const { stdout, stderr } = promtool(['check', 'metrics'], exposed);
    const ours = `${stdout}${stderr}`.split('\n').filter((line) => line.startsWith('cutpoint_'));
    assert.deepEqual(ours, []);
  });
});
