/** How often a process collected garbage, and how long that held up its main thread. */
import { constants, PerformanceObserver, type PerformanceEntry } from 'node:perf_hooks';

export interface Collected {
  readonly count: number;
  readonly milliseconds: number;
}

/** By what was looked through: the young objects, or the whole heap. */
export interface Collections {
  readonly young: Collected;
  readonly whole: Collected;
}

const kinds = new Map<unknown, keyof Collections>([
  [constants.NODE_PERFORMANCE_GC_MINOR, 'young'],
  [constants.NODE_PERFORMANCE_GC_MAJOR, 'whole'],
]);

/** Counts those of this process from now on. @returns what was counted so far */
export function watchCollections(): () => Collections {
  const counted = { young: { count: 0, milliseconds: 0 }, whole: { count: 0, milliseconds: 0 } };
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const { detail, duration } = entry as PerformanceEntry & { readonly detail: { readonly kind: number } };
      const kind = kinds.get(detail.kind);
      if (kind === undefined) continue;
      counted[kind].count++;
      counted[kind].milliseconds += duration;
    }
  });
  observer.observe({ entryTypes: ['gc'] });
  return () => counted;
}

export function collectedSince(before: Collections, now: Collections): Collections {
  const since = (kind: keyof Collections): Collected => ({
    count: now[kind].count - before[kind].count,
    milliseconds: now[kind].milliseconds - before[kind].milliseconds,
  });
  return { young: since('young'), whole: since('whole') };
}
