/**
 * The oracle where cuts are too many to list: the least sum of seconds, hops and bytes without bounds, by one minimum cut.
 *
 * A node per layer and hop lies on the source side where the layer runs below that hop. What a layer costs on tier t is
 * what it costs on the end device plus, for each hop below t, the difference that crossing it makes; so no node costs
 * anything but by its own side, and only orders join the nodes: below one hop means below those that follow, and no layer
 * runs below one that it reads from. A tensor that crosses, and a hop that is used, are a node each that any of its
 * layers pulls over.
 *
 * The decisions that it judges are cut otherwise (core/cutNetwork.ts): prices of tiers between nodes (Ishikawa, PAMI 25(10),
 * 2003), a cut per highest tier, the price of the hops added to each. What both share is the maximum flow, which the
 * tests hold against trying all cuts. The value is that of the placement found, costed from the definition of its features.
 */
import { featuresOfPlacement } from '../../src/core/cut.js';
import { rawEncoding } from '../../src/core/encoding.js';
import { weightedSum } from '../../src/core/features.js';
import { FlowNetwork } from '../../src/core/maxFlow.js';
import type { Problem } from '../../src/core/problem.js';
import type { StateGraph } from '../../src/core/stateGraph.js';

/** An edge that is cut where its tail is below a hop and its head is not. */
interface Arc {
  readonly tail: number;
  readonly head: number;
}

/** A tensor that a layer writes; it crosses where this edge is cut. */
interface Crossing {
  readonly edge: number;
  readonly tensor: number;
  readonly hop: number;
}

export class MinimumCut {
  private readonly hopCount: number;
  private readonly network: FlowNetwork;
  private readonly crossings: Crossing[] = [];
  /** Bytes of the model's inputs by node and hop: what the source side feeds. */
  private readonly fed: { readonly node: number; readonly tensor: number; readonly hop: number }[] = [];
  /** Per hop the node that stands for its use. */
  private readonly hopNodes: readonly number[];
  private readonly returned: Float64Array;

  constructor(private readonly states: Omit<StateGraph, 'held'>) {
    const { graph, layout, topology } = states;
    this.hopCount = layout.hopCount;
    const arcs: Arc[] = [];
    /** No cut may separate them that way. */
    const ordered: number[] = [];
    let nodeCount = graph.layers.length * this.hopCount;
    const order = (tail: number, head: number): void => void ordered.push(arcs.push({ tail, head }) - 1);
    for (let h = 0; h < this.hopCount; h++) {
      graph.layers.forEach((_, v) => {
        if (h + 1 < this.hopCount) order(this.node(v, h), this.node(v, h + 1));
        for (const p of topology.predecessors[v]!) order(this.node(v, h), this.node(p, h));
      });
      graph.tensors.forEach(({ producer, consumers }, tensor) => {
        const pulled = nodeCount++;
        for (const c of consumers) order(pulled, this.node(c, h));
        if (producer === null) this.fed.push({ node: pulled, tensor, hop: h });
        else {
          const edge = arcs.push({ tail: this.node(producer, h), head: pulled }) - 1;
          this.crossings.push({ edge, tensor, hop: h });
        }
      });
    }
    this.hopNodes = Array.from({ length: this.hopCount }, (_, h) => {
      const used = nodeCount++;
      graph.layers.forEach((__, v) => order(used, this.node(v, h)));
      return used;
    });
    const tails = arcs.map(({ tail }) => tail);
    const heads = arcs.map(({ head }) => head);
    this.network = new FlowNetwork(nodeCount, tails, heads);
    for (const edge of ordered) this.network.setCapacity(edge, Infinity);
    this.returned = new Float64Array(graph.layers.length);
    for (const { producer, isOutput, bytes } of graph.tensors)
      if (isOutput && producer !== null) this.returned[producer]! += bytes;
  }

  /**
   * The least value of the objective of `problem` over all placements that use no hop which cannot be used.
   * @throws RangeError where there are bounds, a bottleneck, or weights of what is neither seconds, hops nor bytes
   */
  least({ objective, constraints, hopUsable }: Problem): number {
    const { layout, graph, tiers, facts } = this.states;
    const { linear, stageWeight } = objective;
    if (stageWeight !== 0) throw new RangeError('objective: a bottleneck is no sum');
    if (linear.subarray(layout.weights).some((weight) => weight !== 0))
      throw new RangeError('objective: weighs more than seconds, hops and bytes');
    const bound = constraints.find(({ name }) => !/^hops\[\d+\]\.usable$/.test(name));
    if (bound !== undefined) throw new RangeError(`${bound.name}: this oracle knows no bounds`);
    this.price(linear, hopUsable);
    if (this.network.run() === Infinity) throw new Error('device-only is always possible');
    const encoding = rawEncoding(graph);
    const placement = this.placement();
    return weightedSum(linear, featuresOfPlacement(graph, tiers, facts, layout, placement, encoding), 0);
  }

  private node(v: number, hop: number): number {
    return v * this.hopCount + hop;
  }

  private price(linear: Float64Array, hopUsable: readonly boolean[]): void {
    const { graph, layout, tiers } = this.states;
    const { network } = this;
    for (let h = 0; h < this.hopCount; h++) {
      for (let v = 0; v < graph.layers.length; v++) {
        const below = linear[layout.seconds + h]! * tiers[h]!.seconds[v]!;
        const above =
          linear[layout.seconds + h + 1]! * tiers[h + 1]!.seconds[v]! +
          linear[layout.bytesDown + h]! * this.returned[v]!;
        const crossed = hopUsable[h]! ? Math.max(0, above - below) : Infinity;
        network.setTerminals(this.node(v, h), crossed, Math.max(0, below - above));
      }
      network.setTerminals(this.hopNodes[h]!, linear[layout.hopUsed + h]!, 0);
    }
    const priceOf = (tensor: number, hop: number): number =>
      linear[layout.bytesUp + hop]! * graph.tensors[tensor]!.bytes;
    for (const { edge, tensor, hop } of this.crossings) network.setCapacity(edge, priceOf(tensor, hop));
    for (const { node, tensor, hop } of this.fed) network.setTerminals(node, priceOf(tensor, hop), 0);
  }

  private placement(): number[] {
    const { sourceSide } = this.network;
    return this.states.graph.layers.map((_, v) => {
      let tier = this.hopCount;
      while (tier > 0 && sourceSide[this.node(v, tier - 1)] === 1) tier--;
      return tier;
    });
  }
}
