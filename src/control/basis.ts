/** Gives each deployment what its decisions stand on, and gives it anew when a profile or a device changes. */
import type { Partitioner } from '../core/partitioner.js';
import { measuredSeconds } from '../core/profile.js';
import { scaledPartitioner } from '../core/scaledPartitioner.js';
import type { DeploymentSession } from './deploymentSession.js';
import type { DeploymentStatus, PendingBasis } from './deploymentState.js';
import type { Devices } from './devices.js';
import type { PartitionerLease, Partitioners } from './partitioners.js';
import type { Events } from './ports.js';
import type { Profiles } from './profiles.js';
import type { DecisionReason, Role, TierBinding } from './records.js';
import { bindingOf, rolesOf } from './roles.js';
import { Sweep } from './sweep.js';
import { resolveTierSeconds, type TierSecondsSource } from './tierSeconds.js';

/** Deployments that take up a partitioner in one turn: one that is built may be for thousands. */
const adoptedPerTurn = 50;

export class BasisKeeper {
  readonly #adopting = new Sweep<() => void>(adoptedPerTurn, (adopt) => adopt());

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
    const resolved = rolesOf(session.current).map((role) => {
      const binding = bindingOf(session.current, role);
      const { description } = this.devices.view(binding.deviceId);
      return resolveTierSeconds(role, binding, description, this.profiles.ofModel(session.model.id));
    });
    const missing = resolved.flatMap((tier) => (tier.kind === 'missing' ? [tier.missing] : []));
    if (missing.length > 0) {
      this.release(session);
      session.status = { kind: 'waiting', missing };
      return;
    }
    const known = resolved.filter((tier) => tier.kind === 'known');
    const key = JSON.stringify([session.model.id, known.map((tier) => [tier.profile.id, tier.source])]);
    if (session.pendingBasis?.key === key) return;
    session.pendingBasis?.lease.release();
    session.pendingBasis = null;
    if (session.basis?.key === key) return;
    this.#build(session, key, known, reason);
  }

  /** Why nothing is known of the speed of a device as this tier of a deployment; null where it is known. */
  missing(role: Role, binding: TierBinding, modelId: string): string | null {
    const { description } = this.devices.view(binding.deviceId);
    const resolved = resolveTierSeconds(role, binding, description, this.profiles.ofModel(modelId));
    return resolved.kind === 'missing' ? resolved.missing : null;
  }

  stop(): void {
    this.#adopting.stop();
  }

  /** Gives up what `session` holds. */
  release(session: DeploymentSession): void {
    session.pendingBasis?.lease.release();
    session.basis?.lease.release();
    session.pendingBasis = null;
    session.basis = null;
  }

  #build(
    session: DeploymentSession,
    key: string,
    tiers: readonly TierSecondsSource[],
    reason: DecisionReason,
  ): void {
    const profileIds = tiers.map((tier) => tier.profile.id);
    const lease = this.partitioners.lease(JSON.stringify([session.model.id, profileIds]), () => ({
      graph: session.model.graph!,
      tiers: tiers.map((tier) => measuredSeconds(tier.profile.profile)),
    }));
    const pending: PendingBasis = { key, lease, tiers };
    session.pendingBasis = pending;
    if (session.basis === null) session.status = building(lease);
    void lease.partitioner.then(
      (partitioner) => this.#adopting.add([() => this.#adopt(session, pending, partitioner, reason)]),
      (error: unknown) => this.#giveUp(session, pending, error),
    );
  }

  #adopt(
    session: DeploymentSession,
    pending: PendingBasis,
    partitioner: Partitioner,
    reason: DecisionReason,
  ): void {
    if (session.pendingBasis !== pending) return; // superseded, and released by whoever did that
    const { key, lease, tiers } = pending;
    session.pendingBasis = null;
    session.basis?.lease.release();
    session.basis = {
      key,
      lease,
      partitioner: scaledPartitioner(
        partitioner,
        tiers.map((tier) => tier.computeRatio),
      ),
      sources: tiers.map((tier) => tier.source),
      wholeModelSeconds: tiers.map(wholeModelSeconds),
    };
    session.forgetContext();
    const { id: modelId, name } = session.model;
    this.events.states({ modelId, name, states: partitioner.stateCount });
    this.ready(session, reason);
  }

  #giveUp(session: DeploymentSession, pending: PendingBasis, error: unknown): void {
    if (session.pendingBasis !== pending) return;
    session.pendingBasis = null;
    pending.lease.release();
    const message = error instanceof Error ? error.message : String(error);
    session.status = { kind: 'failed', message: `The states of the model could not be built: ${message}` };
    this.events.refused('deployment', 'state-graph-failed', { deploymentId: session.id, message });
  }
}

/** Reads the progress when it is asked for. */
function building(lease: PartitionerLease): DeploymentStatus {
  return {
    kind: 'building',
    get fraction() {
      return lease.fraction;
    },
  };
}

function wholeModelSeconds({ profile, computeRatio }: TierSecondsSource): number {
  return computeRatio * profile.profile.layers.reduce((sum, layer) => sum + layer.medianSeconds, 0);
}
