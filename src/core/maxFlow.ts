/**
 * Maximum flow, and with it a minimum cut, of a network that is built once and solved for many capacities.
 *
 * Problem. Each node may be fed by the source and drained by the sink; edges between nodes carry up to a
 * capacity in each direction. Split the nodes into a source side and a sink side so that the capacity of what
 * leads from the first to the second is least. Algorithm: push-relabel, first in first out. Each node has a label, at
 * most its distance to the sink; excess is pushed to nodes one label nearer, and a node that cannot push is
 * relabelled. Exact distances are taken at the start and again whenever relabelling has cost as much as that does;
 * where no node is left with some label, those above it are cut off from the sink (gap). Only the first half of the
 * algorithm is run: what cannot reach the sink stays where it is, which is enough for a minimum cut. Source and sink
 * are no nodes: their capacities stand with the nodes, and what can go straight through a node is cancelled.
 *
 * Complexity: O(nodes³) at worst, about linear on the long thin graphs of neural networks; no allocation after the
 * constructor. Capacities are floats: a push empties an arc or a node exactly, so it ends; the cut is minimum
 * up to the rounding of sums. Source: Goldberg and Tarjan, J. ACM 35(4), 1988; gap and exact distances:
 * Cherkassky and Goldberg, Algorithmica 19, 1997. Rejected: Dinic's algorithm, which needs a phase for each
 * distance, here about every third layer, and took five to ten times as long; a general LP; integer capacities,
 * which would round seconds.
 */
import { pinnedToSink, settlePinned } from './pinnedNodes.js';

export class FlowNetwork {
  /** After `run`: 1 for nodes on the source side, 0 on the sink side. Of all minimum cuts the one with the most nodes on the source side. */
  readonly sourceSide: Uint8Array;
  /** Labels raised one by one in the last `run`: a measure of its work. */
  relabelings = 0;

  /** Arcs of node v: `arcStart[v]` … `arcStart[v + 1] - 1`. */
  readonly arcStart: Int32Array;
  readonly arcHead: Int32Array;
  readonly arcReverse: Int32Array;
  /** Arc of an edge in its own direction; the opposite one is its reverse. */
  private readonly edgeArc: Int32Array;
  private readonly capacity: Float64Array;
  readonly residual: Float64Array;
  private readonly fromSource: Float64Array;
  private readonly toSink: Float64Array;
  readonly supply: Float64Array;
  readonly demand: Float64Array;
  /** At most the steps to the sink, 1 where a node drains into it; more than `nodeCount` where it is out of reach. */
  private readonly label: Int32Array;
  /** Nodes per label. */
  private readonly withLabel: Int32Array;
  private readonly current: Int32Array;
  /** Ring of nodes that have excess and are not out of reach; also the queue of the breadth-first search. */
  private readonly queue: Int32Array;
  private queueStart = 0;
  private queued = 0;
  private readonly scratch: Int32Array;
  /** As in pinnedNodes.ts. */
  private readonly sides: Uint8Array;
  /** Capacities from or to a terminal that are infinite. */
  private infiniteCount = 0;

  /**
   * A network whose capacities are all 0.
   * @param tails node where each edge starts
   * @param heads node where each edge ends, same length
   * @throws RangeError where an edge names no node
   */
  constructor(
    readonly nodeCount: number,
    tails: ArrayLike<number>,
    heads: ArrayLike<number>,
  ) {
    const edgeCount = tails.length;
    if (heads.length !== edgeCount) throw new RangeError(`${edgeCount} tails for ${heads.length} heads`);
    // Two buffers for all arrays: where a network is built for one search, allocation is most of the building.
    const floats = new Float64Array(4 * edgeCount + 4 * nodeCount);
    const integers = new Int32Array(5 * edgeCount + 6 * nodeCount + 3);
    let takenFloats = 0;
    let takenIntegers = 0;
    const takeFloats = (length: number): Float64Array =>
      floats.subarray(takenFloats, (takenFloats += length));
    const takeIntegers = (length: number): Int32Array =>
      integers.subarray(takenIntegers, (takenIntegers += length));
    this.capacity = takeFloats(2 * edgeCount);
    this.residual = takeFloats(2 * edgeCount);
    this.fromSource = takeFloats(nodeCount);
    this.toSink = takeFloats(nodeCount);
    this.supply = takeFloats(nodeCount);
    this.demand = takeFloats(nodeCount);
    this.arcStart = takeIntegers(nodeCount + 1);
    this.arcHead = takeIntegers(2 * edgeCount);
    this.arcReverse = takeIntegers(2 * edgeCount);
    this.edgeArc = takeIntegers(edgeCount);
    this.label = takeIntegers(nodeCount);
    this.withLabel = takeIntegers(nodeCount + 2);
    this.current = takeIntegers(nodeCount);
    this.queue = takeIntegers(nodeCount);
    this.scratch = takeIntegers(nodeCount);
    this.sourceSide = new Uint8Array(nodeCount);
    this.sides = new Uint8Array(nodeCount);
    this.connect(tails, heads);
  }

  /**
   * Capacities of an edge in its own and in the opposite direction, >= 0; Infinity means that no cut may
   * separate its ends that way.
   */
  setCapacity(edge: number, forward: number, backward = 0): void {
    if (!(forward >= 0 && backward >= 0)) {
      throw new RangeError(`edge ${edge}: capacities ${forward} and ${backward} must be numbers >= 0`);
    }
    const arc = this.edgeArc[edge];
    if (arc === undefined) throw new RangeError(`edge ${edge}: there is no such edge`);
    this.capacity[arc] = forward;
    this.capacity[this.arcReverse[arc]!] = backward;
  }

  /**
   * Capacities between a node and the terminals, >= 0: cut where it lies on the sink side, and on the source
   * side; Infinity means that it must not lie there.
   */
  setTerminals(node: number, fromSource: number, toSink: number): void {
    if (!(fromSource >= 0 && toSink >= 0)) {
      throw new RangeError(`node ${node}: capacities ${fromSource} and ${toSink} must be numbers >= 0`);
    }
    this.requireNode(node);
    this.infiniteCount += infinite(fromSource) + infinite(toSink);
    this.infiniteCount -= infinite(this.fromSource[node]!) + infinite(this.toSink[node]!);
    this.fromSource[node] = fromSource;
    this.toSink[node] = toSink;
  }

  /**
   * Solves for the capacities that are set.
   * @returns the capacity of the minimum cut, `sourceSide` says where each node is; Infinity where every cut
   *   separates what must not be, then `sourceSide` says nothing
   */
  run(): number {
    const { nodeCount, supply, demand, fromSource, toSink, label } = this;
    this.residual.set(this.capacity);
    let flow = 0;
    for (let v = 0; v < nodeCount; v++) {
      const fed = fromSource[v]!;
      const drained = toSink[v]!;
      const through = fed < drained ? fed : drained;
      flow += through;
      supply[v] = fed === Infinity ? fed : fed - through;
      demand[v] = drained === Infinity ? drained : drained - through;
    }
    this.relabelings = 0;
    if (this.infiniteCount > 0) flow += settlePinned(this, this.sides, this.scratch);
    if (flow === Infinity) return flow;
    this.measureDistances();
    this.queueStart = 0;
    this.queued = 0;
    for (let v = 0; v < nodeCount; v++) if (supply[v]! > 0 && label[v]! <= nodeCount) this.activate(v);
    let budget = nodeCount;
    while (this.queued > 0) {
      const v = this.queue[this.queueStart]!;
      this.queueStart = this.queueStart + 1 === nodeCount ? 0 : this.queueStart + 1;
      this.queued--;
      const before = this.relabelings;
      flow += this.discharge(v);
      budget -= this.relabelings - before;
      if (budget < 0) {
        this.measureDistances();
        budget = nodeCount;
      }
    }
    this.measureDistances();
    for (let v = 0; v < nodeCount; v++) this.sourceSide[v] = label[v]! > nodeCount ? 1 : 0;
    if (this.infiniteCount > 0) this.sides.forEach((s, v) => s === pinnedToSink && (this.sourceSide[v] = 0));
    return flow;
  }

  /** Sets all labels to the steps to the sink, breadth-first against the arcs. */
  private measureDistances(): void {
    const { nodeCount, label, withLabel, scratch, arcStart, arcHead, arcReverse, residual, demand, current } =
      this;
    withLabel.fill(0);
    let filled = 0;
    for (let v = 0; v < nodeCount; v++) {
      current[v] = arcStart[v]!;
      if (demand[v]! > 0) {
        label[v] = 1;
        scratch[filled++] = v;
      } else {
        label[v] = nodeCount + 1;
      }
    }
    for (let i = 0; i < filled; i++) {
      const v = scratch[i]!;
      const steps = label[v]!;
      withLabel[steps]!++;
      for (let arc = arcStart[v]!, end = arcStart[v + 1]!; arc < end; arc++) {
        const u = arcHead[arc]!;
        if (label[u]! > nodeCount && residual[arcReverse[arc]!]! > 0) {
          label[u] = steps + 1;
          scratch[filled++] = u;
        }
      }
    }
  }

  private activate(node: number): void {
    let place = this.queueStart + this.queued;
    if (place >= this.nodeCount) place -= this.nodeCount;
    this.queue[place] = node;
    this.queued++;
  }

  /** Pushes on what node `v` has until nothing is left or the sink is out of its reach. @returns what went into the sink */
  private discharge(v: number): number {
    const { nodeCount, label, current, arcStart, arcHead, arcReverse, residual, supply, demand } = this;
    let drained = 0;
    let excess = supply[v]!;
    const end = arcStart[v + 1]!;
    while (label[v]! <= nodeCount) {
      const nearer = label[v]! - 1;
      let arc = current[v]!;
      for (; arc < end; arc++) {
        const free = residual[arc]!;
        const u = arcHead[arc]!;
        if (free === 0 || label[u] !== nearer) continue;
        const amount = excess < free ? excess : free;
        residual[arc] = free - amount;
        residual[arcReverse[arc]!]! += amount;
        excess -= amount;
        const wanted = demand[u]!;
        if (amount <= wanted) {
          demand[u] = wanted - amount;
          drained += amount;
        } else {
          demand[u] = 0;
          drained += wanted;
          if (supply[u] === 0) this.activate(u);
          supply[u]! += amount - wanted;
        }
        if (excess === 0) break;
      }
      current[v] = arc;
      if (excess === 0) break;
      this.relabel(v);
    }
    supply[v] = excess;
    return drained;
  }

  /** Raises the label of a node that could not push all it has. */
  private relabel(v: number): void {
    const { nodeCount, label, withLabel, arcStart, arcHead, residual } = this;
    this.relabelings++;
    const before = label[v]!;
    let least = nodeCount;
    for (let arc = arcStart[v]!, end = arcStart[v + 1]!; arc < end; arc++) {
      if (residual[arc]! > 0 && label[arcHead[arc]!]! < least) least = label[arcHead[arc]!]!;
    }
    this.current[v] = arcStart[v]!;
    withLabel[before]!--;
    if (withLabel[before] === 0) {
      // Nothing is left at this label: what lies above it, v too, cannot come nearer to the sink.
      for (let u = 0; u < nodeCount; u++) {
        if (label[u]! > before && label[u]! <= nodeCount) {
          withLabel[label[u]!]!--;
          label[u] = nodeCount + 1;
        }
      }
      label[v] = nodeCount + 1;
      return;
    }
    label[v] = least + 1;
    if (least < nodeCount) withLabel[least + 1]!++;
  }

  /** Lists the arcs of each node, in both directions of each edge. */
  private connect(tails: ArrayLike<number>, heads: ArrayLike<number>): void {
    const { nodeCount, arcStart, arcHead, arcReverse, edgeArc } = this;
    for (let e = 0; e < tails.length; e++) {
      arcStart[this.requireNode(tails[e]!) + 1]!++;
      arcStart[this.requireNode(heads[e]!) + 1]!++;
    }
    for (let v = 0; v < nodeCount; v++) arcStart[v + 1]! += arcStart[v]!;
    const next = this.scratch;
    next.set(arcStart.subarray(0, nodeCount));
    for (let e = 0; e < tails.length; e++) {
      const forward = next[tails[e]!]!++;
      const backward = next[heads[e]!]!++;
      arcHead[forward] = heads[e]!;
      arcHead[backward] = tails[e]!;
      arcReverse[forward] = backward;
      arcReverse[backward] = forward;
      edgeArc[e] = forward;
    }
  }

  private requireNode(node: number): number {
    if (!(Number.isInteger(node) && node >= 0 && node < this.nodeCount)) {
      throw new RangeError(`node ${node}: the network has nodes 0 to ${this.nodeCount - 1}`);
    }
    return node;
  }
}

function infinite(capacity: number): number {
  return capacity === Infinity ? 1 : 0;
}
