/**
 * The edges of the partition state graph: two states are neighbours when one layer moves by one tier; where that leads to
 * a state that was pruned, the neighbour is the kept state that dominates it. Made on demand, by listing and pruning the
 * states anew, in about the time of the build: no search walks to a neighbour (gads.ts says why).
 *
 * Moving one layer flips one bit of a state's mask; the state with that
 * mask is found by a hash that can be updated bit by bit (Zobrist hashing:
 * one fixed word per layer, combined by exclusive or), verified against the masks, so that a collision costs time and never a wrong edge.
 */
import { dominatorOf, enumerateStates, type HeldStates, type StateGraph } from './stateGraph.js';
import { stateWithMask } from './stateIndex.js';
import type { StateRows } from './stateRows.js';
import type { Topology } from './topology.js';

/** Neighbours of state s: `neighbours[start[s]]` … `neighbours[start[s + 1] - 1]`, each once. */
export interface Neighbours {
  readonly start: Int32Array;
  readonly neighbours: Int32Array;
}

/** Of all held states. @throws RangeError where the states are too many to hold */
export function neighboursOf(states: StateGraph): Neighbours {
  const { held, layout, topology } = states;
  const rows = held === null ? null : enumerateStates(states, held.rawCount);
  if (held === null || rows === null) throw new RangeError(`${states.graph.name}: its states are not held`);
  const { placed, placeOf } = placesOf(held, rows, dominatorOf(rows, layout));
  const { tierCount } = layout;
  const index = new MaskIndex(rows);
  const start = new Int32Array(placed.length + 1);
  let neighbours = new Int32Array(placed.length * 4 + 16);
  let filled = 0;
  const lastSeen = new Int32Array(placed.length).fill(-1);
  const tierOf = new Uint8Array(topology.predecessors.length);
  placed.forEach((row, place) => {
    lastSeen[place] = place;
    const visit = (hop: number, layer: number): void => {
      const found = index.withFlipped(row, hop * rows.layerWords * 32 + layer);
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
    readTiers(rows, row, tierCount, tierOf);
    forEachMove(topology, tierCount, tierOf, visit);
    start[place + 1] = filled;
  });
  return { start, neighbours: neighbours.slice(0, filled) };
}

/** By held state its row; by row the held state that stands for it. */
function placesOf(
  held: HeldStates,
  rows: StateRows,
  dominator: Int32Array,
): { placed: Int32Array; placeOf: Int32Array } {
  const { words, masks } = rows;
  const placed = new Int32Array(held.count);
  const placeOf = new Int32Array(rows.count);
  dominator.forEach((kept, row) => {
    if (kept !== row) return;
    const place = stateWithMask(held, masks.subarray(row * words, (row + 1) * words));
    placed[place] = row;
    placeOf[row] = place;
  });
  dominator.forEach((kept, row) => (placeOf[row] = placeOf[kept]!));
  return { placed, placeOf };
}

function readTiers(rows: StateRows, row: number, tierCount: number, tierOf: Uint8Array): void {
  for (let v = 0; v < tierOf.length; v++) {
    let tier = tierCount - 1;
    for (let h = 0; h < tierCount - 1; h++) {
      tier -= (rows.masks[row * rows.words + h * rows.layerWords + (v >>> 5)]! >>> (v & 31)) & 1;
    }
    tierOf[v] = tier;
  }
}

/** Tells each hop over which a layer may move alone: up where all its successors are above it, down where all predecessors are below. */
function forEachMove(
  { predecessors, successors }: Topology,
  tierCount: number,
  tierOf: Uint8Array,
  visit: (hop: number, layer: number) => void,
): void {
  for (let v = 0; v < tierOf.length; v++) {
    const tier = tierOf[v]!;
    if (tier < tierCount - 1 && successors[v]!.every((s) => tierOf[s]! > tier)) visit(tier, v);
    if (tier > 0 && predecessors[v]!.every((p) => tierOf[p]! < tier)) visit(tier - 1, v);
  }
}

/** Open addressing over the masks of all rows. */
class MaskIndex {
  private readonly slots: Int32Array;
  private readonly hashes: Uint32Array;
  private readonly keys: Uint32Array;

  constructor(private readonly rows: StateRows) {
    const { masks, words, count } = rows;
    this.keys = Uint32Array.from({ length: words * 32 }, (_, bit) => scramble(bit + 1));
    let size = 16;
    while (size < count * 2) size *= 2;
    this.slots = new Int32Array(size).fill(-1);
    this.hashes = new Uint32Array(count);
    for (let row = 0; row < count; row++) {
      let hash = 0;
      for (let w = 0; w < words; w++) {
        for (let word = masks[row * words + w]!; word !== 0; word &= word - 1) {
          hash ^= this.keys[w * 32 + 31 - Math.clz32(word & -word)]!;
        }
      }
      this.hashes[row] = hash;
      let slot = hash & (size - 1);
      while (this.slots[slot]! >= 0) slot = (slot + 1) & (size - 1);
      this.slots[slot] = row;
    }
  }

  /** The row whose mask is that of `row` with one bit flipped; -1 where there is none. */
  withFlipped(row: number, bit: number): number {
    const hash = (this.hashes[row]! ^ this.keys[bit]!) >>> 0;
    const last = this.slots.length - 1;
    for (let slot = hash & last; this.slots[slot]! >= 0; slot = (slot + 1) & last) {
      const candidate = this.slots[slot]!;
      if (this.hashes[candidate] === hash && this.differsOnlyIn(row, candidate, bit)) return candidate;
    }
    return -1;
  }

  private differsOnlyIn(a: number, b: number, bit: number): boolean {
    const { masks, words } = this.rows;
    for (let w = 0; w < words; w++) {
      const flipped = w === bit >>> 5 ? 1 << (bit & 31) : 0;
      if ((masks[a * words + w]! ^ masks[b * words + w]!) !== flipped) return false;
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
