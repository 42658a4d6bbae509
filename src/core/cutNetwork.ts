/**
 * The placement with the least weighted sum of features, by one minimum cut per highest tier used.
 *
 * Problem. Minimise weights · features over all valid placements, without holding them. Algorithm: a node per layer
 * and hop lies on the source side where the layer runs below that hop; the price of a tier is the capacity between
 * the nodes of the hops around it (Ishikawa, PAMI 25(10), 2003), a tensor with several readers hangs on an
 * auxiliary node, so that it is paid once per hop (Hu et al., DADS, INFOCOM 2019). The fixed price of a used hop is no
 * sum over layers; so for each tier k the cut is taken with the tiers up to k alone, the price of k hops is
 * added, and the least sum is exact: the best placement is found at its own highest tier, and no cut
 * claims less than its placement costs. Complexity: one maximum flow per tier. Features that are maxima
 * (working, exposure) are not priced: what breaks a bound on them is forbidden before.
 */
import type { Placement } from './decision.js';
import type { Encoding } from './encoding.js';
import { FlowNetwork } from './maxFlow.js';
import type { StateGraph } from './stateGraph.js';

export interface Prohibitions {
  /** Per layer and tier (`v * tierCount + t`) 1 where the layer may not run there. */
  readonly layers: Uint8Array;
  /** Per tensor and hop (`t * hopCount + h`) 1 where it may not cross. */
  readonly tensors: Uint8Array;
}

/** The cheapest placement on the tiers up to some tier. */
export interface Cut {
  readonly placement: Placement;
  /** What any placement whose highest tier is that one costs at least: the flow and the price of its hops. */
  readonly least: number;
}

interface TensorArc {
  readonly tensor: number;
  readonly hop: number;
  /** Edge that is cut where the tensor crosses; null for an input of the model, which hangs on the source. */
  readonly edge: number | null;
  readonly node: number;
}

/** Most flows raise the labels of their nodes less often than this, on average. */
const usualRelabelings = 4;

export class CutNetwork {
  /** Maximum flows run so far; one that took much longer than most counts for as many as it took the time of. */
  flowCount = 0;
  private readonly network: FlowNetwork;
  private readonly tensorArcs: TensorArc[] = [];
  /** Edges between the nodes of a layer: `tierEdges[v][h]` leads from hop h + 1 to hop h, cut where v runs on tier h + 1. */
  private readonly tierEdges: number[][];
  private readonly hopCount: number;

  constructor(private readonly states: Omit<StateGraph, 'held'>) {
    const { graph, topology, layout } = states;
    this.hopCount = layout.hopCount;
    const tails: number[] = [];
    const heads: number[] = [];
    const never: number[] = [];
    const edge = (tail: number, head: number, isForbidden = false): number => {
      if (isForbidden) never.push(tails.length);
      tails.push(tail);
      heads.push(head);
      return tails.length - 1;
    };
    let nodeCount = graph.layers.length * this.hopCount;
    this.tierEdges = graph.layers.map((_, v) =>
      Array.from({ length: this.hopCount - 1 }, (__, h) => {
        edge(this.node(v, h), this.node(v, h + 1), true);
        return edge(this.node(v, h + 1), this.node(v, h));
      }),
    );
    for (let h = 0; h < this.hopCount; h++) {
      topology.predecessors.forEach((predecessors, v) => {
        for (const p of predecessors) edge(this.node(v, h), this.node(p, h), true);
      });
      graph.tensors.forEach(({ producer, consumers }, tensor) => {
        if (consumers.length === 0) return;
        const node = nodeCount++;
        const cut = producer === null ? null : edge(this.node(producer, h), node);
        for (const c of consumers) edge(node, this.node(c, h), true);
        this.tensorArcs.push({ tensor, hop: h, edge: cut, node });
      });
    }
    this.network = new FlowNetwork(nodeCount, tails, heads);
    for (const e of never) this.network.setCapacity(e, Infinity);
  }

  /**
   * The placements with the least weights · features among those that use the tiers up to k, for each k that
   * the prohibitions leave possible; one of them is the least of all once the price of the hops it uses is added.
   * None where no placement keeps the prohibitions.
   * @param weights per feature, >= 0 and finite; those of maxima are ignored
   */
  cuts(weights: Float64Array, encoding: Encoding, prohibited: Prohibitions): Cut[] {
    this.price(weights, encoding, prohibited);
    const { hopUsed } = this.states.layout;
    const cuts: Cut[] = [];
    let hops = 0;
    for (let highest = 0; highest <= this.hopCount; highest++) {
      if (highest > 0) hops += weights[hopUsed + highest - 1]!;
      this.priceTiers(weights, highest, prohibited);
      const flow = this.network.run();
      this.flowCount += Math.max(1, this.network.relabelings / (usualRelabelings * this.network.nodeCount));
      if (flow < Infinity) cuts.push({ placement: this.read(), least: flow + hops });
    }
    return cuts;
  }

  private node(v: number, hop: number): number {
    return v * this.hopCount + hop;
  }

  private read(): Placement {
    const { sourceSide } = this.network;
    return this.states.graph.layers.map((_, v) => {
      let tier = 0;
      while (tier < this.hopCount && sourceSide[this.node(v, tier)] === 0) tier++;
      return tier;
    });
  }

  /** Prices of what crosses. */
  private price(weights: Float64Array, encoding: Encoding, prohibited: Prohibitions): void {
    const { layout } = this.states;
    for (const { tensor, hop, edge, node } of this.tensorArcs) {
      const cost =
        weights[layout.bytesUp + hop]! * encoding.bytes[tensor]! +
        weights[layout.seconds + hop]! * encoding.encodeSeconds[tensor]! +
        weights[layout.seconds + hop + 1]! * encoding.decodeSeconds[tensor]!;
      const price = prohibited.tensors[tensor * this.hopCount + hop] === 1 ? Infinity : cost;
      if (edge === null) this.network.setTerminals(node, price, 0);
      else this.network.setCapacity(edge, price);
    }
  }

  /** Prices of running each layer on each tier up to `highest`. */
  private priceTiers(weights: Float64Array, highest: number, prohibited: Prohibitions): void {
    const { graph, layout, tiers, facts } = this.states;
    graph.layers.forEach((layer, v) => {
      const priceOf = (t: number): number =>
        t > highest || prohibited.layers[v * layout.tierCount + t] === 1
          ? Infinity
          : weights[layout.seconds + t]! * tiers[t]!.seconds[v]! +
            weights[layout.weights + t]! * layer.weightBytes;
      for (let h = 0; h < this.hopCount; h++) {
        const returned = weights[layout.bytesDown + h]! * facts.outputBytes[v]!;
        const fromSource = returned + (h === this.hopCount - 1 ? priceOf(h + 1) : 0);
        this.network.setTerminals(this.node(v, h), fromSource, h === 0 ? priceOf(0) : 0);
        if (h < this.hopCount - 1) this.network.setCapacity(this.tierEdges[v]![h]!, priceOf(h + 1));
      }
    });
  }
}
