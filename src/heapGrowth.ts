/** How far the JavaScript heap of this process grows between two collections of all of it. */
import { setFlagsFromString } from 'node:v8';

/**
 * Left alone, V8 takes a process that promotes little garbage for an idle one, and collects the whole heap each time it has grown
 * by a small part: with thousands of connections again and again, and each time telemetry shares the core with the collector.
 *
 * @param percent of what is in use after a collection; holds for the whole process, from the next collection on
 */
export function letHeapGrow(percent: number): void {
  setFlagsFromString(`--heap-growing-percent=${percent}`);
}
