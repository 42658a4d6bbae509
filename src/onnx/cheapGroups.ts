/**
 * Joins cheap groups to a neighbour, so that no layer is worth cutting inside.
 *
 * By definition and not by timing: the same model gives the same layers everywhere. A group is cheap when
 * it consists of element-wise and view-like operators only. Two rules, until neither applies any more:
 *
 * backwards  all that v reads comes from one group u, nobody else reads it, and what v writes is not
 *            larger: a cut between u and v would send at least as much as one after v.
 * forwards   all that v writes goes to one group x, and what v reads is not larger: a cut between v and x
 *            would send at least as much as one before v.
 *
 * So each cut that is given up has one beside it that sends no more, and differs only in where cheap
 * operators run. Neither rule can make groups wait for one another: v has one neighbour on that side.
 */
import type { Grouping } from './fusedGroups.js';
import type { OperatorGraph } from './operatorGraph.js';
import type { KnownTensor } from './tensorFacts.js';

/** Operators of the standard domain that compute each element by itself, or only look at data differently. */
const CHEAP_OPERATORS: ReadonlySet<string> = new Set(
  (
    'Identity Reshape Flatten Squeeze Unsqueeze Dropout Cast CastLike Transpose BatchNormalization QuantizeLinear DequantizeLinear ' +
    'Add Sub Mul Div Pow Mod Min Max Sum Mean Neg Abs Sign Floor Ceil Round Reciprocal Sqrt Exp Log Erf ' +
    'Sin Cos Tan Asin Acos Atan Sinh Cosh Asinh Acosh Atanh ' +
    'Relu LeakyRelu PRelu ThresholdedRelu Clip Elu Selu Celu Gelu Mish Sigmoid HardSigmoid HardSwish Swish Tanh Softplus Softsign Shrink ' +
    'And Or Xor Not BitwiseAnd BitwiseOr BitwiseXor BitwiseNot BitShift Equal Greater GreaterOrEqual Less LessOrEqual Where IsNaN IsInf'
  ).split(' '),
);
const CHEAP_CONTRIBUTED: ReadonlySet<string> = new Set([
  'BiasGelu',
  'FastGelu',
  'Gelu',
  'QuickGelu',
  'QuantizeLinear',
  'DequantizeLinear',
]);

interface Borders {
  /** Tensors read from outside, with the group that writes them (null: an input of the model). */
  readonly reads: ReadonlyMap<string, number | null>;
  /** Tensors that are read outside or returned. */
  readonly writes: ReadonlySet<string>;
}

export function joinCheapGroups(
  operators: OperatorGraph,
  fused: Grouping,
  facts: ReadonlyMap<string, KnownTensor>,
): Grouping {
  return new CheapJoiner(operators, fused, facts).run();
}

class CheapJoiner {
  readonly #operators: OperatorGraph;
  readonly #facts: ReadonlyMap<string, KnownTensor>;
  readonly #group: (number | null)[];
  readonly #members = new Map<number, number[]>();
  readonly #returned: ReadonlySet<string>;
  readonly #given: ReadonlySet<string>;

  constructor(operators: OperatorGraph, fused: Grouping, facts: ReadonlyMap<string, KnownTensor>) {
    this.#operators = operators;
    this.#facts = facts;
    this.#group = [...fused];
    this.#returned = new Set(operators.outputs);
    this.#given = new Set(operators.inputs.map((input) => input.name));
    fused.forEach((group, index) => {
      if (group === null) return;
      const members = this.#members.get(group);
      if (members === undefined) this.#members.set(group, [index]);
      else members.push(index);
    });
  }

  run(): Grouping {
    for (let changed = true; changed;) {
      changed = false;
      for (const rule of [this.#backwards, this.#forwards]) {
        for (const group of [...this.#members.keys()].sort((a, b) => a - b)) {
          const neighbour = this.#isCheap(group) ? rule.call(this, group) : null;
          if (neighbour === null) continue;
          this.#join(group, neighbour);
          changed = true;
        }
      }
    }
    return this.#group;
  }

  #isCheap(group: number): boolean {
    const members = this.#members.get(group);
    return (
      members?.every((index) => {
        const { type, domain } = this.#operators.operators[index]!;
        return domain === ''
          ? CHEAP_OPERATORS.has(type)
          : domain === 'com.microsoft' && CHEAP_CONTRIBUTED.has(type);
      }) ?? false
    );
  }

  #backwards(group: number): number | null {
    const { reads, writes } = this.#bordersOf(group);
    const [source, ...others] = new Set(reads.values());
    if (source === undefined || source === null || others.length > 0) return null;
    for (const name of reads.keys()) {
      if (this.#returned.has(name) || this.#readersOf(name).some((reader) => reader !== group)) return null;
    }
    return this.#bytes(writes) <= this.#bytes(reads.keys()) ? source : null;
  }

  #forwards(group: number): number | null {
    const { reads, writes } = this.#bordersOf(group);
    const targets = new Set<number>();
    for (const name of writes) {
      if (this.#returned.has(name)) return null;
      for (const reader of this.#readersOf(name)) if (reader !== group) targets.add(reader);
    }
    const [target, ...others] = targets;
    if (target === undefined || others.length > 0) return null;
    return this.#bytes(reads.keys()) <= this.#bytes(writes) ? target : null;
  }

  #bordersOf(group: number): Borders {
    const reads = new Map<string, number | null>();
    const writes = new Set<string>();
    for (const index of this.#members.get(group) ?? []) {
      const operator = this.#operators.operators[index]!;
      for (const name of operator.reads) {
        const from = this.#group[this.#operators.producerOf.get(name) ?? -1];
        if (typeof from === 'number' && from !== group) reads.set(name, from);
        else if (this.#given.has(name)) reads.set(name, null);
      }
      for (const name of operator.writes) {
        if (this.#returned.has(name) || this.#readersOf(name).some((reader) => reader !== group))
          writes.add(name);
      }
    }
    return { reads, writes };
  }

  #readersOf(name: string): number[] {
    return (this.#operators.consumersOf.get(name) ?? [])
      .map((reader) => this.#group[reader])
      .filter((group) => group !== null && group !== undefined);
  }

  #bytes(names: Iterable<string>): number {
    let bytes = 0;
    for (const name of names) bytes += this.#facts.get(name)?.bytes ?? Number.NaN; // NaN compares false: no join
    return bytes;
  }

  #join(group: number, neighbour: number): void {
    const [kept, gone] = group < neighbour ? [group, neighbour] : [neighbour, group];
    const moved = this.#members.get(gone) ?? [];
    for (const index of moved) this.#group[index] = kept;
    this.#members.set(
      kept,
      [...(this.#members.get(kept) ?? []), ...moved].sort((a, b) => a - b),
    );
    this.#members.delete(gone);
  }
}
