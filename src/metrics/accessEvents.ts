/** Figures and log lines of who may do what. */
import { rejections } from '../control/access/credential.js';
import type { Events } from '../control/ports.js';
import type { Instruments } from './instruments.js';
import type { EventLog, Warn } from './logThrottle.js';

/** As for all figures: 0, not absent, before the first event. */
export function startAccessAtZero(to: Instruments): void {
  for (const face of ['operator', 'device']) {
    for (const reason of rejections) to.authenticationFailures.inc({ face, reason, limited: 'false' }, 0);
  }
  for (const outcome of ['loaded', 'failed']) to.certificateLoads.inc({ outcome }, 0);
  for (const outcome of ['done', 'refused']) to.changes.inc({ outcome }, 0);
}

export function accessEvents(to: Instruments, log: EventLog, warn: Warn, warnOfState: Warn) {
  return {
    authenticationFailed({ face, reason, address, limited }) {
      to.authenticationFailures.inc({ face, reason, limited: String(limited) });
      if (limited) return; // the figure is enough: a flood must not fill the log
      const level = reason === 'revoked' ? 'warn' : 'info';
      warn(level, `access ${face} ${reason}`, { face, reason, address }, 'authentication failed');
    },
    revocationsUnstored(count) {
      to.revocationsUnstored.set(count);
      if (count > 0)
        warnOfState('error', 'revocations', { count }, 'revoked tokens or keys are not stored yet');
    },
    anonymousDevices(areTaken) {
      to.anonymousDevices.set(areTaken ? 1 : 0);
      if (areTaken) log.warn({}, 'devices are taken without a token (auth.anonymousDevices)');
    },
    audited(entry) {
      to.changes.inc({ outcome: entry.code === null ? 'done' : 'refused' });
      log.info(entry, 'operator change');
    },
    auditPruned(rows) {
      to.auditPrunedRows.inc(rows);
      warnOfState('info', 'audit pruned', { rows }, 'the audit is at its cap, the oldest entries go');
    },
    certificate(loaded) {
      to.certificateLoads.inc({ outcome: loaded.ok ? 'loaded' : 'failed' });
      to.certificateUnusable.set(loaded.ok ? 0 : 1);
      if (loaded.ok) {
        to.certificateEnd.set(loaded.endsAtMs / 1_000);
        log.info({ endsAt: new Date(loaded.endsAtMs).toISOString() }, 'TLS certificate loaded');
      } else {
        log.error({ err: loaded.error }, 'the new TLS certificate is of no use; the one before stays in use');
      }
    },
  } satisfies Partial<Events>;
}
