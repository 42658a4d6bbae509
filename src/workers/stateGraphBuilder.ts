/** Builds partition state graphs in worker threads; the partitioners then decide on the main thread. */
import { MessageChannel } from 'node:worker_threads';
import { Piscina } from 'piscina';
import type { PartitionerBuilder } from '../control/ports.js';
import { createPartitioner } from '../core/createPartitioner.js';
import type { StateGraph } from '../core/stateGraph.js';
import type { StateGraphTask } from './stateGraphTask.js';

export interface StateGraphSettings {
  /** States that may be held per model; a model with more is cut per decision. */
  readonly maxStates: number;
  /** Work of such a decision (core/cutSearch.ts). */
  readonly minCutWork: number;
  /** Builds that may wait for a thread. */
  readonly buildQueue: number;
}

export function createStateGraphBuilder(settings: StateGraphSettings): PartitionerBuilder {
  const { maxStates, minCutWork, buildQueue } = settings;
  const pool = new Piscina<StateGraphTask, StateGraph>({
    filename: new URL('./stateGraphTask.js', import.meta.url).href,
    minThreads: 0,
    maxThreads: 1, // a build may take a core for seconds; the other ones are for telemetry and imports
    maxQueue: buildQueue,
    idleTimeout: 5_000,
  });
  return {
    async build(input, { signal, progress }) {
      const { port1, port2 } = new MessageChannel();
      port1.on('message', (fraction: number) => progress(fraction));
      try {
        const task = { input, maxStates, progress: port2 };
        // an abort ends the thread: a build is one long computation that looks at no message
        return createPartitioner(await pool.run(task, { signal, transferList: [port2] }), minCutWork);
      } finally {
        port1.close();
      }
    },
    async close() {
      await pool.destroy();
    },
  };
}
