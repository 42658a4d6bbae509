/**
 * Which layer leads to which: one row of bits per layer, filled from the last layer to the first.
 * O(layers · edges / 32) time, layers² / 8 bytes; made once per graph.
 */
import type { Topology } from '../topology.js';

export class Reachability {
  private readonly rows: Uint32Array;
  private readonly words: number;

  constructor({ successors }: Topology) {
    const count = successors.length;
    this.words = Math.ceil(count / 32);
    this.rows = new Uint32Array(count * this.words);
    for (let v = count - 1; v >= 0; v--) {
      for (const next of successors[v]!) {
        this.rows[v * this.words + (next >>> 5)]! |= 1 << (next & 31);
        for (let w = v >>> 5; w < this.words; w++) {
          this.rows[v * this.words + w]! |= this.rows[next * this.words + w]!;
        }
      }
    }
  }

  /** True where a path of at least one tensor leads from layer `from` to layer `to`. */
  leads(from: number, to: number): boolean {
    return ((this.rows[from * this.words + (to >>> 5)]! >>> (to & 31)) & 1) === 1;
  }

  /** Those of `layers` that lead to no other of them. */
  lastOf(layers: readonly number[]): number[] {
    return layers.filter((from) => !layers.some((to) => this.leads(from, to)));
  }
}
