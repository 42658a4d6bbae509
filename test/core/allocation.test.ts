/** A search under bounds allocates nothing: no garbage in the path of telemetry. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { askedOf, walkContexts, type BoundSource } from '../../bench/search/contexts.js';
import { allCuts, ScanOracle } from '../../bench/search/oracle.js';
import { partitionInput } from '../../bench/search/partitionInput.js';
import { syntheticModel } from '../../bench/search/synthetic.js';
import { Gads } from '../../src/core/gads.js';
import type { Problem } from '../../src/core/problem.js';
import { buildStateGraph, type StateGraph } from '../../src/core/stateGraph.js';

// Else searches are compiled beside the test, from what was seen by then: another code on a busier machine. And V8 seldom
// compiles a function once more whose loop it compiled alone while it ran, and then had to give up (seen in branch()).
setFlagsFromString('--no-concurrent-recompilation');
setFlagsFromString('--no-use-osr');

const maxCuts = 10_000;
/** Searches get compiled meanwhile; what few of them need, later. */
const warmRounds = 60;
const compiledWithinMs = 10_000;
const measuredRounds = 9;

/** Bytes per search, median over rounds: reading the figure costs some bytes itself, and a collection takes some away. */
function bytesPerSearch(states: StateGraph, problems: readonly Problem[]): number {
  const gads = new Gads(states.held!);
  let present = -1;
  const round = (): number => {
    const before = process.memoryUsage().heapUsed;
    // An iterator would make an object for each turn wherever the compiler does not see through it.
    for (let i = 0; i < problems.length; i++)
      present = gads.search(problems[i]!.objective, problems[i]!.constraints, present);
    return (process.memoryUsage().heapUsed - before) / problems.length;
  };
  for (let i = 0; i < warmRounds; i++) round();
  const rounds = Array.from({ length: measuredRounds }, round);
  return rounds.sort((a, b) => a - b)[measuredRounds >> 1]!;
}

for (const tierCount of [2, 3]) {
  const { graph, seconds } = syntheticModel('net', { blocks: 4, width: 2, length: 3 }, 5);
  const states = buildStateGraph(partitionInput(graph, seconds, tierCount, 11), maxCuts);
  const rows = allCuts(states, maxCuts)!;
  const oracle = new ScanOracle(rows);
  const source: BoundSource = {
    rowCount: rows.count,
    features: rows.features,
    best: (problem) => oracle.best(problem),
  };
  const walk = walkContexts(states, 2000, 12);
  for (const mode of ['constrained', 'objectives'] as const) {
    test(`no search of mode ${mode} allocates, on ${tierCount} tiers`, () => {
      const gads = new Gads(states.held!);
      const problems = askedOf(mode, states, source, walk, 13)
        .map(({ problem }) => problem)
        .filter(({ objective, constraints }) => gads.search(objective, constraints, -1) >= 0);
      assert.ok(problems.length > walk.length / 2, `${problems.length} can be met`);
      let bytes = bytesPerSearch(states, problems);
      const patience = performance.now() + compiledWithinMs;
      while (bytes >= 1 && performance.now() < patience) bytes = bytesPerSearch(states, problems);
      assert.ok(bytes < 1, `${bytes.toFixed(1)} bytes per search`);
    });
  }
}
