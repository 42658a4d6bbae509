/**
 * All figures of one context, by Prometheus conventions: base units at the end of names, `_total` for counters,
 * labels with few values. No label ever holds the id of a device or a deployment.
 */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { FrequentCounter, FrequentHistogram } from './frequent.js';

/** 1, 2, 5, 10 … from the first to the last power of ten, seconds. */
function decades(firstExponent: number, lastExponent: number): number[] {
  const buckets: number[] = [];
  for (let exponent = firstExponent; exponent < lastExponent; exponent++) {
    for (const digit of [1, 2, 5]) buckets.push(Number(`${digit}e${exponent}`));
  }
  return [...buckets, Number(`1e${lastExponent}`)];
}

export function createInstruments(registry: Registry) {
  const registers = [registry];
  const counter = <Label extends string>(name: string, help: string, labelNames: Label[] = []) =>
    new Counter<Label>({ name: `cutpoint_${name}_total`, help, labelNames, registers });
  const gauge = <Label extends string>(name: string, help: string, labelNames: Label[] = []) =>
    new Gauge<Label>({ name: `cutpoint_${name}`, help, labelNames, registers });
  const seconds = <Label extends string>(
    name: string,
    help: string,
    buckets: number[],
    labelNames: Label[] = [],
  ) => new Histogram<Label>({ name: `cutpoint_${name}_seconds`, help, buckets, labelNames, registers });

  const frequent = <Label extends string>(name: string, help: string, labelNames: Label[] = []) =>
    new FrequentCounter<Label>({ name: `cutpoint_${name}_total`, help, labelNames, registers });

  return {
    buildInfo: gauge('build_info', 'Always 1; the labels say what runs', ['version', 'node_version']),
    searchDuration: new FrequentHistogram<'algorithm' | 'reason'>(
      'cutpoint_search_duration_seconds',
      'Time of one search for the best cut',
      decades(-6, 0),
      registry,
    ),
    decisions: frequent('decisions', 'Decisions by reason, and whether the cut changed', [
      'reason',
      'changed',
    ]),
    rowlessDecisions: frequent(
      'decisions_without_row',
      'Decisions that kept the cut and are counted in the next row of the history',
    ),
    refinements: counter(
      'refinements',
      'Searches that went on after a short decision, by what came of them',
      ['outcome'],
    ),
    decisionsKept: counter(
      'decisions_kept',
      'Decisions that left another cut than the best one in force, by why',
      ['why'],
    ),
    telemetryFrames: frequent('telemetry_frames', 'Telemetry frames by what became of them', ['outcome']),
    telemetryToPush: seconds(
      'telemetry_to_push',
      'From the arrival of a telemetry frame to the new cut on its way to a device',
      decades(-4, 1),
    ),
    connectedDevices: gauge('connected_devices', 'Devices connected now, by role', ['role']),
    connections: counter('device_connections', 'Devices that said hello, by role', ['role']),
    disconnections: counter('device_disconnections', 'Devices that went, by role and why', [
      'role',
      'reason',
    ]),
    cutsPushed: frequent('cuts_pushed', 'Cuts put on their way to a device, by phase', ['phase']),
    cutsSentAgain: counter('cuts_sent_again', 'Cuts sent again to a device that did not answer or could not'),
    cutsSetAside: counter(
      'cuts_set_aside',
      'Placements left alone for a while because a device cannot have them',
      ['cause'],
    ),
    rolloutDuration: seconds(
      'rollout_duration',
      'From a durable cut to all devices that it needs running it',
      decades(-3, 3),
    ),
    measuredRatio: new Histogram({
      name: 'cutpoint_measured_ratio',
      help: 'Measured seconds of a stage per predicted second',
      labelNames: ['stage'],
      buckets: [0.1, 0.2, 0.5, 0.8, 0.9, 1.1, 1.25, 2, 5, 10],
      registers,
    }),
    cutAnswers: frequent('cut_answers', 'Answers of devices to a cut', ['kind']),
    imports: counter('imports', 'Imports of models by outcome', ['outcome']),
    importDuration: seconds('import_duration', 'Time of one import, profiling included', decades(-1, 3)),
    modelStates: gauge('model_states', 'States of the partition state graph of a model', [
      'model_id',
      'model',
    ]),
    models: gauge('models', 'Models stored'),
    devices: gauge('devices', 'Devices known, connected or not'),
    deployments: gauge('deployments', 'Deployments'),
    idleStateGraphs: gauge('idle_state_graphs', 'State graphs kept that no deployment needs'),
    questions: gauge('questions', 'Questions of operators that are worked on or wait'),
    decisionQueue: gauge('decision_queue_rows', 'Decisions that wait for the next commit'),
    commitDuration: seconds('store_commit_duration', 'Time of one commit of decisions', decades(-5, 0)),
    committedRows: counter('store_committed_rows', 'Decisions committed'),
    storeFailures: counter('store_failures', 'Operations of the store that failed, by code', ['code']),
    storeFailing: gauge('store_failing', '1 while the last commit failed'),
    storeUpkeepFailures: counter('store_upkeep_failures', 'Work on the database that did not come about', [
      'work',
    ]),
    storeDamaged: gauge('store_damaged', '1 once the database was found damaged while in use'),
    storeLogBytes: gauge('store_log_bytes', 'Write-ahead log of the database that is in use'),
    storeRowsRefused: counter(
      'store_refused_rows',
      'Deployments whose state a commit did not take, because a newer version is stored or they are gone',
    ),
    givenOutUnstored: counter(
      'cuts_given_out_unstored',
      'Cuts that went out on a reserved version while the store took no writes',
    ),
    prunedRows: counter('store_pruned_rows', 'Decisions deleted because the history is at its cap'),
    dropped: frequent('dropped', 'Things given up because something newer stands in their place', ['what']),
    refused: counter('refused', 'Requests answered with no, by the code of the answer', ['what', 'code']),
    authenticationFailures: counter(
      'authentication_failures',
      'Requests and upgrades without a credential that is taken; limited: the address failed too often before',
      ['face', 'reason', 'limited'],
    ),
    revocationsUnstored: gauge(
      'revocations_unstored',
      'Tokens and keys that are refused, and would be taken again after a restart, because the store takes no writes',
    ),
    anonymousDevices: gauge('anonymous_devices_allowed', '1 while devices are taken without a token'),
    changes: counter('operator_changes', 'Changes that operators asked for, by outcome', ['outcome']),
    auditPrunedRows: counter('audit_pruned_rows', 'Audit entries deleted because the audit is at its cap'),
    certificateLoads: counter('certificate_loads', 'Loads of the TLS certificate by outcome', ['outcome']),
    certificateEnd: gauge(
      'certificate_expiry_timestamp_seconds',
      'When the TLS certificate in use ends, seconds since 1970; 0 without TLS',
    ),
    certificateUnusable: gauge(
      'certificate_unusable',
      '1 while the files hold a TLS certificate that cannot be used, and the one before stays in use',
    ),
    capHits: counter('cap_hits', 'Times that a limit of the configuration was hit', ['cap']),
  };
}

export type Instruments = ReturnType<typeof createInstruments>;
