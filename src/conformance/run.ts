/** Plays scenarios, several at once, each within its time. */
import { setMaxListeners } from 'node:events';
import { NotPlayable, Unmet } from './outcome.js';
import { defaultTimeLimitMs, nameOf, type Scenario, type Topic, type Verdict } from './scenario.js';
import { Transcript, type Entry } from './transcript.js';

export interface Result {
  readonly name: string;
  readonly topic: Topic;
  readonly promise: string;
  readonly verdict: Verdict;
  /** Why it failed or was skipped. */
  readonly reason: string | null;
  readonly durationMs: number;
  readonly frames: readonly Entry[];
  /** Frames that came after the transcript was full. */
  readonly framesNotKept: number;
}

/** What a scenario is played on, made for it alone. */
export interface Playground {
  /** Time that the scenario gets besides its own, where the other side may keep it waiting, ms. */
  readonly connectMs: number;
  /** Each time within which something must happen is so many times as long: the other side, or this machine, is slow. */
  readonly patience: number;
  /** What every scenario holds besides its own promise. @throws Unmet */
  verify(): void;
  /** Closes and deletes what the scenario left. */
  dispose(): Promise<void>;
}

export interface RunOptions<Stage extends Playground> {
  readonly scenarios: readonly Scenario<Stage>[];
  /** Scenarios that are under way at the same time. */
  readonly atOnce: number;
  /** Those with the highest go first, so that the others run while they wait. */
  readonly waitsMs?: (scenario: Scenario<Stage>) => number;
  readonly stage: (
    scenario: Scenario<Stage>,
    transcript: Transcript,
    signal: AbortSignal,
  ) => Stage | Promise<Stage>;
  /** Told of each result as soon as it is there. */
  readonly done: (result: Result) => void;
}

/** @returns the results in the order of the scenarios */
export async function runScenarios<Stage extends Playground>(options: RunOptions<Stage>): Promise<Result[]> {
  const { scenarios, atOnce, waitsMs, done } = options;
  const results: Result[] = [];
  const left = scenarios.map((scenario, index) => ({ scenario, index, ms: waitsMs?.(scenario) ?? 0 }));
  left.sort((a, b) => b.ms - a.ms);
  const worker = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const result = await play(next.scenario, options);
      results[next.index] = result;
      done(result);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, scenarios.length) }, worker));
  return results;
}

async function play<Stage extends Playground>(
  scenario: Scenario<Stage>,
  { stage: makeStage }: RunOptions<Stage>,
): Promise<Result> {
  const transcript = new Transcript();
  const over = new AbortController();
  setMaxListeners(0, over.signal); // each connection and each wait of the scenario listens
  const startMs = performance.now();
  const stage = await makeStage(scenario, transcript, over.signal);
  const limitMs = (scenario.timeLimitMs?.(stage) ?? defaultTimeLimitMs) * stage.patience + stage.connectMs;
  const timer = setTimeout(() => over.abort(new Unmet(`not done within ${limitMs} ms`)), limitMs);
  const { verdict, reason } = await verdictOf(scenario.play(stage).then(() => stage.verify()));
  clearTimeout(timer);
  await stage.dispose();
  over.abort(new Unmet('the scenario is over')); // ends waits that nobody waits for any more
  return {
    name: nameOf(scenario),
    topic: scenario.topic,
    promise: scenario.promise,
    verdict,
    reason,
    durationMs: Math.round(performance.now() - startMs),
    frames: transcript.entries,
    framesNotKept: transcript.notKept,
  };
}

async function verdictOf(played: Promise<void>): Promise<{ verdict: Verdict; reason: string | null }> {
  try {
    await played;
    return { verdict: 'pass', reason: null };
  } catch (error) {
    if (error instanceof Unmet) return { verdict: 'fail', reason: error.message };
    if (error instanceof NotPlayable) return { verdict: 'skipped', reason: error.message };
    throw error;
  }
}
