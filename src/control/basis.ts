/** Gives each deployment what its decisions stand on, and gives it anew when a profile or a device changes. */
import type { Partitioner } from '../core/partitioner.js';
import type { TierSeconds } from '../core/profile.js';
import type { DeploymentSession } from './deploymentSession.js';
import type { Devices } from './devices.js';
import type { PartitionerLease, Partitioners } from './partitioners.js';
import type { Events } from './ports.js';
import type { Profiles } from './profiles.js';
import type { DecisionReason, Role } from './records.js';
import { resolveTierSeconds } from './tierSeconds.js';

const roles = ['end', 'edge'] as const satisfies readonly Role[];

export class BasisKeeper {
  constructor(
    private readonly devices: Devices,
    private readonly profiles: Profiles,
    private readonly partitioners: Partitioners,
    private readonly events: Events,
    /** A deployment has a new basis and is to be decided. */
    private readonly ready: (session: DeploymentSession, reason: DecisionReason) => void,
  ) {}

  /** Looks again where the seconds of `session` come from; builds a new partitioner where that has changed. */
  refresh(session: DeploymentSession, reason: DecisionReason): void {
    if (session.disposed) return;
    const resolved = roles.map((role) =>
      resolveTierSeconds(
        role,
        session.current[role],
        this.devices.view(session.current[role].deviceId).description,
        this.profiles.ofModel(session.model.id),
      ),
    );
    const missing = resolved.flatMap((tier) => (tier.kind === 'missing' ? [tier.missing] : []));
    if (missing.length > 0) {
      this.release(session);
      session.status = { kind: 'waiting', missing };
      return;
    }
    const known = resolved.filter((tier) => tier.kind === 'known');
    const key = JSON.stringify([
      session.model.id,
      known.map((tier) => [tier.profileId, tier.tierSeconds.source]),
    ]);
    if (session.pendingLease?.key === key) return;
    session.pendingLease?.release();
    session.pendingLease = null;
    if (session.basis?.lease.key === key) return;
    const tierSeconds = known.map((tier) => tier.tierSeconds);
    this.#build(session, key, tierSeconds, reason);
  }

  /** Gives up what `session` holds. */
  release(session: DeploymentSession): void {
    session.pendingLease?.release();
    session.basis?.lease.release();
    session.pendingLease = null;
    session.basis = null;
  }

  #build(
    session: DeploymentSession,
    key: string,
    tierSeconds: readonly TierSeconds[],
    reason: DecisionReason,
  ): void {
    const lease = this.partitioners.lease(key, { graph: session.model.graph!, tiers: tierSeconds });
    session.pendingLease = lease;
    if (session.basis === null) session.status = { kind: 'building' };
    void lease.partitioner.then(
      (partitioner) => this.#adopt(session, lease, partitioner, tierSeconds, reason),
      (error: unknown) => this.#giveUp(session, lease, error),
    );
  }

  #adopt(
    session: DeploymentSession,
    lease: PartitionerLease,
    partitioner: Partitioner,
    tierSeconds: readonly TierSeconds[],
    reason: DecisionReason,
  ): void {
    if (session.pendingLease !== lease) return; // superseded, and released by whoever did that
    session.pendingLease = null;
    session.basis?.lease.release();
    session.basis = { lease, partitioner, tierSeconds };
    session.forgetContext();
    const { id: modelId, name } = session.model;
    this.events.states({ modelId, name, states: partitioner.stateCount });
    this.ready(session, reason);
  }

  #giveUp(session: DeploymentSession, lease: PartitionerLease, error: unknown): void {
    if (session.pendingLease !== lease) return;
    session.pendingLease = null;
    lease.release();
    const message = error instanceof Error ? error.message : String(error);
    session.status = { kind: 'failed', message: `The states of the model could not be built: ${message}` };
    this.events.refused('deployment', 'state-graph-failed', { deploymentId: session.id, message });
  }
}
