/** The deployments: created, changed and deleted by operators; each is durable before the answer. */
import { randomUUID } from 'node:crypto';
import type { Requirements } from '../core/context.js';
import { cloudAfter, lastGoodWith, losesLayers, retreatOf, type CloudChange } from './cloudChange.js';
import { ControlError, notFound } from './controlError.js';
import { DeploymentSession } from './deploymentSession.js';
import type { DeploymentStatus } from './deploymentState.js';
import type { Models } from './models.js';
import { monotonicMs, type Clock, type Events, type Store } from './ports.js';
import type { Profiles } from './profiles.js';
import type { DecisionRecord, DeploymentRecord, Role, TierBinding } from './records.js';
import { restoredDeployments } from './restoredDeployments.js';
import { bindingOf, roleOfDevice, rolesOf } from './roles.js';
import type { RolloutPhase } from './rollout.js';
import type { ControlSettings } from './settings.js';
import { StoredCuts } from './storedCut.js';

export interface NewDeployment {
  readonly modelId: string;
  readonly end: TierBinding;
  readonly edge: TierBinding;
  /** Absent: two tiers. */
  readonly cloud?: TierBinding | undefined;
  readonly requirements: Requirements;
}

/** Absent stays as it is, null takes the value away. */
type Merge<T> = { readonly [Name in keyof T]?: T[Name] | null | undefined };

export interface DeploymentChange {
  readonly requirements?: Merge<Requirements> | undefined;
  readonly end?: Merge<Omit<TierBinding, 'deviceId'>> | undefined;
  readonly edge?: Merge<Omit<TierBinding, 'deviceId'>> | undefined;
  readonly cloud?: CloudChange | undefined;
}

const none: readonly DeploymentSession[] = [];

export interface DeploymentCounts {
  readonly byStatus: Readonly<Record<DeploymentStatus['kind'], number>>;
  /** Of those that have a cut. */
  readonly byPhase: Readonly<Record<RolloutPhase, number>>;
  /** In force is a cut that violates what was asked. */
  readonly violating: number;
  /** The cut that would be chosen is kept out because a device refused it. */
  readonly heldBack: number;
  /** A device runs its safe local cut in place of the one it should. */
  readonly inFallback: number;
}

export class Deployments {
  readonly #sessions = new Map<string, DeploymentSession>();
  /** Each telemetry frame reads a list, so none is copied: who is added comes last, who goes leaves a new list. */
  readonly #byDevice = new Map<string, DeploymentSession[]>();
  readonly #cuts = new StoredCuts();

  constructor(
    private readonly ports: { readonly store: Store; readonly clock: Clock; readonly events: Events },
    private readonly models: Models,
    private readonly profiles: Profiles,
    private readonly limits: ControlSettings['limits'],
    private readonly log: {
      /** Commits what waits; false when the store cannot. */
      readonly flush: () => boolean;
      /** A decision that is in `current` already is to be made durable. */
      readonly decided: (session: DeploymentSession, decision: DecisionRecord) => void;
    },
  ) {}

  /** @throws StoreError */
  load(): void {
    const { clock } = this.ports;
    for (const { record, latest } of restoredDeployments(this.ports)) {
      const model = this.models.get(record.modelId);
      this.#add(new DeploymentSession(record, model, latest, monotonicMs(clock), this.#cuts));
    }
  }

  /** How the deployments are, at one look. */
  counts(): DeploymentCounts {
    const byStatus = { waiting: 0, building: 0, failed: 0, holding: 0, active: 0 };
    const byPhase = { preparing: 0, activating: 0, active: 0, rejected: 0 };
    let [violating, heldBack, inFallback] = [0, 0, 0];
    for (const { status, isViolating, rollout, waitsFor } of this.#sessions.values()) {
      byStatus[status.kind]++;
      if (rollout.desired !== null) byPhase[rollout.phase]++;
      if (isViolating) violating++;
      if (waitsFor !== null) heldBack++;
      if (Object.values(rollout.tiers).some((tier) => tier.fallback !== null)) inFallback++;
    }
    return { byStatus, byPhase, violating, heldBack, inFallback };
  }

  list(): DeploymentSession[] {
    return [...this.#sessions.values()];
  }

  find(id: string): DeploymentSession | null {
    return this.#sessions.get(id) ?? null;
  }

  get(id: string): DeploymentSession {
    const session = this.#sessions.get(id);
    if (session === undefined) throw notFound('deployment', id);
    return session;
  }

  ofDevice(deviceId: string): readonly DeploymentSession[] {
    return this.#byDevice.get(deviceId) ?? none;
  }

  ofModel(modelId: string): readonly DeploymentSession[] {
    return this.list().filter((session) => session.model.id === modelId);
  }

  /** @throws ControlError; StoreError when it cannot be stored, in which case it does not exist */
  create(wanted: NewDeployment): DeploymentSession {
    const model = this.models.list().find((known) => known.id === wanted.modelId);
    if (model === undefined) {
      throw invalid('unknown-model', `There is no model ${JSON.stringify(wanted.modelId)}.`, 'modelId');
    }
    if (model.graph === null) {
      const why = model.status === 'importing' ? 'it is still being imported' : 'its import failed';
      throw new ControlError(
        'conflict',
        'model-not-ready',
        `Model ${model.id} cannot be deployed: ${why}.`,
        'modelId',
      );
    }
    this.#checkRoom(wanted);
    const now = this.ports.clock.nowMs();
    const record: DeploymentRecord = {
      ...wanted,
      id: randomUUID(),
      version: 0,
      cut: null,
      reported: { end: null, edge: null, ...(wanted.cloud === undefined ? {} : { cloud: null }) },
      lastGood: null,
      createdAtMs: now,
      updatedAtMs: now,
    };
    this.#check(record);
    this.ports.store.saveDeployment(record);
    const session = new DeploymentSession(record, model, null, monotonicMs(this.ports.clock), this.#cuts);
    this.#add(session);
    return session;
  }

  /** @throws ControlError; StoreError when it cannot be stored, in which case nothing changed */
  change(id: string, change: DeploymentChange): DeploymentSession {
    const session = this.get(id);
    this.#flushOrThrow(); // from here on `current` and `durable` are the same
    const { cloud: before, ...present } = session.current;
    const cloud = cloudAfter(before, change.cloud);
    const isMoved = cloud?.deviceId !== before?.deviceId;
    const isLost = losesLayers(session.current, cloud);
    const { cloud: _reported, ...reported } = present.reported;
    const record: DeploymentRecord = {
      ...present,
      requirements: merge(session.current.requirements, change.requirements),
      end: merge(session.current.end, change.end),
      edge: merge(session.current.edge, change.edge),
      ...(cloud === undefined ? {} : { cloud }),
      ...(isMoved ? { reported: cloud === undefined ? reported : { ...reported, cloud: null } } : {}),
      lastGood: lastGoodWith(session.current, cloud),
      updatedAtMs: this.ports.clock.nowMs(),
    };
    this.#check(record);
    if (isMoved && cloud !== undefined) this.#checkRoomOf('cloud', cloud.deviceId);
    const retreat = isLost ? retreatOf(session, record.updatedAtMs) : null;
    this.ports.store.saveDeployment(record);
    if (!isMoved) {
      session.current = record;
      session.durable = record;
      return session;
    }
    session.withTiers(record, isLost);
    if (before !== undefined) this.#leave(session, before.deviceId);
    if (cloud !== undefined) this.#join(session, cloud.deviceId);
    if (retreat !== null) {
      session.retreats(retreat);
      this.log.decided(session, retreat);
      this.log.flush(); // its devices are told before the cloud that goes; where it fails now, it is tried again
    }
    return session;
  }

  /** @throws ControlError; StoreError when it cannot be deleted, in which case it is still there */
  remove(id: string): DeploymentSession {
    const session = this.get(id);
    this.#flushOrThrow();
    this.ports.store.deleteDeployment(id);
    session.disposed = true;
    this.#sessions.delete(id);
    for (const role of rolesOf(session.current)) {
      this.#leave(session, bindingOf(session.current, role).deviceId);
    }
    this.ports.events.inventory({ deployments: this.#sessions.size });
    return session;
  }

  #add(session: DeploymentSession): void {
    this.#sessions.set(session.id, session);
    for (const role of rolesOf(session.current)) {
      this.#join(session, bindingOf(session.current, role).deviceId);
    }
    this.ports.events.inventory({ deployments: this.#sessions.size });
  }

  #join(session: DeploymentSession, deviceId: string): void {
    const there = this.#byDevice.get(deviceId);
    if (there === undefined) this.#byDevice.set(deviceId, [session]);
    else there.push(session);
  }

  #leave(session: DeploymentSession, deviceId: string): void {
    const left = this.ofDevice(deviceId).filter((other) => other !== session);
    if (left.length === 0) this.#byDevice.delete(deviceId);
    else this.#byDevice.set(deviceId, left);
  }

  #flushOrThrow(): void {
    if (this.log.flush()) return;
    throw new ControlError(
      'unavailable',
      'store-unavailable',
      'The database cannot be written now, so nothing was changed; try again when /readyz is well.',
    );
  }

  #checkRoom(wanted: NewDeployment): void {
    const { maxDeployments } = this.limits;
    if (this.#sessions.size >= maxDeployments) {
      this.ports.events.capHit('deployments', { cap: maxDeployments });
      throw new ControlError(
        'limit',
        'too-many-deployments',
        `The controller keeps at most ${maxDeployments} deployments; delete one, or raise limits.maxDeployments.`,
      );
    }
    for (const role of rolesOf(wanted)) this.#checkRoomOf(role, bindingOf(wanted, role).deviceId);
  }

  #checkRoomOf(role: Role, deviceId: string): void {
    const { maxDeploymentsPerDevice } = this.limits;
    if (this.ofDevice(deviceId).length < maxDeploymentsPerDevice) return;
    this.ports.events.capHit('deploymentsPerDevice', { deviceId, cap: maxDeploymentsPerDevice });
    throw new ControlError(
      'limit',
      'too-many-deployments-of-device',
      `Device ${deviceId} has ${maxDeploymentsPerDevice} deployments, as many as limits.maxDeploymentsPerDevice allows.`,
      `${role}.deviceId`,
    );
  }

  #check(record: DeploymentRecord): void {
    const { batteryLifetimeSeconds, inferencesPerSecond } = record.requirements;
    if (batteryLifetimeSeconds !== undefined && inferencesPerSecond === undefined) {
      throw invalid(
        'rate-missing',
        'A battery lifetime needs the rate of inferences that it is asked for.',
        'requirements.inferencesPerSecond',
      );
    }
    const roles = rolesOf(record);
    for (const role of roles) {
      if (roleOfDevice(record, bindingOf(record, role).deviceId) === role) continue;
      throw invalid('same-device', 'Each tier must be a device of its own.', `${role}.deviceId`);
    }
    for (const name of ['weightBytes', 'memoryBytes'] as const) {
      const count = record.requirements[name]?.length ?? 0;
      if (count <= roles.length) continue;
      throw invalid(
        'too-many-tiers',
        `${name} has ${count} bounds, and the deployment has ${roles.length} tiers.`,
        `requirements.${name}`,
      );
    }
    for (const role of roles) {
      const { profileId } = bindingOf(record, role);
      if (profileId === undefined) continue;
      if (this.profiles.ofModel(record.modelId).some((profile) => profile.id === profileId)) continue;
      throw invalid(
        'unknown-profile',
        `Model ${record.modelId} has no profile ${JSON.stringify(profileId)}.`,
        `${role}.profileId`,
      );
    }
  }
}

function merge<T extends object>(before: T, change: Merge<Partial<T>> | undefined): T {
  const merged = Object.entries({ ...before, ...change }).filter(
    ([, value]) => value !== null && value !== undefined,
  );
  // a required field cannot be taken away: `change` has only optional ones by its type
  return Object.fromEntries(merged) as T;
}

function invalid(code: string, message: string, field: string): ControlError {
  return new ControlError('invalid', code, message, field);
}
