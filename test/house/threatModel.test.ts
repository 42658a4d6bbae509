import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { packageRoot } from '../../src/packageRoot.js';

interface Defence {
  readonly threat: string;
  /** Compiled, below dist. */
  readonly file: string;
  /** What stands there once. */
  readonly was: string;
  readonly test: string;
  readonly title: string;
}

const document = readFileSync(join(packageRoot(), 'docs', 'threat-model.md'), 'utf8');

/** Titles as they stand in the source, where an apostrophe may be escaped. */
function titlesOf(source: string): string[] {
  const titles = [...source.matchAll(/\b(?:it|test|answers|refused)\(\s*(['"`])(.*?)(?<!\\)\1/gs)];
  const names = [...source.matchAll(/\bname: '([^']+)'/g)].map((match) => match[1]!);
  return [...titles.map((match) => match[2]!.replaceAll('\\', '')), ...names];
}

function literally(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}

test('each threat has an answer, and tests that exist', () => {
  const threats = document.split(/^### /m).slice(1);
  assert.ok(threats.length >= 14);
  for (const threat of threats) {
    const [name = '', ...lines] = threat.split(/^## /m)[0]!.trim().split('\n');
    const named = lines.filter((line) => line.startsWith('- '));
    assert.ok(named.length > 0, `${name}: no test`);
    const answer = lines
      .filter((line) => !line.startsWith('- '))
      .join(' ')
      .trim();
    assert.ok(answer.length > 60, `${name}: no answer`);
    for (const line of named) {
      const [, file, title] = /^- `([^`]+)`: (.+)$/.exec(line) ?? [];
      assert.ok(file !== undefined && title !== undefined, `${name}: ${line}`);
      const path = join(packageRoot(), file);
      assert.ok(existsSync(path), `${name}: there is no ${file}`);
      const titles = titlesOf(readFileSync(path, 'utf8'));
      assert.ok(
        titles.some((known) => known.startsWith(title)),
        `${name}: ${file} has no test "${title}"`,
      );
      const source = readFileSync(path, 'utf8').replaceAll("\\'", "'");
      const left = new RegExp(`\\.(skip|todo|only)\\(\\s*['"\`]${literally(title)}`);
      assert.doesNotMatch(source, left, `${name}: ${file} does not run "${title}"`);
    }
  }
});

test('each defence that can be taken out stands where it is said, under a threat that names its test', () => {
  const file = join(packageRoot(), 'test', 'house', 'defences.json');
  const defences = JSON.parse(readFileSync(file, 'utf8')) as Defence[];
  assert.ok(defences.length >= 15);
  const threats = document.split(/^### /m).slice(1);
  for (const { threat, file, was, test, title } of defences) {
    const code = readFileSync(join(packageRoot(), 'dist', file), 'utf8');
    assert.equal(code.split(was).length, 2, `${file}: ${was}`);
    const row = threats.find((each) => each.startsWith(threat));
    assert.ok(row?.includes(`- \`${test}\`: ${title}`), `${threat} does not name ${test}: ${title}`);
  }
});
