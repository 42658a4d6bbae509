/** The two cuts that need no search: everything on the end device, everything above. */
import type { PartitionInput } from '../stateGraph.js';
import { firstLayers, requireTwoTiers, type Rival, type SumWeights } from './rival.js';

export class DeviceOnly implements Rival {
  private readonly seconds: number;

  constructor(private readonly input: PartitionInput) {
    requireTwoTiers(input);
    this.seconds = total(input.tiers[0]!.seconds);
  }

  search(weights: SumWeights): number {
    return weights.end * this.seconds;
  }

  endLayers(): number[] {
    return firstLayers(this.input.graph.layers.length);
  }
}

export class EdgeOnly implements Rival {
  private readonly seconds: number;
  private readonly bytesUp: number;
  private readonly bytesDown: number;

  constructor(input: PartitionInput) {
    requireTwoTiers(input);
    this.seconds = total(input.tiers[1]!.seconds);
    const { tensors } = input.graph;
    this.bytesUp = total(
      tensors.filter((t) => t.producer === null && t.consumers.length > 0).map((t) => t.bytes),
    );
    this.bytesDown = total(tensors.filter((t) => t.producer !== null && t.isOutput).map((t) => t.bytes));
  }

  /** @returns Infinity where the hop cannot be used */
  search(weights: SumWeights): number {
    const { edge, hop, up, down, usable } = weights;
    return usable ? edge * this.seconds + hop + up * this.bytesUp + down * this.bytesDown : Infinity;
  }

  endLayers(): number[] {
    return [];
  }
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
