/**
 * `npm run fuzz`: rubbish through the real code, and what came of it.
 *
 *   npm run fuzz -- [--frames N] [--socket-frames N] [--models N] [--requests N] [--seed N] [--json FILE]
 *
 * Exit code 0: nothing that must not happen; 1: findings, whose files lie in fuzz-findings/; 2: wrong usage.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { countFlags, WrongUsage } from '../support/countFlags.js';
import { fuzzAll, type FuzzPlan } from './fuzzAll.js';
import { sharedMissing } from './models/seeds.js';

const defaults = { frames: 1_000_000, 'socket-frames': 100_000, models: 20_000, requests: 20_000, seed: 1 };

function planned(): { plan: FuzzPlan; json: string | undefined } {
  const { counts, json } = countFlags(defaults, 0);
  const { 'socket-frames': socketFrames, ...others } = counts;
  if (socketFrames > counts.frames) throw new WrongUsage('--socket-frames must not be above --frames');
  return { plan: { ...others, socketFrames, workers: Math.max(1, availableParallelism() - 1) }, json };
}

async function main(): Promise<number> {
  let wanted;
  try {
    wanted = planned();
  } catch (error) {
    if (!(error instanceof WrongUsage)) throw error;
    process.stderr.write(`fuzz: ${error.message}\n`);
    return 2;
  }
  if (sharedMissing !== null) process.stderr.write(`fuzz: ${sharedMissing}\n`);
  const folder = await mkdtemp(join(tmpdir(), 'cutpoint-fuzz-'));
  try {
    let shownAt = 0;
    const result = await fuzzAll(
      wanted.plan,
      folder,
      join(process.cwd(), 'fuzz-findings'),
      (part, done, all) => {
        if (performance.now() - shownAt < 1_000 && done < all) return;
        shownAt = performance.now();
        process.stderr.write(`${part}: ${done} of ${all}\n`);
      },
    );
    const text = `${JSON.stringify(result, null, 2)}\n`;
    if (wanted.json === undefined) process.stdout.write(text);
    else await writeFile(wanted.json, text);
    const findings = [result.frames, result.requests, result.models].flatMap((each) => each?.findings ?? []);
    process.stderr.write(findings.length === 0 ? 'no findings\n' : `${findings.length} findings\n`);
    return findings.length === 0 ? 0 : 1;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

process.exitCode = await main();
