/** The tables of docs/conformance.md, from the scenarios themselves. */
import { deviceScenarios } from '../../src/conformance/deviceScenarios.js';
import { serverScenarios } from '../../src/conformance/serverScenarios.js';
import { topics, type Topic } from '../../src/conformance/scenario.js';

interface Row {
  readonly topic: Topic;
  readonly name: string;
  readonly promise: string;
}

/** The page with its tables made anew. */
export function withConformanceTables(page: string): string {
  return replaced(replaced(page, 'server', serverScenarios), 'device', deviceScenarios);
}

/** What stands between the mark and the next heading, or the end, is the table. */
function replaced(page: string, mark: string, rows: readonly Row[]): string {
  const pattern = new RegExp(`(<!-- ${mark} -->\n)[^]*?(?=\n## |$)`);
  if (!pattern.test(page)) throw new Error(`docs/conformance.md has no mark for the table of ${mark}`);
  return page.replace(pattern, (_, head: string) => `${head}\n${tableOf(rows)}\n`);
}

function tableOf(rows: readonly Row[]): string {
  const sorted = topics.flatMap((topic) => rows.filter((row) => row.topic === topic));
  return ['| scenario | promise |', '| --- | --- |', ...sorted.map(lineOf)].join('\n');
}

function lineOf({ topic, name, promise }: Row): string {
  return `| \`${topic}/${name}\` | ${promise} |`;
}
