/**
 * How fast one connection may send: a token bucket. Who empties it is warned once and loses the frames above; who
 * goes on for `tooFastMs`, or sends another burst's worth above, is to be closed. A full bucket forgets all that.
 */
export interface FrameRateSettings {
  readonly framesPerSecond: number;
  /** Frames that may come at once. */
  readonly frameBurst: number;
}

/** A connection may be too fast for so long after the warning, ms. */
export const tooFastMs = 5_000;

export class FrameRate {
  #tokens: number;
  #atMs: number;
  /** Set from the first frame above until the bucket is full again. */
  #excess: { readonly sinceMs: number; frames: number } | null = null;

  constructor(
    private readonly settings: FrameRateSettings,
    nowMs: number,
  ) {
    this.#tokens = settings.frameBurst;
    this.#atMs = nowMs;
  }

  /**
   * What becomes of a frame that comes now.
   * @param nowMs a clock that does not go back
   */
  take(nowMs: number): 'pass' | 'warn' | 'drop' | 'close' {
    const { frameBurst } = this.settings;
    if (this.#tokens < frameBurst) this.#tokens = Math.min(frameBurst, this.#tokens + this.#gainedBy(nowMs));
    this.#atMs = nowMs;
    if (this.#tokens >= frameBurst) this.#excess = null;
    if (this.#tokens >= 1) {
      this.#tokens--;
      return 'pass';
    }
    if (this.#excess === null) {
      this.#excess = { sinceMs: nowMs, frames: 1 };
      return 'warn';
    }
    this.#excess.frames++;
    const isOver = this.#excess.frames > frameBurst || nowMs - this.#excess.sinceMs >= tooFastMs;
    return isOver ? 'close' : 'drop';
  }

  /** Nothing was read of the connection for so long until now: what it sent meanwhile comes at once, beside a burst. */
  wasHeld(heldMs: number, nowMs: number): void {
    const most = this.settings.frameBurst + this.#gainedIn(heldMs);
    this.#tokens = Math.min(most, this.#tokens + this.#gainedBy(nowMs));
    this.#atMs = nowMs;
  }

  #gainedBy(nowMs: number): number {
    return this.#gainedIn(nowMs - this.#atMs);
  }

  #gainedIn(ms: number): number {
    return (ms / 1_000) * this.settings.framesPerSecond;
  }
}
