/**
 * The process in which a model is imported: the runtime is native code, and a hostile or huge file must not
 * take the service with it. Started by `importer.ts`; takes one job, answers, and ends.
 */
import { writeFileSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { ImportRefused } from '../control/ports.js';
import { importModel } from './importModel.js';
import type { ImportJob, ImportReply } from './importMessages.js';

function send(reply: ImportReply): Promise<void> {
  return new Promise((resolve, reject) => {
    process.send?.(reply, undefined, undefined, (error) => (error === null ? resolve() : reject(error)));
  });
}

/** Does what a system may forbid; the import goes on without. */
function ifAllowed(step: () => void): void {
  try {
    step();
  } catch {
    return; // not this system, or not permitted here: no reason to refuse an import
  }
}

async function work(job: ImportJob): Promise<ImportReply> {
  try {
    const result = await importModel(
      job.file,
      job.options,
      (stage, fraction) => void send({ kind: 'progress', stage, fraction }).catch(abandon),
      job.limits,
    );
    return { kind: 'done', result };
  } catch (error) {
    if (error instanceof ImportRefused) return { kind: 'refused', code: error.code, message: error.message };
    return {
      kind: 'failed',
      message: error instanceof Error ? (error.stack ?? error.message) : String(error),
    };
  }
}

/** The parent is gone: nobody waits for the result. */
function abandon(): never {
  process.exit(1);
}

// The service has frames to answer while a model is imported.
ifAllowed(() => setPriority(constants.priority.PRIORITY_LOW));
// When memory ends, the system should end this process and not the service (Linux).
ifAllowed(() => writeFileSync('/proc/self/oom_score_adj', '1000'));
process.on('disconnect', abandon);
process.once('message', (job) => {
  void work(job as ImportJob)
    .then(send)
    .then(() => process.exit(0), abandon);
});
