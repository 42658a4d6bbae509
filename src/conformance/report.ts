/** What a run of scenarios says, for people and as JSON. */
import type { Result } from './run.js';
import type { Entry } from './transcript.js';

export interface Summary {
  readonly pass: number;
  readonly fail: number;
  readonly skipped: number;
}

export function summaryOf(results: readonly Result[]): Summary {
  const count = (verdict: Result['verdict']): number => results.filter((r) => r.verdict === verdict).length;
  return { pass: count('pass'), fail: count('fail'), skipped: count('skipped') };
}

/** The lines of one scenario: verdict, name, promise, why, and the frames where they are wanted. */
export function resultLines(result: Result, withFrames: boolean): string[] {
  const { verdict, name, promise, reason, durationMs, frames, framesNotKept } = result;
  const lines = [`${verdict.padEnd(7)} ${name}: ${promise} (${durationMs} ms)`];
  if (reason !== null) lines.push(`        ${reason}`);
  if (!withFrames) return lines;
  lines.push(...frames.map((entry) => `        ${frameLine(entry)}`));
  if (framesNotKept > 0) lines.push(`        … and ${framesNotKept} frames more, which were not kept`);
  return lines;
}

export function summaryLine({ pass, fail, skipped }: Summary, seconds: number): string {
  const all = pass + fail + skipped;
  return `${all} scenarios in ${seconds.toFixed(1)} s: ${pass} pass, ${fail} fail, ${skipped} skipped`;
}

function frameLine({ atMs, wire, direction, text }: Entry): string {
  return `${String(atMs).padStart(6)} ms ${wire} ${direction} ${text}`;
}
