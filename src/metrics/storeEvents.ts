/** What happens to the database, as figures and log lines. */
import { StoreError, type Events } from '../control/ports.js';
import type { Instruments } from './instruments.js';
import type { EventLog, Warn } from './logThrottle.js';

export function storeEvents(to: Instruments, log: EventLog, warn: Warn, warnOfState: Warn) {
  return {
    decisionQueue: (rows) => to.decisionQueue.set(rows),
    storeCommitted({ rows, seconds }) {
      to.committedRows.inc(rows);
      to.commitDuration.observe(seconds);
    },
    storeFailed(failure) {
      const code = failure.error instanceof StoreError ? failure.error.code : 'other';
      to.storeFailures.inc({ code });
      warn('error', `store ${code}`, failure, 'the store failed');
    },
    storeFailing(isFailing) {
      to.storeFailing.set(isFailing ? 1 : 0);
      if (!isFailing) log.warn({}, 'the store takes writes again');
    },
    storeUpkeepFailed({ work, error }) {
      to.storeUpkeepFailures.inc({ work });
      warn('error', `upkeep ${work}`, { work, err: error }, 'upkeep of the database failed');
    },
    storeDamaged(error) {
      to.storeDamaged.set(1);
      log.error({ err: error }, 'the database is damaged');
    },
    storeLog: (bytes) => to.storeLogBytes.set(bytes),
    storeRowsRefused(deploymentIds) {
      to.storeRowsRefused.inc(deploymentIds.length);
      warn(
        'error',
        'rows refused',
        { deploymentIds },
        'the store has a newer version of a deployment, or none',
      );
    },
    givenOutUnstored() {
      to.givenOutUnstored.inc();
      warn('warn', 'unstored', {}, 'a cut went out on a reserved version, before its decision is stored');
    },
    decisionsPruned(rows) {
      to.prunedRows.inc(rows);
      warnOfState('info', 'pruned', { rows }, 'the history is at its cap, the oldest decisions go');
    },
  } satisfies Partial<Events>;
}
