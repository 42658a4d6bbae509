/** How long the event loop was late since the last scrape. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Gauge, type Registry } from 'prom-client';

const PERCENTILES = [50, 99, 100];

/**
 * Adds the figure to `registry`. Node records the time between two ticks of a timer, so a loop that is never
 * late shows the timer's own interval; that is taken off here, unlike in the library's default figures.
 * @returns stops the sampling
 */
export function watchEventLoop(registry: Registry, resolutionMs: number): () => void {
  const histogram = monitorEventLoopDelay({ resolution: resolutionMs });
  histogram.enable();
  new Gauge({
    name: 'cutpoint_event_loop_delay_seconds',
    help: 'How late the event loop was since the last scrape; percentile 100 is the worst',
    labelNames: ['percentile'],
    registers: [registry],
    collect() {
      for (const percentile of PERCENTILES) {
        const nanoseconds = percentile === 100 ? histogram.max : histogram.percentile(percentile);
        this.set(
          { percentile },
          histogram.count === 0 ? 0 : Math.max(0, nanoseconds / 1e9 - resolutionMs / 1e3),
        );
      }
      histogram.reset();
    },
  });
  return () => {
    histogram.disable();
  };
}
