/** The process in which one model is measured: alone, so that its peak of memory is its own. Takes one job and ends. */
import { measureGrowth } from './measureGrowth.js';
import { measureModel } from './measureModel.js';
import { measureProfile } from './measureProfile.js';
import type { Job, Reply } from './processMessages.js';

process.once('message', (job: Job) => {
  void measure(job).then((reply) => process.send!(reply, () => process.disconnect()));
});

async function measure(job: Job): Promise<Reply> {
  switch (job.kind) {
    case 'model':
      return { model: measureModel(job) };
    case 'growth':
      return { growth: measureGrowth(job) };
    case 'profile':
      return { profile: await measureProfile(job) };
  }
}
