/** What a process takes of the machine. */

export interface ProcessFigures {
  readonly rssBytes: number;
  readonly heapUsedBytes: number;
  /** Seconds on a core since its start, all threads. */
  readonly cpuSeconds: number;
}

export function processFigures(): ProcessFigures {
  const { rss, heapUsed } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  return { rssBytes: rss, heapUsedBytes: heapUsed, cpuSeconds: (user + system) / 1e6 };
}
