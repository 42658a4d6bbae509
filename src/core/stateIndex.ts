/** Finds a held state by its mask: open addressing over the masks of all states, made while the states are built. */
import type { Placement } from './decision.js';

/** Numbers of states by the hash of their masks, -1 where a slot is empty; at most half of the slots are taken. */
export function stateSlots(masks: Uint32Array, words: number, count: number): Int32Array {
  let size = 16;
  while (size < count * 2) size *= 2;
  const slots = new Int32Array(size).fill(-1);
  for (let state = 0; state < count; state++) {
    let slot = hashOf(masks, state * words, words) & (size - 1);
    while (slots[slot]! >= 0) slot = (slot + 1) & (size - 1);
    slots[slot] = state;
  }
  return slots;
}

/** The state whose mask is `mask`; -1 where none is held. */
export function stateWithMask(
  {
    slots,
    masks,
    words,
  }: { readonly slots: Int32Array; readonly masks: Uint32Array; readonly words: number },
  mask: Uint32Array,
): number {
  const last = slots.length - 1;
  for (let slot = hashOf(mask, 0, words) & last; slots[slot]! >= 0; slot = (slot + 1) & last) {
    const state = slots[slot]!;
    let w = 0;
    while (w < words && masks[state * words + w] === mask[w]) w++;
    if (w === words) return state;
  }
  return -1;
}

/** The mask of a placement, as in stateRows.ts. */
export function maskOf(placement: Placement, tierCount: number, encoding: number): Uint32Array {
  const layerWords = Math.ceil(placement.length / 32);
  const mask = new Uint32Array(layerWords * (tierCount - 1) + 1);
  for (let v = 0; v < placement.length; v++) {
    for (let h = placement[v]!; h < tierCount - 1; h++) mask[h * layerWords + (v >>> 5)]! |= 1 << (v & 31);
  }
  mask[mask.length - 1] = encoding;
  return mask;
}

function hashOf(masks: Uint32Array, offset: number, words: number): number {
  let hash = 0;
  for (let w = 0; w < words; w++) {
    hash = Math.imul(hash ^ masks[offset + w]!, 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  hash = Math.imul(hash, 0x85ebca6b);
  return hash ^ (hash >>> 13);
}
