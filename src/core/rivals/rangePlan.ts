/** Nodes and edges of the network of a range, as lists that the network is made from. */
import type { PartitionInput } from '../stateGraph.js';
import type { Reachability } from './reachability.js';

/** The free layers `first` … `end` - 1: all before are on the end device, all after above. */
export interface LayerRange {
  readonly first: number;
  readonly end: number;
}

/** An edge of a network; nodes are the free layers (from 0), then auxiliary vertices. */
export interface PlannedEdge {
  readonly tail: number;
  readonly head: number;
  /** Of the tensor that the edge carries; Infinity where it may never be cut. */
  bytes: number;
  /** True where the head may not be on the end device without the tail. */
  ordered: boolean;
}

export class RangePlan {
  fixedBytesUp = 0;
  fixedBytesDown = 0;
  /** Per node: bytes paid where it is above, where it is on the end device, and bytes that come back where it is above. */
  readonly bytesFed: number[];
  readonly bytesDrained: number[];
  readonly bytesReturned: number[];
  readonly edges: PlannedEdge[] = [];
  private readonly auxiliary = new Map<string, number>();
  private readonly edgeOf = new Map<number, PlannedEdge>();

  /** @param reach given: what other edges imply is left out, and what can be one edge or vertex is merged */
  constructor(
    { graph }: PartitionInput,
    private readonly range: LayerRange,
    private readonly reach: Reachability | null,
  ) {
    const { first, end } = range;
    const zeros = (): number[] => new Array<number>(end - first).fill(0);
    this.bytesFed = zeros();
    this.bytesDrained = zeros();
    this.bytesReturned = zeros();
    for (const { producer, consumers, bytes, isOutput } of graph.tensors) {
      if (isOutput && producer !== null) {
        if (producer >= end) this.fixedBytesDown += bytes;
        else if (producer >= first) this.bytesReturned[producer - first]! += bytes;
      }
      if (producer !== null && producer >= end) continue;
      const free = consumers.filter((c) => c >= first && c < end);
      const isReadAbove = consumers.some((c) => c >= end);
      if (producer === null || producer < first) this.addAvailable(free, isReadAbove, bytes);
      else this.addMade(producer, free, isReadAbove, bytes);
    }
    if (reach !== null) this.addOrder(graph.tensors, reach);
  }

  /** A tensor that is on the end device in every cut of the range. */
  private addAvailable(free: readonly number[], isReadAbove: boolean, bytes: number): void {
    if (isReadAbove) {
      this.fixedBytesUp += bytes;
      return;
    }
    const readers = this.reach?.lastOf(free) ?? free;
    if (readers.length === 1) this.bytesFed[readers[0]! - this.range.first]! += bytes;
    if (readers.length > 1) this.bytesFed[this.auxiliaryFor(null, readers)]! += bytes;
  }

  /** A tensor that a free layer makes. */
  private addMade(producer: number, free: readonly number[], isReadAbove: boolean, bytes: number): void {
    const { first } = this.range;
    const node = producer - first;
    if (isReadAbove) this.bytesDrained[node]! += bytes;
    if (this.reach === null) {
      // Plain: an edge for each reader that keeps it above its producer; a single reader's carries the tensor too.
      const carried = isReadAbove || free.length !== 1 ? 0 : bytes;
      for (const c of free) this.newEdge(node, c - first, carried, true);
      if (!isReadAbove && free.length > 1) {
        this.newEdge(node, this.auxiliaryFor(producer, free), bytes, false);
      }
      return;
    }
    if (isReadAbove) return;
    const readers = this.reach.lastOf(free);
    if (readers.length === 1) this.edge(node, readers[0]! - first).bytes += bytes;
    if (readers.length > 1) this.edge(node, this.auxiliaryFor(producer, readers)).bytes += bytes;
  }

  /** The vertex that is above as soon as one of `readers` is. */
  private auxiliaryFor(producer: number | null, readers: readonly number[]): number {
    const node = this.bytesFed.length;
    if (this.reach !== null) {
      const key = `${producer} ${readers.join(' ')}`;
      const known = this.auxiliary.get(key);
      if (known !== undefined) return known;
      this.auxiliary.set(key, node);
    }
    this.bytesFed.push(0);
    this.bytesDrained.push(0);
    this.bytesReturned.push(0);
    for (const reader of readers) this.newEdge(node, reader - this.range.first, Infinity, false);
    return node;
  }

  private addOrder(tensors: PartitionInput['graph']['tensors'], reach: Reachability): void {
    const { first, end } = this.range;
    const readersOf = new Map<number, Set<number>>();
    for (const { producer, consumers } of tensors) {
      if (producer === null || producer < first || producer >= end) continue;
      const readers = readersOf.get(producer) ?? new Set<number>();
      for (const c of consumers) if (c < end) readers.add(c);
      readersOf.set(producer, readers);
    }
    for (const [producer, readers] of readersOf) {
      for (const reader of readers) {
        const isImplied = [...readers].some((between) => reach.leads(between, reader));
        if (!isImplied) this.edge(producer - first, reader - first).ordered = true;
      }
    }
  }

  /** The one edge between two nodes, made where there is none. */
  private edge(tail: number, head: number): PlannedEdge {
    const key = tail * 2 ** 26 + head; // exact for fewer than 2^26 nodes
    const known = this.edgeOf.get(key);
    if (known) return known;
    const edge = this.newEdge(tail, head, 0, false);
    this.edgeOf.set(key, edge);
    return edge;
  }

  private newEdge(tail: number, head: number, bytes: number, ordered: boolean): PlannedEdge {
    const edge: PlannedEdge = { tail, head, bytes, ordered };
    this.edges.push(edge);
    return edge;
  }
}
