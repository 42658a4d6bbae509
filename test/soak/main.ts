/**
 * `npm run soak`: chaos, then the question whether anything is left of it.
 *
 *   npm run soak -- [--seconds N] [--seed N] [--ends N] [--edges N] [--json FILE]
 *
 * Exit code 0: all is as it must be; 1: findings; 2: wrong usage.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { countFlags, WrongUsage } from '../support/countFlags.js';
import { soak } from './soak.js';

const defaults = { seconds: 1800, seed: 1, ends: 60, edges: 6 };

async function main(): Promise<number> {
  let wanted;
  try {
    wanted = countFlags(defaults, 1);
  } catch (error) {
    if (!(error instanceof WrongUsage)) throw error;
    process.stderr.write(`soak: ${error.message}\n`);
    return 2;
  }
  const folder = await mkdtemp(join(tmpdir(), 'cutpoint-soak-'));
  try {
    let shownAt = -Infinity;
    const result = await soak(wanted.counts, join(folder, 'data'), (text) => {
      if (performance.now() - shownAt < 5_000) return;
      shownAt = performance.now();
      process.stderr.write(`${text}\n`);
    });
    if (wanted.json !== undefined) await writeFile(wanted.json, `${JSON.stringify(result, null, 2)}\n`);
    process.stdout.write(summary(result));
    return result.findings.length === 0 ? 0 : 1;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function summary(result: Awaited<ReturnType<typeof soak>>): string {
  const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
  const lines = [
    `${result.devices} devices, ${result.deployments} deployments, ${result.seconds} s of chaos (seed ${result.seed})`,
    ...Object.entries(result.faults)
      .sort(([a], [b]) => a.localeCompare(b))
      .map(([name, times]) => `  ${String(times).padStart(6)}  ${name}`),
    `settled after ${result.settleSeconds?.toFixed(1) ?? 'never'} s`,
    `heap ${mebibytes(result.before.heapBytes)} before, ${mebibytes(result.after.heapBytes)} after`,
    `resident ${mebibytes(result.before.residentBytes)} before, ${mebibytes(result.after.residentBytes)} after`,
    result.findings.length === 0 ? 'nothing is left of it' : `${result.findings.length} findings:`,
    ...result.findings.map((finding) => `  ${finding}`),
  ];
  return `${lines.join('\n')}\n`;
}

process.exitCode = await main();
