/**
 * The edges of the partition state graph. Moving one layer flips one bit of a state's mask; the state with that
 * mask is found by a hash that can be updated bit by bit (Zobrist hashing:
 * one fixed word per layer, combined by exclusive or), verified against the masks, so that a collision costs time and never a wrong edge.
 */
import type { Topology } from './topology.js';

/**
 * @param masks rows of `words` words of all enumerated states, `rawCount` rows
 * @param placed rows of the kept states in their final order
 * @param placeOf per enumerated row the place of the kept state that stands for it
 */
export function neighboursOf(
  topology: Topology,
  masks: Uint32Array,
  words: number,
  rawCount: number,
  placed: Int32Array,
  placeOf: Int32Array,
): { neighbourStart: Int32Array; neighbours: Int32Array } {
  const index = new MaskIndex(topology.predecessors.length, masks, words, rawCount);
  const neighbourStart = new Int32Array(placed.length + 1);
  let neighbours = new Int32Array(placed.length * 4 + 16);
  let filled = 0;
  const lastSeen = new Int32Array(placed.length).fill(-1);
  placed.forEach((row, place) => {
    lastSeen[place] = place;
    const visit = (layer: number): void => {
      const found = index.withFlipped(row, layer);
      if (found < 0) return;
      const neighbour = placeOf[found]!;
      if (lastSeen[neighbour] === place) return;
      lastSeen[neighbour] = place;
      if (filled === neighbours.length) {
        const larger = new Int32Array(filled * 2);
        larger.set(neighbours);
        neighbours = larger;
      }
      neighbours[filled++] = neighbour;
    };
    forEachMovable(topology, masks, row * words, visit);
    neighbourStart[place + 1] = filled;
  });
  return { neighbourStart, neighbours: neighbours.slice(0, filled) };
}

/** Layers that may change tier alone: above with all predecessors on the end device, or there with no successor there. */
function forEachMovable(
  { predecessors, successors }: Topology,
  masks: Uint32Array,
  offset: number,
  visit: (layer: number) => void,
): void {
  const onEnd = (v: number): boolean => ((masks[offset + (v >>> 5)]! >>> (v & 31)) & 1) === 1;
  for (let v = 0; v < predecessors.length; v++) {
    const movable = onEnd(v) ? !successors[v]!.some(onEnd) : predecessors[v]!.every(onEnd);
    if (movable) visit(v);
  }
}

/** Open addressing over the masks of all rows. */
class MaskIndex {
  private readonly slots: Int32Array;
  private readonly hashes: Uint32Array;
  private readonly keys: Uint32Array;

  constructor(
    layerCount: number,
    private readonly masks: Uint32Array,
    private readonly words: number,
    rowCount: number,
  ) {
    this.keys = Uint32Array.from({ length: layerCount }, (_, v) => scramble(v + 1));
    let size = 16;
    while (size < rowCount * 2) size *= 2;
    this.slots = new Int32Array(size).fill(-1);
    this.hashes = new Uint32Array(rowCount);
    for (let row = 0; row < rowCount; row++) {
      let hash = 0;
      for (let v = 0; v < layerCount; v++) {
        if ((masks[row * words + (v >>> 5)]! >>> (v & 31)) & 1) hash ^= this.keys[v]!;
      }
      this.hashes[row] = hash;
      let slot = hash & (size - 1);
      while (this.slots[slot]! >= 0) slot = (slot + 1) & (size - 1);
      this.slots[slot] = row;
    }
  }

  /** The row whose mask is that of `row` with the bit of `layer` flipped; -1 where there is none. */
  withFlipped(row: number, layer: number): number {
    const hash = (this.hashes[row]! ^ this.keys[layer]!) >>> 0;
    const last = this.slots.length - 1;
    for (let slot = hash & last; this.slots[slot]! >= 0; slot = (slot + 1) & last) {
      const candidate = this.slots[slot]!;
      if (this.hashes[candidate] === hash && this.differsOnlyIn(row, candidate, layer)) return candidate;
    }
    return -1;
  }

  private differsOnlyIn(a: number, b: number, layer: number): boolean {
    for (let w = 0; w < this.words; w++) {
      const flipped = w === layer >>> 5 ? 1 << (layer & 31) : 0;
      const difference = this.masks[a * this.words + w]! ^ this.masks[b * this.words + w]!;
      if (difference !== flipped) return false;
    }
    return true;
  }
}

/** A 32-bit finaliser (Murmur3's): spreads consecutive numbers over all words. */
function scramble(value: number): number {
  let h = Math.imul(value, 0x9e3779b1);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
