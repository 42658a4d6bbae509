/**
 * The best that could have been done, known afterwards: the clairvoyant, and the best cut held throughout.
 *
 * Clairvoyant. Of all sequences of cuts the one with the least total latency, switches included, by dynamic programming
 * over the steps: with v_i(k) the least total of the steps up to i that ends in cut k,
 *   v_i(k) = cost_i(k) + min(v_{i-1}(k), min_j v_{i-1}(j) + switch).
 * Looked at are the cuts that keep all requirements that do not depend on the link (all cuts where none does). The steps of
 * any policy that keeps them too are one of these sequences, so no such policy can be better; one that breaks them can, and
 * is not compared. O(steps * cuts) time; one bit per
 * step and cut tells afterwards where the best sequence stayed. Cuts that another is no worse than in
 * all features that a latency weighs are left out: the cost of a request grows with each of them, so that they are
 * needed in no sequence.
 *
 * Where the states of a graph are not held, only the cuts that were the best in some step (and the two fixed ones) are
 * looked at; then the total is that of a sequence that was possible, but no proven bound.
 */
import type { Context } from '../context.js';
import type { ConstraintName, Placement } from '../decision.js';
import { weightedSum } from '../features.js';
import { dominators } from '../pareto.js';
import { answeredSeconds } from '../policy/requestCost.js';
import { samePlacement } from '../policy/policy.js';
import { assess } from '../problem.js';
import { placementOfState, type HeldStates, type StateGraph } from '../stateGraph.js';
import type { ReplayModel, ReplayRules } from './replay.js';

export interface Hindsight {
  /** Total latency of every step of the best sequence, switches included. */
  readonly clairvoyant: { readonly totalSeconds: number; readonly schedule: readonly Placement[] };
  readonly bestStatic: { readonly totalSeconds: number; readonly placement: Placement };
  /** False where not all cuts could be looked at. */
  readonly isExact: boolean;
}

/** Latency of a request per step and cut, `steps` rows of `cuts`, before any switch. */
export interface CostTable {
  readonly steps: number;
  readonly cuts: number;
  readonly seconds: Float64Array;
  readonly placementOf: (cut: number) => Placement;
  readonly isExact: boolean;
  /** Whether the cuts keep the requirements that do not depend on the link; false where no cut does. */
  readonly keepsFixed: boolean;
}

/** Most numbers in a cost table: 800 MB would be too many for a laptop, so a tenth. */
const maxTableLength = 10_000_000;

/** Costs of all cuts that may be needed in hindsight. Cuts that break a requirement in the first step that can tell are left out. */
export function costTable(
  contexts: readonly Context[],
  states: StateGraph,
  model: ReplayModel,
  rules: Pick<ReplayRules, 'unansweredSeconds'>,
): CostTable {
  const held = states.held;
  if (held === null) return tableOfSeen(contexts, model, rules);
  const { needed, keepsFixed } = neededStates(contexts, states, held);
  if (needed.length * contexts.length > maxTableLength) return tableOfSeen(contexts, model, rules);
  const { layout, facts } = states;
  const seconds = new Float64Array(contexts.length * needed.length);
  contexts.forEach((context, i) => {
    const { latency, hopUsable } = assess(context, layout, facts.maxDepth);
    const deviceOnly = model.predict(context, model.deviceOnly).prediction.latencySeconds;
    needed.forEach((state, k) => {
      const row = state * layout.length;
      const isUsable = hopUsable.every(
        (usable, h) => usable || held.features[row + layout.hopUsed + h] === 0,
      );
      const predicted = isUsable ? weightedSum(latency, held.features, row) : Infinity;
      seconds[i * needed.length + k] = answeredSeconds(predicted, deviceOnly, rules.unansweredSeconds);
    });
  });
  return {
    steps: contexts.length,
    cuts: needed.length,
    seconds,
    placementOf: (cut) => placementOfState(states, held, needed[cut]!).placement,
    isExact: true,
    keepsFixed,
  };
}

/** States that no other one replaces: none is no worse in all features that a latency weighs. */
function neededStates(
  contexts: readonly Context[],
  states: StateGraph,
  held: HeldStates,
): { needed: number[]; keepsFixed: boolean } {
  const { layout, facts } = states;
  const width = layout.weights;
  const { constraints } = assess(contexts[0]!, layout, facts.maxDepth);
  // Bounds that do not move with the link hold in every step alike.
  const fixed = constraints.filter(({ name }) => isFixed(name));
  const meets = (state: number): boolean =>
    fixed.every(({ weights, limit }) => weightedSum(weights, held.features, state * layout.length) <= limit);
  const all = Array.from({ length: held.count }, (_, state) => state);
  const allowed = all.filter(meets);
  const candidates = allowed.length > 0 ? allowed : all;
  const features = new Float64Array(candidates.length * width);
  candidates.forEach((state, i) => {
    const row = state * layout.length;
    features.set(held.features.subarray(row, row + width), i * width);
  });
  const dominator = dominators(features, width, { first: 0, end: 0 });
  return { needed: candidates.filter((_, i) => dominator[i] === i), keepsFixed: allowed.length > 0 };
}

function tableOfSeen(
  contexts: readonly Context[],
  model: ReplayModel,
  rules: Pick<ReplayRules, 'unansweredSeconds'>,
): CostTable {
  const seen: Placement[] = [model.deviceOnly, model.deviceOnly.map(() => 1)];
  for (const context of contexts) {
    const { placement } = model.best(context);
    if (!seen.some((other) => samePlacement(other, placement))) seen.push(placement);
  }
  const keeping = seen.filter((placement) => keepsFixedRequirements(model, contexts[0]!, placement));
  const keepsFixed = keeping.length > 0;
  return { ...tableOf(contexts, model, rules, keepsFixed ? keeping : seen), keepsFixed };
}

/** Whether a cut keeps all requirements that do not depend on the link; the same in every context of a replay. */
export function keepsFixedRequirements(model: ReplayModel, context: Context, placement: Placement): boolean {
  return model.predict(context, placement).violations.every(({ constraint }) => !isFixed(constraint));
}

/** Bounds that do not move with the link. */
function isFixed(name: ConstraintName): boolean {
  return !name.startsWith('hops[') && name !== 'latencySeconds' && name !== 'energyJoulesPerInference';
}

function tableOf(
  contexts: readonly Context[],
  model: ReplayModel,
  rules: Pick<ReplayRules, 'unansweredSeconds'>,
  seen: readonly Placement[],
): Omit<CostTable, 'keepsFixed'> {
  const seconds = new Float64Array(contexts.length * seen.length);
  contexts.forEach((context, i) => {
    const deviceOnly = model.predict(context, model.deviceOnly).prediction.latencySeconds;
    seen.forEach((placement, k) => {
      const predicted = model.predict(context, placement).prediction.latencySeconds;
      seconds[i * seen.length + k] = answeredSeconds(predicted, deviceOnly, rules.unansweredSeconds);
    });
  });
  return {
    steps: contexts.length,
    cuts: seen.length,
    seconds,
    placementOf: (cut) => seen[cut]!,
    isExact: false,
  };
}

/** The best sequence of cuts and the best single one. */
export function hindsight(table: CostTable, switchSeconds: number): Hindsight {
  const { steps, cuts, seconds } = table;
  const stayed = new Uint8Array(Math.ceil((steps * cuts) / 8));
  const cameFrom = new Int32Array(steps);
  const value = new Float64Array(cuts);
  const totals = new Float64Array(cuts);
  for (let i = 0; i < steps; i++) {
    const cheapest = leastOf(value);
    cameFrom[i] = cheapest;
    const viaSwitch = value[cheapest]! + switchSeconds;
    for (let k = 0; k < cuts; k++) {
      const cost = seconds[i * cuts + k]!;
      totals[k]! += cost;
      const bit = i * cuts + k;
      if (i === 0 || value[k]! <= viaSwitch) {
        stayed[bit >>> 3]! |= 1 << (bit & 7);
        value[k]! += cost;
      } else value[k] = viaSwitch + cost;
    }
  }
  const last = leastOf(value);
  const path = new Int32Array(steps);
  for (let i = steps - 1, k = last; i >= 0; i--) {
    path[i] = k;
    const bit = i * cuts + k;
    if (((stayed[bit >>> 3]! >>> (bit & 7)) & 1) === 0) k = cameFrom[i]!;
  }
  const placements = new Map<number, Placement>();
  const placementOf = (cut: number): Placement => {
    const known = placements.get(cut) ?? table.placementOf(cut);
    placements.set(cut, known);
    return known;
  };
  const best = leastOf(totals);
  return {
    clairvoyant: { totalSeconds: value[last]!, schedule: [...path].map(placementOf) },
    bestStatic: { totalSeconds: totals[best]!, placement: placementOf(best) },
    isExact: table.isExact,
  };
}

function leastOf(values: Float64Array): number {
  let least = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! < values[least]!) least = i;
  return least;
}
