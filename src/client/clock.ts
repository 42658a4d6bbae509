/** Time as the device library needs it: monotonic, so that setting the wall clock ends no cut and starts none. */
export interface DeviceClock {
  /** Monotonic, ms. */
  nowMs(): number;
  /**
   * Runs `run` once after `ms` or somewhat more; what it returns stops that. What came from the network by then has been
   * read: a program that was held up for long must not take that for silence of the other side.
   */
  after(ms: number, run: () => void): () => void;
}

/** Longest delay that setTimeout knows; whoever waits longer looks at the clock when called, and waits on. */
const longestDelayMs = 2 ** 31 - 1;

export const systemClock: DeviceClock = {
  nowMs: () => performance.now(),
  after: (ms, run) => {
    let immediate: NodeJS.Immediate | undefined;
    const timer = setTimeout(
      () => {
        // timers come before what waits in the sockets, immediates after it
        immediate = setImmediate(run);
      },
      Math.min(ms, longestDelayMs),
    );
    return () => {
      clearTimeout(timer);
      clearImmediate(immediate);
    };
  },
};
