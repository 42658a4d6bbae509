/**
 * Joins cheap groups to a neighbour, so that no layer is worth cutting inside.
 *
 * By definition and not by timing: the same model gives the same layers everywhere. A group is cheap when
 * all its operators are (cheapOperators.ts). What a border sends is compared in bytes, but all that fits
 * one packet counts the same. Rules, until none applies any more:
 *
 * backwards  all that v reads comes from one group u, nobody else reads it, and what v writes is not
 *            larger: a cut between u and v would send at least as much as one after v. Others may read it
 *            where u and v together write no more than a packet.
 * forwards   all that v writes goes to one group x, and what v reads is not larger: a cut between v and x
 *            would send at least as much as one before v.
 * siblings   v and w read from the same groups and write no more than a packet together: where one can
 *            run, so can the other. Only where the rules before have nothing left to join.
 *
 * So each cut that is given up has one beside it that sends no more, or at most one packet for each join, and
 * differs only in where cheap operators run. No rule makes groups wait for one another that did not: v has
 * one neighbour on the side where it joins, and siblings wait for the same groups. So whatever the
 * other operators' places were, they still can be.
 *
 * Rejected: joining any cheap v to a cheap reader where little flows between them and no other path leads
 * there. Whoever else reads v would then wait for all that the reader waits for, be it half the model.
 */
import { bytesOf, findCheapOperators, PACKET_BYTES } from './cheapOperators.js';
import type { Grouping } from './fusedGroups.js';
import type { OperatorGraph } from './operatorGraph.js';
import type { KnownTensor } from './tensorFacts.js';

interface Borders {
  /** Tensors read from outside, with the group that writes them (null: an input of the model). */
  readonly reads: ReadonlyMap<string, number | null>;
  /** Tensors that are read outside or returned. */
  readonly writes: ReadonlySet<string>;
}

/** @param fused groups that do not wait for one another in a circle; neither do those returned */
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
  readonly #cheap: Set<number>;
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
    const isCheap = findCheapOperators(operators, fused, facts);
    this.#cheap = new Set(
      [...this.#members].filter(([, members]) => members.every((at) => isCheap[at])).map(([group]) => group),
    );
  }

  run(): Grouping {
    for (let changed = true; changed;) {
      const backwards = this.#joinNeighbours((group) => this.#sourceOf(group));
      const forwards = this.#joinNeighbours((group) => this.#targetOf(group));
      changed = backwards || forwards || this.#joinSiblings();
    }
    return this.#group;
  }

  #cheapGroups(): number[] {
    return [...this.#cheap].sort((a, b) => a - b);
  }

  #joinNeighbours(neighbourOf: (group: number) => number | null): boolean {
    let changed = false;
    for (const group of this.#cheapGroups()) {
      const neighbour = this.#cheap.has(group) ? neighbourOf(group) : null;
      if (neighbour === null) continue;
      this.#join(group, neighbour);
      changed = true;
    }
    return changed;
  }

  /** The group to join by the rule `backwards`. */
  #sourceOf(group: number): number | null {
    const { reads, writes } = this.#bordersOf(group);
    const [source, ...others] = new Set([...reads.values()].filter((from) => from !== null));
    if (source === undefined || others.length > 0) return null;
    const names = [...reads.keys()];
    if (names.some((name) => this.#returned.has(name))) return null;
    const isOnlyReader = names.every(
      (name) => reads.get(name) !== null && this.#readersOf(name).every((reader) => reader === group),
    );
    if (isOnlyReader && this.#sent(writes) <= this.#sent(names)) return source;
    // Inputs of the model need no look here: they are wherever u can run.
    const both = this.#bordersOf(source, group);
    return this.#bytes(both.writes) <= PACKET_BYTES ? source : null;
  }

  /** The group to join by the rule `forwards`. */
  #targetOf(group: number): number | null {
    const { reads, writes } = this.#bordersOf(group);
    const targets = new Set<number>();
    for (const name of writes) {
      if (this.#returned.has(name)) return null;
      for (const reader of this.#readersOf(name)) if (reader !== group) targets.add(reader);
    }
    const [target, ...others] = targets;
    if (target === undefined || others.length > 0) return null;
    return this.#sent(reads.keys()) <= this.#sent(writes) ? target : null;
  }

  #joinSiblings(): boolean {
    let changed = false;
    const firstOf = new Map<string, { readonly group: number; bytes: number }>();
    for (const group of this.#cheapGroups()) {
      const { reads, writes } = this.#bordersOf(group);
      const bytes = this.#bytes(writes);
      if (!(bytes <= PACKET_BYTES)) continue;
      const sources = [...new Set(reads.values())].sort((a, b) => (a ?? -1) - (b ?? -1)).join();
      const first = firstOf.get(sources);
      if (first !== undefined && first.bytes + bytes <= PACKET_BYTES) {
        this.#join(group, first.group);
        first.bytes += bytes;
        changed = true;
      } else {
        firstOf.set(sources, { group, bytes });
      }
    }
    return changed;
  }

  /** What groups, taken together, read from outside and write for it. */
  #bordersOf(...groups: readonly number[]): Borders {
    const reads = new Map<string, number | null>();
    const writes = new Set<string>();
    for (const index of groups.flatMap((group) => this.#members.get(group) ?? [])) {
      const operator = this.#operators.operators[index]!;
      for (const name of operator.reads) {
        const from = this.#group[this.#operators.producerOf.get(name) ?? -1];
        if (typeof from === 'number' && !groups.includes(from)) reads.set(name, from);
        else if (this.#given.has(name)) reads.set(name, null);
      }
      for (const name of operator.writes) {
        const leaves = this.#readersOf(name).some((reader) => !groups.includes(reader));
        if (leaves || this.#returned.has(name)) writes.add(name);
      }
    }
    return { reads, writes };
  }

  #readersOf(name: string): number[] {
    return (this.#operators.consumersOf.get(name) ?? [])
      .map((reader) => this.#group[reader])
      .filter((group) => group !== null && group !== undefined);
  }

  /** Bytes that a border of these tensors counts for. */
  #sent(names: Iterable<string>): number {
    return Math.max(PACKET_BYTES, this.#bytes(names));
  }

  #bytes(names: Iterable<string>): number {
    return bytesOf(names, this.#facts);
  }

  #join(group: number, neighbour: number): void {
    const [kept, gone] = group < neighbour ? [group, neighbour] : [neighbour, group];
    const moved = this.#members.get(gone) ?? [];
    for (const index of moved) this.#group[index] = kept;
    const [more, fewer] = [this.#members.get(kept) ?? [], moved].sort((a, b) => b.length - a.length);
    for (const index of fewer!) more!.push(index);
    this.#members.set(kept, more!);
    this.#members.delete(gone);
    if (!(this.#cheap.has(kept) && this.#cheap.has(gone))) this.#cheap.delete(kept);
    this.#cheap.delete(gone);
  }
}
