/** The process in which one model is measured: alone, so that its peak of memory is its own. Takes one job and ends. */
import { measureGrowth } from './measureGrowth.js';
import { measureModel } from './measureModel.js';
import type { Job, Reply } from './processMessages.js';

process.once('message', (job: Job) => {
  const reply: Reply = job.kind === 'model' ? { model: measureModel(job) } : { growth: measureGrowth(job) };
  process.send!(reply, () => process.disconnect());
});
