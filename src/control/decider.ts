/** Takes the decisions: marked deployments, one after the other, on the latest context, into the log. */
import type { DecisionLog } from './decisionLog.js';
import { DecisionLoop, type Trigger } from './decisionLoop.js';
import type { Deployments } from './deployments.js';
import type { DeploymentSession } from './deploymentSession.js';
import type { Devices } from './devices.js';
import { firstRowOf, needsRow, rowOf } from './history.js';
import type { Clock, Events } from './ports.js';
import type { DecisionReason, DecisionRecord } from './records.js';
import type { ControlSettings } from './settings.js';
import type { Surroundings } from './surroundings.js';
import { costInForce } from './switching.js';

/** Deployments decided in one turn of which a decision takes some ms. */
const hardPerTurn = 1;
/** A device with more deployments marks them in bulk. */
const mostSingle = 32;

export class Decider {
  /** True until the time that devices have to come back after a start is over. */
  settling = true;
  readonly #loop: DecisionLoop<DeploymentSession>;
  /** Of models that are cut per decision: one may take longer than all others of a turn together. */
  readonly #hardLoop: DecisionLoop<DeploymentSession>;

  constructor(
    private readonly ports: { readonly clock: Clock; readonly events: Events },
    private readonly devices: Devices,
    private readonly deployments: Deployments,
    private readonly log: DecisionLog,
    private readonly settings: Pick<ControlSettings['decisions'], 'batchDeployments' | 'keptRowMs'>,
    /** A decision had to keep short: its gap may get smaller. */
    private readonly unproven: (session: DeploymentSession) => void,
  ) {
    const work: ConstructorParameters<typeof DecisionLoop<DeploymentSession>>[1] = {
      hasRoom: () => !log.isFull,
      decide: (session, trigger) => this.#decide(session, trigger),
      coalesced: () => ports.events.dropped('superseded-telemetry'),
    };
    this.#loop = new DecisionLoop(settings.batchDeployments, work);
    this.#hardLoop = new DecisionLoop(hardPerTurn, work);
  }

  /** `session` is to be decided again. */
  mark(session: DeploymentSession, reason: DecisionReason): void {
    this.#mark(session, reason, NaN, false);
  }

  /** All `sessions` of a device are, since it spoke, came or went. @param receivedAtMs of its frame; NaN without one */
  markOfDevice(sessions: readonly DeploymentSession[], reason: DecisionReason, receivedAtMs = NaN): void {
    const isBulk = sessions.length > mostSingle;
    for (const session of sessions) this.#mark(session, reason, receivedAtMs, isBulk);
  }

  #mark(session: DeploymentSession, reason: DecisionReason, receivedAtMs: number, isBulk: boolean): void {
    const { disposed, basis, mark } = session;
    if (disposed) return;
    if (basis === null || basis.partitioner.stateCount > 0)
      this.#loop.mark(session, reason, receivedAtMs, isBulk);
    // one that waits already, be it in the other loop, stays where it is
    else this.#hardLoop.mark(session, reason, receivedAtMs, mark.isWaiting && mark.isBulk);
  }

  /** More waits than two rounds take: who brings telemetry had better keep the latest alone. */
  get isBehind(): boolean {
    return this.#loop.waitingSingle >= 2 * this.settings.batchDeployments;
  }

  markAll(reason: DecisionReason): void {
    this.markOfDevice(this.deployments.list(), reason);
  }

  /** Goes on after the log was full. */
  resume(): void {
    this.#loop.resume();
    this.#hardLoop.resume();
  }

  stop(): void {
    this.#loop.stop();
    this.#hardLoop.stop();
  }

  /** What surrounds `session` now. */
  around(session: DeploymentSession): Surroundings {
    const { end, edge, cloud } = session.current;
    return {
      end: this.devices.view(end.deviceId),
      edge: this.devices.view(edge.deviceId),
      cloud: cloud === undefined ? null : this.devices.view(cloud.deviceId),
      settling: this.settling,
      clock: this.ports.clock,
    };
  }

  #decide(session: DeploymentSession, { reason: cause, receivedAtMs }: Trigger): void {
    if (session.disposed) return; // meanwhile
    const around = this.around(session);
    let record: DecisionRecord | null;
    try {
      if (cause === 'telemetry' && this.#confirm(session, around)) return;
      record = session.decide(cause, around);
    } catch (error) {
      // whatever it is about one deployment, it must not stop the others, nor the controller after each start
      const message = error instanceof Error ? error.message : String(error);
      session.status = { kind: 'failed', message: `The context cannot be decided: ${message}` };
      const code = error instanceof RangeError ? 'context-out-of-range' : 'decision-failed';
      this.ports.events.refused('deployment', code, { deploymentId: session.id, error });
      return;
    }
    if (record === null) return;
    const { decision, reason, searchNanoseconds: nanoseconds } = record;
    // what was searched in slices held nobody up
    if (reason !== 'refinement')
      this.ports.events.searchDone({ algorithm: decision.algorithm, reason, nanoseconds });
    this.#keep(session, record, receivedAtMs);
    if (decision.optimality.kind === 'bounded') this.unproven(session);
  }

  /** `record` was decided without a search; it is told and kept as any other. */
  decided(session: DeploymentSession, record: DecisionRecord): void {
    this.#keep(session, record, NaN);
  }

  #keep(session: DeploymentSession, record: DecisionRecord, receivedAtMs: number): void {
    const isRow = this.#isRow(session, record);
    this.#tell(record, isRow);
    if (isRow) this.log.append(session, record, receivedAtMs);
    else session.show(record, session.decisionCount);
  }

  /** False where a decision has to be made. */
  #confirm(session: DeploymentSession, around: Surroundings): boolean {
    const confirmed = session.confirm(around, this.settings.keptRowMs);
    if (confirmed === null) return false;
    if (confirmed === 'unchanged') return true;
    const { broken } = session.latestRow!; // as that of what was confirmed
    // only held states confirm
    this.ports.events.searchDone({ algorithm: 'gads', reason: 'telemetry', nanoseconds: confirmed });
    this.ports.events.decision({
      deploymentId: session.id,
      reason: 'telemetry',
      changed: false,
      version: session.current.version,
      latencySeconds: null,
      optimality: 'exact',
      violations: broken === '' ? 0 : broken.split(',').length,
      kept: null,
      isRow: false,
    });
    return true;
  }

  /** Notes what becomes of `record`: a row of the history, or one more that the next row counts. */
  #isRow(session: DeploymentSession, record: DecisionRecord): boolean {
    const isDurable = session.durable.version === record.versionAfter;
    const { decidedAtMs, latestRow } = session;
    const { keptRowMs } = this.settings;
    if (needsRow(record, latestRow, isDurable, decidedAtMs, keptRowMs)) {
      session.latestRow =
        latestRow === null ? firstRowOf(record, decidedAtMs, keptRowMs) : rowOf(record, decidedAtMs);
      session.keptSinceRow = 0;
      return true;
    }
    session.keptSinceRow++;
    return false;
  }

  #tell(record: DecisionRecord, isRow: boolean): void {
    const { deploymentId, reason, decision } = record;
    const { prediction, violations } = costInForce(record);
    this.ports.events.decision({
      deploymentId,
      reason,
      changed: record.versionAfter !== record.versionBefore,
      version: record.versionAfter,
      latencySeconds: prediction.latencySeconds,
      optimality: decision.optimality.kind,
      violations: violations.length,
      kept: record.switching?.kept?.why ?? null,
      isRow,
    });
  }
}
