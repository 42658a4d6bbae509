/**
 * `cutpoint serve` as it is, in a process that also answers two questions of its parent: how much is on the heap after
 * a collection, and which handles are open; and lets the parent set the wall clock.
 */
import { runCommandLine } from '../../src/cli/commandLine.js';

export interface Measured {
  readonly heapBytes: number;
  readonly residentBytes: number;
  /** Open handles by kind. */
  readonly handles: Readonly<Record<string, number>>;
}

export type Order = { readonly kind: 'measure' } | { readonly kind: 'clock'; readonly offsetMs: number };

const realNow = Date.now.bind(Date);
let offsetMs = 0;
Date.now = () => realNow() + offsetMs;

function measured(): Measured {
  globalThis.gc?.();
  globalThis.gc?.();
  const handles: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) handles[kind] = (handles[kind] ?? 0) + 1;
  const { heapUsed, rss } = process.memoryUsage();
  return { heapBytes: heapUsed, residentBytes: rss, handles };
}

process.on('message', (order: Order) => {
  if (order.kind === 'clock') offsetMs = order.offsetMs;
  else process.send?.(measured());
});

process.exitCode = await runCommandLine(process.argv.slice(2), 'soak');
process.disconnect?.();
