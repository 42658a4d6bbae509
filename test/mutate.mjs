// Would the tests notice? Changes one operator, number or statement of the compiled core at a time, in a copy, and runs
// the core's tests. Prints the changes that no test noticed. Not part of `npm test`: it takes as long as it is given.
//   npm run build && nice node test/mutate.mjs --seconds 600 [--seed 1] [--files gads,pareto]
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import ts from 'typescript';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '600' },
    seed: { type: 'string', default: '1' },
    files: {
      type: 'string',
      default:
        'gads,searchProblem,searchRows,boundTree,certificate,supportStates,supportScan,nestedCuts,nestedProblem,nestedSearch,cutCosts,pareto,blocks,states,relax',
    },
  },
});
const root = new URL('../', import.meta.url).pathname;
const tests = [
  'pareto',
  'searchProblem',
  'nestedSearch',
  'gads',
  'certificate',
  'supportStates',
  'traces',
  'cutPartitioner',
];
/** A change that makes a test run this long has been noticed: it does not end. */
const testSeconds = 240;

const swapped = new Map([
  [ts.SyntaxKind.LessThanToken, ['<=', '>=']],
  [ts.SyntaxKind.LessThanEqualsToken, ['<', '>']],
  [ts.SyntaxKind.GreaterThanToken, ['>=', '<=']],
  [ts.SyntaxKind.GreaterThanEqualsToken, ['>', '<']],
  [ts.SyntaxKind.EqualsEqualsEqualsToken, ['!==']],
  [ts.SyntaxKind.ExclamationEqualsEqualsToken, ['===']],
  [ts.SyntaxKind.PlusToken, ['-']],
  [ts.SyntaxKind.MinusToken, ['+']],
  [ts.SyntaxKind.AsteriskToken, ['/']],
  [ts.SyntaxKind.SlashToken, ['*']],
  [ts.SyntaxKind.AmpersandAmpersandToken, ['||']],
  [ts.SyntaxKind.BarBarToken, ['&&']],
  [ts.SyntaxKind.PlusEqualsToken, ['-=']],
]);

/** Changes of one file: where, and what stands there instead. Messages of errors are left alone. */
function mutantsOf(name, text) {
  const source = ts.createSourceFile(name, text, ts.ScriptTarget.ES2023, true);
  const found = [];
  const change = (node, to) => found.push({ name, from: node.getStart(source), end: node.end, to });
  const visit = (node) => {
    if (ts.isThrowStatement(node) || ts.isImportDeclaration(node)) return;
    if (ts.isBinaryExpression(node)) {
      for (const to of swapped.get(node.operatorToken.kind) ?? []) change(node.operatorToken, to);
    } else if (ts.isNumericLiteral(node)) change(node, `${Number(node.text) + 1}`);
    else if (node.kind === ts.SyntaxKind.TrueKeyword) change(node, 'false');
    else if (node.kind === ts.SyntaxKind.FalseKeyword) change(node, 'true');
    else if (ts.isPrefixUnaryExpression(node) && node.operator === ts.SyntaxKind.ExclamationToken) {
      change(node, node.operand.getText(source));
    } else if (ts.isExpressionStatement(node) && !node.getText(source).startsWith('super')) change(node, ';');
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** A small generator of numbers, so that a seed names a run. */
function randomFrom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) >>> 0;
    return state / 2 ** 32;
  };
}

/** The test file that noticed; null where none did. */
function noticedBy(folder) {
  for (const test of tests) {
    const file = join(folder, 'dist', 'test', 'core', `${test}.test.js`);
    const { status } = spawnSync(process.execPath, ['--test', file], { timeout: testSeconds * 1e3 });
    if (status !== 0) return test;
  }
  return null;
}

const folder = mkdtempSync(join(tmpdir(), 'cutpoint-mutants-'));
try {
  cpSync(join(root, 'dist'), join(folder, 'dist'), { recursive: true });
  cpSync(join(root, 'package.json'), join(folder, 'package.json'));
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  const pathOf = (name) => join(folder, 'dist', 'src', 'core', `${name}.js`);
  const mutants = values.files
    .split(',')
    .flatMap((name) => mutantsOf(name, readFileSync(pathOf(name), 'utf8')));
  const random = randomFrom(Number(values.seed));
  for (let i = mutants.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [mutants[i], mutants[j]] = [mutants[j], mutants[i]];
  }
  const before = noticedBy(folder);
  if (before !== null) throw new Error(`${before} fails without any change`);
  const limit = performance.now() + Number(values.seconds) * 1e3;
  let tried = 0;
  let survived = 0;
  for (const { name, from, end, to } of mutants) {
    if (performance.now() > limit) break;
    const text = readFileSync(pathOf(name), 'utf8');
    writeFileSync(pathOf(name), text.slice(0, from) + to + text.slice(end));
    tried++;
    if (noticedBy(folder) === null) {
      survived++;
      const line = text.slice(0, from).split('\n').length;
      const whole = text.split('\n')[line - 1].trim();
      process.stdout.write(`${name}.js:${line}: ${text.slice(from, end)} -> ${to}   in   ${whole}\n`);
    }
    writeFileSync(pathOf(name), text);
  }
  process.stdout.write(`${survived} of ${tried} changes were not noticed; ${mutants.length} are possible\n`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
