/** Brings durable cuts to the devices, and what devices say of them back: desired and reported. */
import type { DurableStep } from './decisionLog.js';
import type { Deployments } from './deployments.js';
import type { DeploymentSession } from './deploymentSession.js';
import type { Devices } from './devices.js';
import type { Clock, CutNotice, Events } from './ports.js';
import type { Role } from './records.js';
import { costInForce } from './switching.js';

/** A deployment and version that a device says it runs. */
export interface Running {
  readonly deploymentId: string;
  readonly version: number;
  /** The safe local cut runs in place of it. */
  readonly fallback?: boolean | null | undefined;
}

/** Means over `count` inferences with a version, s; a stage that was not measured is absent. */
export interface Measurement {
  readonly count: number;
  readonly endSeconds?: number | undefined;
  readonly uplinkSeconds?: number | undefined;
  readonly edgeSeconds?: number | undefined;
  readonly downlinkSeconds?: number | undefined;
  readonly latencySeconds?: number | undefined;
}

type OfVersion = Pick<Running, 'deploymentId' | 'version'>;

/** What a device says of a version of one of its deployments. */
export type DeviceAnswer =
  | (OfVersion & { readonly type: 'prepared' | 'ack' })
  | (OfVersion & {
      readonly type: 'nack';
      readonly code: string;
      readonly message?: string | undefined;
      /** The version that still runs; absent: none. */
      readonly running?: number | undefined;
    })
  | (OfVersion & { readonly type: 'fallback'; readonly reason: string })
  | (OfVersion & { readonly type: 'measurement' } & Measurement);

/** Why an answer is not taken. */
export type AnswerRefusal = 'unknown-deployment' | 'unknown-version';

export class Delivery {
  constructor(
    private readonly ports: { readonly clock: Clock; readonly events: Events },
    private readonly devices: Devices,
    private readonly deployments: Deployments,
    /** What is reported of a deployment changed and goes into the store. */
    private readonly reported: (session: DeploymentSession) => void,
  ) {}

  /** A commit went through: the deployment moves on, and a new cut goes to both sides. */
  durable(step: DurableStep): void {
    const { session } = step;
    const isNew = step.deployment.version !== session.durable.version;
    session.durable = step.deployment;
    const { decision } = step;
    // one that kept this cut, and has no row, may have come since
    const isLatest = decision !== null && (isNew || decision.atMs >= (session.lastDecision?.atMs ?? 0));
    if (isLatest) session.lastDecision = decision;
    if (!isNew) return;
    for (const role of ['end', 'edge'] as const) this.#push(session, role);
    if (step.receivedAtNanoseconds !== null) {
      const took = this.ports.clock.monotonicNanoseconds() - step.receivedAtNanoseconds;
      this.ports.events.telemetryToPush(Number(took) / 1e9);
    }
  }

  /**
   * A device came (back) and said what it runs: it is told the latest cut of each deployment where that is another
   * one, and that a deployment is gone where it is. Never a replay.
   */
  resume(deviceId: string, running: readonly Running[]): void {
    const runs = new Map(running.map(({ deploymentId, version }) => [deploymentId, version]));
    for (const session of this.deployments.ofDevice(deviceId)) {
      const role = session.roleOf(deviceId)!;
      const version = runs.get(session.id);
      runs.delete(session.id);
      if (version !== undefined && version <= session.durable.version) this.#report(session, role, version);
      if (session.durable.cut !== null && version !== session.durable.version) this.#push(session, role);
    }
    for (const gone of runs.keys()) this.devices.connection(deviceId)?.sendRemoved(gone);
  }

  /** Takes what `deviceId` says of a version; null when that is taken. */
  answer(deviceId: string, answer: DeviceAnswer): AnswerRefusal | null {
    const found = this.#answered(deviceId, answer);
    if (typeof found === 'string') return found;
    const { session, role } = found;
    const { type: kind, deploymentId, version } = answer;
    const code =
      answer.type === 'nack' ? answer.code : answer.type === 'fallback' ? answer.reason : undefined;
    this.ports.events.cutAnswered({ kind, deploymentId, deviceId, version, code });
    if (answer.type === 'ack') {
      session.nacks[role] = null;
      this.#report(session, role, version);
    }
    if (answer.type === 'nack') {
      const atMs = this.ports.clock.nowMs();
      session.nacks[role] = { version, code: answer.code, message: answer.message ?? null, atMs };
    }
    return null;
  }

  removed(session: DeploymentSession): void {
    for (const role of ['end', 'edge'] as const) {
      this.devices.connection(session.current[role].deviceId)?.sendRemoved(session.id);
    }
  }

  #answered(
    deviceId: string,
    { deploymentId, version }: OfVersion,
  ): { readonly session: DeploymentSession; readonly role: Role } | AnswerRefusal {
    const session = this.deployments.find(deploymentId);
    const role = session?.roleOf(deviceId) ?? null;
    if (session === null || role === null) return 'unknown-deployment';
    return version <= session.durable.version ? { session, role } : 'unknown-version';
  }

  #report(session: DeploymentSession, role: Role, version: number): void {
    if (session.current.reported[role] === version) return;
    session.current = { ...session.current, reported: { ...session.current.reported, [role]: version } };
    this.reported(session);
  }

  #push(session: DeploymentSession, role: Role): void {
    const { deviceId } = session.durable[role];
    const connection = this.devices.connection(deviceId);
    if (connection === null) {
      this.ports.events.dropped('undeliverable-cut');
      return;
    }
    connection.sendCut(notice(session, role));
    this.ports.events.cutPushed({ deploymentId: session.id, deviceId, version: session.durable.version });
  }
}

function notice(session: DeploymentSession, tier: Role): CutNotice {
  const { id, name, sha256, graph } = session.model;
  const cut = session.durable.cut!; // only a deployment with a cut is pushed
  const crossing = new Set(cut.tensors);
  return {
    deploymentId: session.id,
    version: session.durable.version,
    phase: 'active',
    tier,
    model: { id, name, sha256 },
    cut,
    tensors: graph!.tensors.filter((tensor) => crossing.has(tensor.name)),
    predictedLatencySeconds:
      session.lastDecision === null ? null : costInForce(session.lastDecision).prediction.latencySeconds,
  };
}
