/**
 * Seeded weights, made in blocks while a file is written, so that a network of any size needs a few MB.
 *
 * Each tensor has a generator of its own, seeded by the network's seed and the tensor's name: the same
 * seed gives the same bytes on every machine, and a change of one layer leaves all others as they were.
 * mulberry32: 32 bits of state, some 1.5 ns a number, only integer operations until the last scaling;
 * its statistical weaknesses are of no interest to weights that nobody trained.
 */
import { endianness } from 'node:os';

/** Elements made at a time: 4 MiB of float32. */
const BLOCK_ELEMENTS = 1 << 20;

/** How a weight tensor is filled, and the one value it takes where weights are constant. */
export interface Distribution {
  readonly low: number;
  readonly high: number;
  /** The value of every element in a network with constant weights. */
  readonly constant: number;
}

/** Seed of one tensor: FNV-1a over the network's seed and the tensor's name. */
export function tensorSeed(seed: number, name: string): number {
  let hash = 0x811c9dc5 ^ seed;
  for (let at = 0; at < name.length; at++) {
    hash = Math.imul(hash ^ name.charCodeAt(at), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}

/** Yields `count` float32 values uniform in [low, high) as little-endian bytes, in blocks. */
export function* uniformBytes(
  seed: number,
  count: number,
  { low, high }: Distribution,
): Generator<Uint8Array> {
  const scale = (high - low) / 2 ** 32;
  let state = seed | 0;
  for (let done = 0; done < count; done += BLOCK_ELEMENTS) {
    const block = new Float32Array(Math.min(BLOCK_ELEMENTS, count - done));
    for (let at = 0; at < block.length; at++) {
      state = (state + 0x6d2b79f5) | 0;
      let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
      mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
      block[at] = low + ((mixed ^ (mixed >>> 14)) >>> 0) * scale;
    }
    const bytes = Buffer.from(block.buffer);
    // ONNX keeps raw data little-endian on every machine.
    yield endianness() === 'LE' ? bytes : bytes.swap32();
  }
}
