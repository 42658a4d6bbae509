/**
 * Maximum flow, and with it a minimum cut, of a network that is built once and solved for many capacities.
 *
 * Problem. Each node may be fed by the source and drained by the sink; edges between nodes carry up to a
 * capacity in each direction. Split the nodes into a source side and a sink side so that the capacity of what
 * leads from the first to the second is least. Algorithm: Dinic's. In each phase every node that can still
 * reach the sink gets its distance to it, then flow is pushed along arcs that lead one step nearer until none is
 * left. Differences from the textbook: source and sink are no nodes (their capacities stand with the nodes, and
 * what can go straight through a node is cancelled at once), and a phase pushes from all fed nodes that reach the
 * sink, not from the nearest alone, which needs fewer phases on the long thin graphs of neural networks.
 *
 * Complexity: O(nodes² · arcs) at worst; no allocation after the constructor. Capacities are floats: every push
 * empties an arc exactly, so it ends; the cut is minimum up to the rounding of sums. Source: Dinic, Soviet
 * Math. Doklady 11, 1970; maximum flow = minimum cut: Ford and Fulkerson, 1956. Rejected:
 * a network simplex or a general LP, which are slower by orders; integer capacities, which would round seconds.
 */
export class FlowNetwork {
  /** After `run`: 1 for nodes on the source side, 0 on the sink side. Of all minimum cuts the one with the most nodes on the source side. */
  readonly sourceSide: Uint8Array;
  /** Phases of the last `run`. */
  phases = 0;

  /** Arcs of node v: `arcStart[v]` … `arcStart[v + 1] - 1`. */
  private readonly arcStart: Int32Array;
  private readonly arcHead: Int32Array;
  private readonly arcReverse: Int32Array;
  /** Arc of an edge in its own direction; the opposite one is its reverse. */
  private readonly edgeArc: Int32Array;
  private readonly capacity: Float64Array;
  private readonly residual: Float64Array;
  private readonly fromSource: Float64Array;
  private readonly toSink: Float64Array;
  private readonly supply: Float64Array;
  private readonly demand: Float64Array;
  /** Steps to the sink, 1 at nodes that drain into it, 0 where it cannot be reached. */
  private readonly distance: Int32Array;
  private readonly current: Int32Array;
  private readonly queue: Int32Array;
  /** Arcs of the path that is being followed. */
  private readonly path: Int32Array;

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
    this.arcStart = new Int32Array(nodeCount + 1);
    for (let e = 0; e < edgeCount; e++) {
      this.arcStart[this.requireNode(tails[e]!) + 1]!++;
      this.arcStart[this.requireNode(heads[e]!) + 1]!++;
    }
    for (let v = 0; v < nodeCount; v++) this.arcStart[v + 1]! += this.arcStart[v]!;
    this.arcHead = new Int32Array(2 * edgeCount);
    this.arcReverse = new Int32Array(2 * edgeCount);
    this.edgeArc = new Int32Array(edgeCount);
    const next = this.arcStart.slice(0, nodeCount);
    for (let e = 0; e < edgeCount; e++) {
      const forward = next[tails[e]!]!++;
      const backward = next[heads[e]!]!++;
      this.arcHead[forward] = heads[e]!;
      this.arcHead[backward] = tails[e]!;
      this.arcReverse[forward] = backward;
      this.arcReverse[backward] = forward;
      this.edgeArc[e] = forward;
    }
    this.capacity = new Float64Array(2 * edgeCount);
    this.residual = new Float64Array(2 * edgeCount);
    this.fromSource = new Float64Array(nodeCount);
    this.toSink = new Float64Array(nodeCount);
    this.supply = new Float64Array(nodeCount);
    this.demand = new Float64Array(nodeCount);
    this.distance = new Int32Array(nodeCount);
    this.current = next;
    this.queue = new Int32Array(nodeCount);
    this.path = new Int32Array(nodeCount);
    this.sourceSide = new Uint8Array(nodeCount);
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

  /** Capacities between a node and the terminals: cut where it lies on the sink side, and on the source side. Finite, >= 0. */
  setTerminals(node: number, fromSource: number, toSink: number): void {
    if (!(fromSource >= 0 && toSink >= 0 && fromSource < Infinity && toSink < Infinity)) {
      throw new RangeError(
        `node ${node}: capacities ${fromSource} and ${toSink} must be finite numbers >= 0`,
      );
    }
    this.fromSource[this.requireNode(node)] = fromSource;
    this.toSink[node] = toSink;
  }

  /** Solves for the capacities that are set. @returns the capacity of the minimum cut; `sourceSide` says where each node is */
  run(): number {
    this.residual.set(this.capacity);
    let flow = 0;
    for (let v = 0; v < this.nodeCount; v++) {
      const fed = this.fromSource[v]!;
      const drained = this.toSink[v]!;
      const through = fed < drained ? fed : drained;
      flow += through;
      this.supply[v] = fed - through;
      this.demand[v] = drained - through;
    }
    this.phases = 0;
    while (this.measureDistances()) {
      this.phases++;
      for (let v = 0; v < this.nodeCount; v++) {
        if (this.supply[v]! > 0 && this.distance[v]! > 0) flow += this.pushFrom(v);
      }
    }
    for (let v = 0; v < this.nodeCount; v++) this.sourceSide[v] = this.distance[v] === 0 ? 1 : 0;
    return flow;
  }

  /** Breadth-first from the sink, against the arcs. True where a fed node reaches the sink. */
  private measureDistances(): boolean {
    const { distance, queue, arcStart, arcHead, arcReverse, residual, supply, demand, current } = this;
    let filled = 0;
    for (let v = 0; v < this.nodeCount; v++) {
      distance[v] = 0;
      current[v] = arcStart[v]!;
      if (demand[v]! > 0) {
        distance[v] = 1;
        queue[filled++] = v;
      }
    }
    let reached = false;
    for (let i = 0; i < filled; i++) {
      const v = queue[i]!;
      const further = distance[v]! + 1;
      if (supply[v]! > 0) reached = true;
      for (let arc = arcStart[v]!, end = arcStart[v + 1]!; arc < end; arc++) {
        const u = arcHead[arc]!;
        if (distance[u] === 0 && residual[arcReverse[arc]!]! > 0) {
          distance[u] = further;
          queue[filled++] = u;
        }
      }
    }
    return reached;
  }

  /** Pushes what `start` is fed towards the sink, always one step nearer. @returns what arrived */
  private pushFrom(start: number): number {
    const { distance, current, arcStart, arcHead, arcReverse, residual, supply, demand, path } = this;
    let pushed = 0;
    let length = 0;
    let v = start;
    for (;;) {
      if (demand[v]! > 0) {
        // The path ends here; nodes that drain are at distance 1, so none lies on the way to another.
        let amount = supply[start]! < demand[v]! ? supply[start]! : demand[v]!;
        for (let i = 0; i < length; i++) if (residual[path[i]!]! < amount) amount = residual[path[i]!]!;
        pushed += amount;
        supply[start]! -= amount;
        demand[v]! -= amount;
        let firstEmpty = length;
        for (let i = length - 1; i >= 0; i--) {
          const arc = path[i]!;
          residual[arc]! -= amount;
          residual[arcReverse[arc]!]! += amount;
          if (residual[arc] === 0) firstEmpty = i;
        }
        if (supply[start] === 0) return pushed;
        if (firstEmpty < length) {
          length = firstEmpty;
          v = arcHead[arcReverse[path[length]!]!]!;
        }
        if (demand[v]! > 0) continue;
      }
      let arc = current[v]!;
      const end = arcStart[v + 1]!;
      const nearer = distance[v]! - 1;
      while (arc < end && !(residual[arc]! > 0 && distance[arcHead[arc]!] === nearer)) arc++;
      current[v] = arc;
      if (arc < end && nearer > 0) {
        path[length++] = arc;
        v = arcHead[arc]!;
        continue;
      }
      // Nothing leads on from here in this phase.
      distance[v] = -1;
      if (length === 0) return pushed;
      length--;
      v = arcHead[arcReverse[path[length]!]!]!;
      current[v]!++;
    }
  }

  private requireNode(node: number): number {
    if (!(Number.isInteger(node) && node >= 0 && node < this.nodeCount)) {
      throw new RangeError(`node ${node}: the network has nodes 0 to ${this.nodeCount - 1}`);
    }
    return node;
  }
}
