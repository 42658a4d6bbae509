/**
 * Enumerated states as rows of features and of bit masks, growing by doubling.
 *
 * A mask has `layerWords` words per hop (bit v of hop h's words is set where layer v runs below that hop) and a last
 * word with the number of the encoding, so that equal masks mean equal states.
 */
export class StateRows {
  count = 0;
  features: Float64Array;
  masks: Uint32Array;
  /** Encoding of the rows pushed from now on. */
  encoding = 0;
  readonly layerWords: number;
  readonly words: number;

  constructor(
    readonly width: number,
    layerCount: number,
    private readonly hopCount: number,
    capacity = 64,
  ) {
    this.layerWords = Math.ceil(layerCount / 32);
    this.words = this.layerWords * hopCount + 1;
    this.features = new Float64Array(capacity * width);
    this.masks = new Uint32Array(capacity * this.words);
  }

  /** Always true: a walk goes on. */
  push(features: Float64Array, tierOf: Uint8Array): true {
    if ((this.count + 1) * this.width > this.features.length) {
      this.features = grown(this.features, new Float64Array(this.features.length * 2));
      this.masks = grown(this.masks, new Uint32Array(this.masks.length * 2));
    }
    this.features.set(features, this.count * this.width);
    const offset = this.count * this.words;
    this.masks.fill(0, offset, offset + this.words);
    for (let v = 0; v < tierOf.length; v++) {
      for (let h = tierOf[v]!; h < this.hopCount; h++) {
        this.masks[offset + h * this.layerWords + (v >>> 5)]! |= 1 << (v & 31);
      }
    }
    this.masks[offset + this.words - 1] = this.encoding;
    this.count++;
    return true;
  }
}

function grown<A extends Float64Array | Uint32Array>(from: A, to: A): A {
  to.set(from);
  return to;
}
