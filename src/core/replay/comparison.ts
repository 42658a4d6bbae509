/** All policies over the same contexts, and whether the default one kept its promises. */
import type { Context } from '../context.js';
import type { Placement } from '../decision.js';
import type { Alternative, Partitioner } from '../partitioner.js';
import { DefaultPolicy } from '../policy/defaultPolicy.js';
import type { PolicyParameters } from '../policy/parameters.js';
import type { Policy } from '../policy/policy.js';
import {
  defaultNearEqualShare,
  FixedPolicy,
  FollowPolicy,
  RecutPolicy,
  RivalPolicy,
} from '../policy/simplePolicies.js';
import { Dads } from '../rivals/dads.js';
import { Neurosurgeon } from '../rivals/neurosurgeon.js';
import type { PartitionInput, StateGraph } from '../stateGraph.js';
import { figuresOf, type Figures } from './figures.js';
import { costTable, hindsight, keepsFixedRequirements, type CostTable } from './hindsight.js';
import { replayPolicy, replaySchedule, type ReplayModel, type ReplayRules, type Step } from './replay.js';

/** In the order of the table; those that see only the past come first. */
export const policyNames = [
  'default',
  'follow',
  'recut',
  'dads',
  'neurosurgeon',
  'device-only',
  'edge-only',
  'best-static',
  'clairvoyant',
] as const;
export type PolicyName = (typeof policyNames)[number];

/** Policies that know the whole trace before it begins. */
export const hindsightPolicies: readonly PolicyName[] = ['best-static', 'clairvoyant'];

export interface PolicyRun {
  readonly name: PolicyName;
  readonly figures: Figures;
  readonly steps: readonly Step[];
}

/** A promise of the default policy: its total stays below a limit. */
export interface Kept {
  readonly limitSeconds: number;
  readonly totalSeconds: number;
  readonly kept: boolean;
}

export interface Comparison {
  readonly runs: readonly PolicyRun[];
  readonly clairvoyantSeconds: number;
  /** False where the clairvoyant and the best static cut could not look at all cuts. */
  readonly isHindsightExact: boolean;
  /**
   * Null where the default policy was not run. `deviceOnly` is null where device-only breaks a requirement that other
   * cuts keep: then nobody can promise to be as quick.
   */
  readonly promises: { readonly deviceOnly: Kept | null; readonly bestStatic: Kept } | null;
}

/** One model on two tiers, ready for replays of any number of traces. */
export class ReplayBench {
  readonly model: ReplayModel;
  private readonly edgeOnly: Placement;

  /** @throws RangeError where the input is not one of two tiers with tensors sent as they are */
  constructor(
    private readonly input: PartitionInput,
    private readonly states: StateGraph,
    partitioner: Partitioner,
  ) {
    const layers = input.graph.layers;
    const deviceOnly = layers.map(() => 0);
    this.edgeOnly = layers.map(() => 1);
    this.model = { deviceOnly, ...remembered(partitioner) };
    // Both refuse what they cannot cut; better before a replay than within.
    new Dads(input);
    new Neurosurgeon(input);
  }

  /** What hindsight needs, the same for every switch cost. @param contexts at least one */
  table(contexts: readonly Context[], rules: Pick<ReplayRules, 'unansweredSeconds'>): CostTable {
    return costTable(contexts, this.states, this.model, rules);
  }

  compare(
    contexts: readonly Context[],
    table: CostTable,
    rules: ReplayRules,
    parameters: PolicyParameters,
    names: readonly PolicyName[] = policyNames,
  ): Comparison {
    const known = hindsight(table, rules.switchSeconds);
    const clairvoyantSeconds = known.clairvoyant.totalSeconds;
    const held = (placement: Placement): Placement[] => contexts.map(() => placement);
    const stepsOf: Readonly<Record<PolicyName, () => Step[]>> = {
      default: () =>
        this.follow(
          contexts,
          rules,
          new DefaultPolicy(this.model.predict, this.model.deviceOnly, parameters),
        ),
      follow: () => this.follow(contexts, rules, new FollowPolicy(this.model.predict, defaultNearEqualShare)),
      recut: () => this.follow(contexts, rules, new RecutPolicy()),
      dads: () => this.follow(contexts, rules, new RivalPolicy(new Dads(this.input), this.input)),
      neurosurgeon: () =>
        this.follow(contexts, rules, new RivalPolicy(new Neurosurgeon(this.input), this.input)),
      'device-only': () => this.follow(contexts, rules, new FixedPolicy(this.model.deviceOnly)),
      'edge-only': () => replaySchedule(contexts, this.model, rules, held(this.edgeOnly)),
      'best-static': () => replaySchedule(contexts, this.model, rules, held(known.bestStatic.placement)),
      clairvoyant: () => replaySchedule(contexts, this.model, rules, known.clairvoyant.schedule),
    };
    const isAllowed = (placement: Placement): boolean =>
      !table.keepsFixed || keepsFixedRequirements(this.model, contexts[0]!, placement);
    const runs = names.map((name) => {
      const steps = stepsOf[name]();
      const isComparable = steps.every(({ placement }) => isAllowed(placement));
      return { name, steps, figures: figuresOf(steps, isComparable ? clairvoyantSeconds : null) };
    });
    const own = runs.find(({ name }) => name === 'default');
    const deviceOnlySeconds = contexts.reduce(
      (sum, context) => sum + this.model.predict(context, this.model.deviceOnly).prediction.latencySeconds,
      0,
    );
    const promise = (share: number, of: number): Kept => {
      const totalSeconds = own!.figures.totalSeconds;
      const limitSeconds = (1 + share) * of + rules.switchSeconds;
      return { limitSeconds, totalSeconds, kept: totalSeconds <= limitSeconds * (1 + 1e-9) };
    };
    return {
      runs,
      clairvoyantSeconds,
      isHindsightExact: known.isExact,
      promises: own
        ? {
            deviceOnly: isAllowed(this.model.deviceOnly) ? promise(0.02, deviceOnlySeconds) : null,
            bestStatic: promise(0.05, known.bestStatic.totalSeconds),
          }
        : null,
    };
  }

  private follow(contexts: readonly Context[], rules: ReplayRules, policy: Policy): Step[] {
    return replayPolicy(contexts, this.model, rules, policy);
  }
}

/** Decisions and predictions that several policies ask for in the same contexts, made once as long as the contexts live. */
function remembered(partitioner: Partitioner): Omit<ReplayModel, 'deviceOnly'> {
  const best = new WeakMap<Context, Alternative>();
  const predicted = new WeakMap<Context, Map<Placement, Alternative>>();
  return {
    best: (context) => {
      const known = best.get(context) ?? partitioner.decide(context);
      best.set(context, known);
      return known;
    },
    predict: (context, placement) => {
      let cuts = predicted.get(context);
      if (cuts === undefined) predicted.set(context, (cuts = new Map<Placement, Alternative>()));
      const known = cuts.get(placement) ?? partitioner.predict(context, placement);
      cuts.set(placement, known);
      return known;
    },
  };
}
