/** What operators may ask of control beyond reading: each change is durable before the answer. */
import type { Context } from '../core/context.js';
import type { Decision } from '../core/decision.js';
import type { Profile } from '../core/profile.js';
import type { Steps } from '../core/steps.js';
import type { BasisKeeper } from './basis.js';
import { cloudAfter } from './cloudChange.js';
import { ControlError } from './controlError.js';
import type { Decider } from './decider.js';
import type { Delivery } from './delivery.js';
import type { DeploymentChange, Deployments, NewDeployment } from './deployments.js';
import type { DeploymentSession } from './deploymentSession.js';
import type { Basis } from './deploymentState.js';
import type { Devices } from './devices.js';
import type { Models } from './models.js';
import type { Store } from './ports.js';
import type { Profiles } from './profiles.js';
import type { DecisionRecord, ProfileRecord, TierBinding } from './records.js';
import { rolesOf } from './roles.js';
import { Sweep } from './sweep.js';

/** Deployments that look again in one turn where their seconds come from; some µs each. */
const refreshedPerTurn = 100;

export class Operations {
  readonly #refreshing: Sweep<DeploymentSession>;

  constructor(
    private readonly store: Store,
    private readonly devices: Devices,
    private readonly models: Models,
    private readonly profiles: Profiles,
    private readonly deployments: Deployments,
    private readonly basis: BasisKeeper,
    private readonly decider: Decider,
    private readonly delivery: Delivery,
  ) {
    this.#refreshing = new Sweep(refreshedPerTurn, (session) => this.basis.refresh(session, 'profile'));
  }

  stop(): void {
    this.#refreshing.stop();
  }

  deploy(wanted: NewDeployment): DeploymentSession {
    const session = this.deployments.create(wanted);
    this.delivery.created(session);
    this.basis.refresh(session, 'deployed');
    return session;
  }

  changeDeployment(id: string, change: DeploymentChange): DeploymentSession {
    const { current, model } = this.deployments.get(id);
    const { cloud: before } = current;
    const after = cloudAfter(before, change.cloud);
    const isMoved = before?.deviceId !== after?.deviceId;
    // decisions go on with the tiers that are there; with one of which nothing is known they would stop
    if (isMoved && after !== undefined) this.#checkSpeed(after, model.id);
    const session = this.deployments.change(id, change);
    if (isMoved) this.delivery.cloudChanged(session, before);
    if (before !== undefined && after === undefined) this.basis.release(session);
    session.forgetContext();
    this.basis.refresh(session, 'profile');
    if (change.requirements !== undefined) this.decider.mark(session, 'requirements');
    return session;
  }

  #checkSpeed({ deviceId, profileId, computeRatio }: TierBinding, modelId: string): void {
    // a profile that is named says it, if it is one of the model: that is looked at with the rest of the change
    const stated = profileId === undefined ? computeRatio : 1;
    const missing = this.basis.missing('cloud', { deviceId, computeRatio: stated }, modelId);
    if (missing !== null) throw new ControlError('invalid', 'speed-unknown', `${missing}.`, 'cloud.deviceId');
  }

  removeDeployment(id: string): void {
    const session = this.deployments.remove(id);
    this.basis.release(session);
    this.delivery.removed(session);
  }

  async removeModel(id: string): Promise<void> {
    this.models.get(id);
    const used = this.deployments.ofModel(id).map((session) => session.id);
    if (used.length > 0) throw inUse(`Model ${id}`, used);
    await this.models.remove(id);
  }

  addProfile(
    modelId: string,
    profile: Profile,
  ): { readonly record: ProfileRecord; readonly existed: boolean } {
    const added = this.profiles.upload(this.models.get(modelId), profile);
    if (!added.existed) this.refreshModel(modelId);
    return added;
  }

  removeProfile(modelId: string, id: string): void {
    this.models.get(modelId);
    this.profiles.get(modelId, id);
    const used = this.deployments
      .ofModel(modelId)
      .filter(({ current }) => rolesOf(current).some((role) => current[role]?.profileId === id))
      .map((session) => session.id);
    if (used.length > 0) throw inUse(`Profile ${id}`, used);
    this.profiles.remove(modelId, id);
    this.refreshModel(modelId);
  }

  /** What the decisions of a deployment stand on. @throws ControlError `conflict` while that is not known */
  basisOf(session: DeploymentSession): Basis {
    if (session.basis !== null) return session.basis;
    const status = session.status;
    const why =
      status.kind === 'waiting'
        ? status.missing.join('; ')
        : status.kind === 'failed'
          ? status.message
          : 'its states are being built';
    throw new ControlError(
      'conflict',
      'not-decidable',
      `Deployment ${session.id} cannot be decided yet: ${why}.`,
    );
  }

  /**
   * The decision in another context; nothing changes.
   * @throws ControlError, at its first step: as `basisOf`, `invalid` for a value out of range
   */
  *whatIf(session: DeploymentSession, context: Context): Steps<Decision> {
    const { partitioner } = this.basisOf(session);
    try {
      return yield* partitioner.thorough(context);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new ControlError('invalid', 'context-out-of-range', error.message, 'context');
    }
  }

  contextOf(session: DeploymentSession): Context | null {
    return session.context(this.decider.around(session));
  }

  /** @throws ControlError `invalid` where `beforeId` is a decision of another deployment */
  history(
    deploymentId: string,
    page: { readonly limit: number; readonly beforeId?: number | undefined },
  ): (DecisionRecord & { id: number })[] {
    const { id } = this.deployments.get(deploymentId);
    try {
      return this.store.decisions(id, page);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new ControlError('invalid', 'not-of-this-deployment', `before: ${error.message}.`, 'before');
    }
  }

  /** @throws ControlError `conflict` while a deployment uses it */
  checkUnused(deviceId: string): void {
    const used = this.deployments.ofDevice(deviceId).map((session) => session.id);
    if (used.length > 0) throw inUse(`Device ${deviceId}`, used);
  }

  /**
   * Forgets a device. Its connection is closed; what it could come back with is for the caller to end before.
   * @throws ControlError `not-found`, `conflict` while a deployment uses it; StoreError
   */
  removeDevice(id: string): void {
    this.devices.get(id);
    this.checkUnused(id);
    this.devices.connection(id)?.close('revoked');
    this.store.deleteDevice(id);
    this.devices.remove(id);
  }

  /** The profiles of a model changed: its deployments look again where their seconds come from, some in each turn. */
  refreshModel(modelId: string): void {
    this.#refreshing.add(this.deployments.ofModel(modelId));
  }
}

function inUse(what: string, deployments: readonly string[]): ControlError {
  const list = deployments.slice(0, 5).join(', ') + (deployments.length > 5 ? ', …' : '');
  return new ControlError('conflict', 'in-use', `${what} is used by deployment ${list}; delete that first.`);
}
