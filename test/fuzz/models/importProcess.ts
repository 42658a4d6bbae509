/** Imports one file after the other with the product's own code, as its import process does, and times each stage. */
import { ImportRefused } from '../../../src/control/ports.js';
import { importModel } from '../../../src/onnx/importModel.js';
import type { ImportAnswer, ImportRequest } from './importMessages.js';

const limits = { maxFileBytes: 10 ** 8, maxTensorBytes: 2 ** 26, maxOperators: 100_000 };

async function work({ file, inputs }: ImportRequest): Promise<ImportAnswer> {
  const stages: [string, number][] = [];
  let last = process.cpuUsage();
  let stage = 'reading';
  const next = (name: string): void => {
    const { user, system } = process.cpuUsage(last);
    stages.push([stage, (user + system) / 1e6]);
    last = process.cpuUsage();
    stage = name;
  };
  const options = { optimizationLevel: 'all', intraOpThreads: 1, runs: 1, warmupRuns: 0, inputs } as const;
  const answer = (outcome: ImportAnswer['outcome'], detail: string): ImportAnswer => {
    next('');
    return { outcome, detail, stages, residentBytes: process.memoryUsage.rss() };
  };
  try {
    await importModel(file, options, next, limits);
    return answer('imported', '');
  } catch (error) {
    if (error instanceof ImportRefused) return answer('refused', error.code);
    return answer('failed', error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
}

process.on('message', (request) => {
  void work(request as ImportRequest).then((answer) => process.send?.(answer));
});
process.on('disconnect', () => process.exit(0));
