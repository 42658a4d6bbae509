/**
 * The network whose minimum cut is the best cut of the layers `first` … `end` - 1, when all before them run on the
 * end device and all after them above. For the whole graph this is the network of DADS; for the layers
 * between two cut vertices that of QDMP.
 *
 * The source side is the end device. A layer above cuts what feeds it from the source: its seconds there, its share
 * of the outputs, tensors that are surely available below. A layer on the end device cuts what drains it: its seconds,
 * tensors that are surely read above. A tensor between free layers with one reader is an edge; with several it
 * goes through an auxiliary vertex, so that it is paid for once. Infinite capacity keeps data from flowing down.
 *
 * With `reach` given, vertices and edges that others imply are left out, which changes no cut: where one reader of a
 * tensor leads to another, the tensor crosses exactly when the latter runs above, so only readers that lead
 * to no other count; and an order that follows from two others needs no edge. Finding that out takes time, so
 * it pays where a network is solved more than once.
 */
import { FlowNetwork } from '../maxFlow.js';
import type { PartitionInput } from '../stateGraph.js';
import { RangePlan, type LayerRange } from './rangePlan.js';
import type { Reachability } from './reachability.js';
import type { SumWeights } from './rival.js';

export class RangeCut {
  /** Bytes that cross in every cut of the range, and that come back in every one. */
  readonly fixedBytesUp: number;
  readonly fixedBytesDown: number;
  private readonly network: FlowNetwork;
  private readonly first: number;
  private readonly endSeconds: Float64Array;
  private readonly edgeSeconds: Float64Array;
  private readonly bytesFed: Float64Array;
  private readonly bytesDrained: Float64Array;
  private readonly bytesReturned: Float64Array;
  /** Edges that carry a tensor, its bytes, and their capacity the other way. */
  private readonly carriers: Int32Array;
  private readonly carriedBytes: Float64Array;
  private readonly carrierBackward: Float64Array;

  constructor(input: PartitionInput, range: LayerRange, reach: Reachability | null) {
    const plan = new RangePlan(input, range, reach);
    const { edges } = plan;
    const { first, end } = range;
    this.first = first;
    this.fixedBytesUp = plan.fixedBytesUp;
    this.fixedBytesDown = plan.fixedBytesDown;
    this.endSeconds = new Float64Array(input.tiers[0]!.seconds.slice(first, end));
    this.edgeSeconds = new Float64Array(input.tiers[1]!.seconds.slice(first, end));
    this.bytesFed = new Float64Array(plan.bytesFed);
    this.bytesDrained = new Float64Array(plan.bytesDrained);
    this.bytesReturned = new Float64Array(plan.bytesReturned);
    const tails = new Int32Array(edges.length);
    const heads = new Int32Array(edges.length);
    let carrierCount = 0;
    for (let e = 0; e < edges.length; e++) {
      const { tail, head, bytes } = edges[e]!;
      tails[e] = tail;
      heads[e] = head;
      if (bytes > 0 && bytes < Infinity) carrierCount++;
    }
    this.network = new FlowNetwork(plan.bytesFed.length, tails, heads);
    this.carriers = new Int32Array(carrierCount);
    this.carriedBytes = new Float64Array(carrierCount);
    this.carrierBackward = new Float64Array(carrierCount);
    let next = 0;
    for (let e = 0; e < edges.length; e++) {
      const { bytes, ordered } = edges[e]!;
      const backward = ordered ? Infinity : 0;
      if (bytes > 0 && bytes < Infinity) {
        this.carriers[next] = e;
        this.carriedBytes[next] = bytes;
        this.carrierBackward[next++] = backward;
      } else {
        this.network.setCapacity(e, bytes, backward);
      }
    }
  }

  /**
   * Solves for the given weights.
   * @returns the least cost of the range, without what is fixed and without the hop itself
   */
  solve({ end, edge, up, down }: SumWeights): number {
    const { network, endSeconds, edgeSeconds, bytesFed, bytesDrained, bytesReturned, carriers } = this;
    const layerCount = endSeconds.length;
    for (let v = 0; v < layerCount; v++) {
      const above = edge * edgeSeconds[v]! + down * bytesReturned[v]! + up * bytesFed[v]!;
      network.setTerminals(v, above, end * endSeconds[v]! + up * bytesDrained[v]!);
    }
    for (let v = layerCount; v < bytesFed.length; v++) {
      network.setTerminals(v, up * bytesFed[v]!, up * bytesDrained[v]!);
    }
    for (let i = 0; i < carriers.length; i++) {
      network.setCapacity(carriers[i]!, up * this.carriedBytes[i]!, this.carrierBackward[i]);
    }
    return network.run();
  }

  /** Whether a layer of the range is on the end device in the cut last found. */
  isOnEnd(layer: number): boolean {
    return this.network.sourceSide[layer - this.first] === 1;
  }
}
