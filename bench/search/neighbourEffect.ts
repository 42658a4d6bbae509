/** Does the heuristic of the paper hold? How far apart consecutive optima lie in the partition state graph. */
import { objectiveValue } from '../../src/core/objective.js';
import { weightedSum } from '../../src/core/features.js';
import type { Problem } from '../../src/core/problem.js';
import type { Neighbours } from '../../src/core/neighbours.js';
import type { HeldStates } from '../../src/core/stateGraph.js';
import { near } from './oracle.js';
import type { NeighbourEffect } from './results.js';

/** Farther is not looked for; nor are more states than this touched for one move. */
const maxHops = 24;
const maxTouched = 100_000;

/**
 * @param optima state of the optimum per problem, in time order
 * @param seconds spent at most; later steps are left out
 */
export function neighbourEffect(
  held: HeldStates,
  edges: Neighbours,
  problems: readonly Problem[],
  optima: Int32Array,
  seconds: number,
): NeighbourEffect {
  const limit = performance.now() + seconds * 1e3;
  const hops = new Array<number>(maxHops + 1).fill(0);
  const search = new HopSearch(edges);
  let steps = 0;
  let moves = 0;
  let beyond = 0;
  let walkFoundOptimum = 0;
  for (let i = 1; i < optima.length && performance.now() < limit; i++) {
    steps++;
    const before = optima[i - 1]!;
    const now = optima[i]!;
    if (walkEndsAt(held, edges, problems[i]!, before, now)) walkFoundOptimum++;
    if (before === now) continue;
    moves++;
    const distance = search.distance(before, now);
    if (distance < 0) beyond++;
    else hops[distance]!++;
  }
  return { steps, moves, hops, beyond, walkFoundOptimum };
}

/** Steepest descent among states that meet the bounds: the heuristic of the paper. GADS itself takes no step to a neighbour. */
function walkEndsAt(
  { features, count }: HeldStates,
  { start: firstOf, neighbours }: Neighbours,
  { objective, constraints }: Problem,
  start: number,
  optimum: number,
): boolean {
  const width = features.length / count;
  const valueOf = (state: number): number => {
    const meets = constraints.every((c) => weightedSum(c.weights, features, state * width) <= c.limit);
    return meets ? objectiveValue(objective, features, state * width) : Infinity;
  };
  let here = start;
  let value = valueOf(start);
  for (let moved = true; moved;) {
    moved = false;
    const from = here;
    for (let i = firstOf[from]!; i < firstOf[from + 1]!; i++) {
      const other = valueOf(neighbours[i]!);
      if (other < value) {
        value = other;
        here = neighbours[i]!;
        moved = true;
      }
    }
  }
  return near(value, valueOf(optimum));
}

/** Breadth-first search over the neighbours. */
class HopSearch {
  private readonly seenIn: Int32Array;
  private readonly queue: Int32Array;
  private run = 0;

  constructor(private readonly edges: Neighbours) {
    const count = edges.start.length - 1;
    this.seenIn = new Int32Array(count);
    this.queue = new Int32Array(count);
  }

  /** Hops from one state to another; -1 where they are too many. */
  distance(from: number, to: number): number {
    const { seenIn, queue } = this;
    const { start, neighbours } = this.edges;
    const run = ++this.run;
    queue[0] = from;
    seenIn[from] = run;
    let filled = 1;
    let read = 0;
    for (let hop = 1; hop <= maxHops && read < filled && filled < maxTouched; hop++) {
      for (const end = filled; read < end; read++) {
        const state = queue[read]!;
        for (let i = start[state]!; i < start[state + 1]!; i++) {
          const next = neighbours[i]!;
          if (next === to) return hop;
          if (seenIn[next] === run) continue;
          seenIn[next] = run;
          queue[filled++] = next;
        }
      }
    }
    return -1;
  }
}
