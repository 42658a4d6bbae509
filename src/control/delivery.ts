/**
 * Brings durable cuts to the devices, and what devices say of them back. What is sent when is the rollout's to say
 * (rollout.ts); here are the connections, the clock and the store that it does not know.
 */
import type { Tensor } from '../core/layerGraph.js';
import { Deadlines } from './deadlines.js';
import type { DurableStep } from './decisionLog.js';
import type { Deployments } from './deployments.js';
import type { DeploymentSession } from './deploymentSession.js';
import type { AnswerRefusal, DeviceAnswer, Measurement, Running } from './deviceAnswer.js';
import type { Devices } from './devices.js';
import { monotonicMs, type Clock, type CutNotice, type Events } from './ports.js';
import type { DecisionReason, ModelRecord, Role, StoredCut, TierBinding } from './records.js';
import { bindingOf, rolesOf } from './roles.js';
import { dueAtMs, step, type RolloutAction, type RolloutEvent } from './rollout.js';
import type { ControlSettings } from './settings.js';
import { costInForce } from './switching.js';

export class Delivery {
  readonly #deadlines: Deadlines<DeploymentSession>;
  readonly #contents = new WeakMap<StoredCut, CutContent>();

  constructor(
    private readonly ports: { readonly clock: Clock; readonly events: Events },
    private readonly devices: Devices,
    private readonly deployments: Deployments,
    private readonly settings: ControlSettings['decisions'],
    private readonly on: {
      /** What is reported of a deployment changed and goes into the store. */
      readonly reported: (session: DeploymentSession) => void;
      /** A deployment is to be decided again. */
      readonly decide: (session: DeploymentSession, reason: DecisionReason) => void;
    },
  ) {
    this.#deadlines = new Deadlines(
      () => monotonicMs(ports.clock),
      (session) => this.#due(session),
    );
  }

  stop(): void {
    this.#deadlines.stop();
  }

  /** A commit went through: the deployment moves on, and a new cut is rolled out. */
  durable({ session, deployment, decision, number, receivedAtMs }: DurableStep): void {
    const isNew = deployment.version !== session.durable.version;
    session.durable = deployment;
    if (decision !== null) session.show(decision, number);
    if (!isNew) return;
    const { version, cut } = deployment;
    this.#step(session, { kind: 'decided', desired: { version, cut: cut! } }); // a version has a cut
    this.#retry(session);
    if (!Number.isNaN(receivedAtMs)) {
      this.ports.events.telemetryToPush((monotonicMs(this.ports.clock) - receivedAtMs) / 1e3);
    }
  }

  /**
   * A device came (back) and said what it runs: for each of its deployments it is told that this is current, or the
   * latest cut, and that a deployment is gone where it is. Never a replay.
   */
  resume(deviceId: string, running: readonly Running[]): void {
    const runs = new Map(running.map((entry) => [entry.deploymentId, entry]));
    const prepares = this.#prepares(deviceId);
    for (const session of this.deployments.ofDevice(deviceId)) {
      const known = runs.get(session.id);
      runs.delete(session.id);
      this.#step(session, {
        kind: 'connected',
        role: session.roleOf(deviceId)!,
        prepares,
        running: known === undefined ? null : { version: known.version, fallback: known.fallback === true },
      });
    }
    for (const gone of runs.keys()) this.devices.connection(deviceId)?.sendRemoved(gone);
  }

  disconnected(deviceId: string): void {
    for (const session of this.deployments.ofDevice(deviceId)) {
      this.#step(session, { kind: 'disconnected', role: session.roleOf(deviceId)! });
    }
  }

  /** A deployment was made of devices that may be connected already. */
  created(session: DeploymentSession): void {
    for (const role of rolesOf(session.current)) this.#join(session, role);
  }

  /** A deployment has another cloud than `before`, or none. */
  cloudChanged(session: DeploymentSession, before: TierBinding | undefined): void {
    if (before !== undefined) this.devices.connection(before.deviceId)?.sendRemoved(session.id);
    if (session.current.cloud !== undefined) this.#join(session, 'cloud');
  }

  #join(session: DeploymentSession, role: Role): void {
    const { deviceId } = bindingOf(session.current, role);
    if (this.devices.connection(deviceId) === null) return;
    this.#step(session, { kind: 'connected', role, prepares: this.#prepares(deviceId), running: null });
  }

  /** Takes what `deviceId` says of a version; null when that is taken. */
  answer(deviceId: string, answer: DeviceAnswer): AnswerRefusal | null {
    const { deploymentId, version } = answer;
    const session = this.deployments.find(deploymentId);
    const role = session?.roleOf(deviceId) ?? null;
    if (session === null || role === null) return 'unknown-deployment';
    if (version > session.durable.version) return 'unknown-version';
    const code =
      answer.type === 'nack' ? answer.code : answer.type === 'fallback' ? answer.reason : undefined;
    this.ports.events.cutAnswered({ kind: answer.type, deploymentId, deviceId, version, code });
    this.#take(session, role, answer);
    return null;
  }

  removed(session: DeploymentSession): void {
    this.#deadlines.set(session, null);
    for (const role of rolesOf(session.current)) {
      this.devices.connection(bindingOf(session.current, role).deviceId)?.sendRemoved(session.id);
    }
  }

  #prepares(deviceId: string): boolean {
    return this.devices.view(deviceId).description?.capabilities?.includes('prepare') ?? false;
  }

  #take(session: DeploymentSession, role: Role, answer: DeviceAnswer): void {
    const { type, version } = answer;
    switch (type) {
      case 'measurement':
        this.#measured(session, version, answer);
        return;
      case 'ack':
        session.nacks[role] = null;
        this.#step(session, { kind: 'ack', role, version });
        return;
      case 'prepared':
        this.#step(session, { kind: 'prepared', role, version });
        return;
      case 'fallback':
        this.#step(session, { kind: 'fallback', role, version, reason: answer.reason });
        return;
      case 'nack': {
        const { code, message, running } = answer;
        session.nacks[role] = { version, code, message: message ?? null, atMs: this.ports.clock.nowMs() };
        // a version that was never decided is none that could run
        const known = running !== undefined && running <= session.durable.version ? running : null;
        this.#step(session, { kind: 'nack', role, version, code, running: known });
      }
    }
  }

  /** Measured times correct what is predicted next; those of a version that is not the active one say nothing of it. */
  #measured(session: DeploymentSession, version: number, measurement: Measurement): void {
    const { rollout, lastDecision } = session;
    const isActive = rollout.phase === 'active' && rollout.desired?.version === version;
    if (!isActive || lastDecision?.versionAfter !== version) return;
    const { prediction } = costInForce(lastDecision);
    const samples = session.correction.learn(measurement, prediction, lastDecision.corrections);
    for (const { stage, ratio } of samples) {
      this.ports.events.stageMeasured({ deploymentId: session.id, version, stage, ratio });
    }
    if (samples.length > 0) this.on.decide(session, 'measurement');
  }

  #due(session: DeploymentSession): void {
    if (session.disposed) return;
    this.#step(session, { kind: 'time' });
    this.#retry(session);
  }

  /** The best cut was kept out by a refusal that is over. */
  #retry(session: DeploymentSession): void {
    const { waitsFor, setAsides } = session;
    if (waitsFor === null || setAsides.holds(waitsFor, monotonicMs(this.ports.clock))) return;
    this.on.decide(session, 'retry');
  }

  #step(session: DeploymentSession, event: RolloutEvent): void {
    const nowMs = monotonicMs(this.ports.clock);
    const { rollout, actions } = step(session.rollout, event, nowMs, this.settings);
    session.rollout = rollout;
    const { end, edge, cloud } = rollout.tiers;
    const { reported, lastGood } = session.current;
    if (
      reported.end !== end.reported ||
      reported.edge !== edge.reported ||
      (reported.cloud ?? null) !== cloud.reported ||
      lastGood?.version !== rollout.lastGood?.version
    ) {
      session.current = {
        ...session.current,
        reported: {
          end: end.reported,
          edge: edge.reported,
          ...(rollout.roles.includes('cloud') ? { cloud: cloud.reported } : {}),
        },
        lastGood: rollout.lastGood,
      };
      this.on.reported(session);
    }
    for (const action of actions) this.#do(session, action, nowMs);
    this.#wait(session, nowMs);
    if (event.kind === 'decided') this.#countAbsent(session);
  }

  #do(session: DeploymentSession, action: RolloutAction, nowMs: number): void {
    const { version, cut } = session.rollout.desired!;
    const deploymentId = session.id;
    switch (action.kind) {
      case 'send':
        this.#send(session, action.role, action.phase);
        if (action.again) this.ports.events.cutSentAgain({ deploymentId, role: action.role, version });
        return;
      case 'current':
        this.devices
          .connection(bindingOf(session.durable, action.role).deviceId)
          ?.sendCurrent(deploymentId, version);
        return;
      case 'activated':
        session.setAsides.clear(cut);
        this.ports.events.cutActivated({ deploymentId, version, seconds: action.tookMs / 1_000 });
        return;
      case 'refused': {
        const { code, cause, role } = action.refusal;
        const clockMs = this.ports.clock.nowMs();
        const { entry, isFull } = session.setAsides.add(cut, code, nowMs, clockMs, this.settings);
        if (isFull) this.ports.events.capHit('setAside', { deploymentId, cap: this.settings.maxSetAside });
        const { count, retryAtMs } = entry;
        const waitMs = Math.round(retryAtMs - nowMs);
        this.ports.events.cutSetAside({ deploymentId, version, role, cause, code, count, waitMs });
        this.on.decide(session, 'nack');
      }
    }
  }

  #wait(session: DeploymentSession, nowMs: number): void {
    const answers = dueAtMs(session.rollout);
    const retries = session.setAsides.dueAtMs(nowMs);
    const due = answers !== null && retries !== null ? Math.min(answers, retries) : (answers ?? retries);
    this.#deadlines.set(session, due);
  }

  #countAbsent(session: DeploymentSession): void {
    for (const role of session.rollout.roles) {
      if (!session.rollout.tiers[role].connected) this.ports.events.dropped('undeliverable-cut');
    }
  }

  #send(session: DeploymentSession, role: Role, phase: 'prepare' | 'active'): void {
    const { deviceId } = bindingOf(session.durable, role);
    const { version } = session.durable;
    this.devices.connection(deviceId)?.sendCut(this.#notice(session, role, phase));
    this.ports.events.cutPushed({ deploymentId: session.id, deviceId, version, phase });
  }

  #notice(
    { id, durable, model, predictedLatencySeconds }: DeploymentSession,
    tier: Role,
    phase: CutNotice['phase'],
  ): CutNotice {
    const cut = durable.cut!; // only a deployment with a cut is pushed
    let content = this.#contents.get(cut);
    if (content === undefined) {
      content = contentOf(model, cut);
      this.#contents.set(cut, content);
    }
    return {
      deploymentId: id,
      version: durable.version,
      phase,
      tier,
      cut,
      ...content,
      predictedLatencySeconds,
    };
  }
}

/** What of a cut is the same for all deployments that run it. */
type CutContent = Pick<CutNotice, 'model' | 'tensors' | 'edgeTensors'>;

function contentOf({ id, name, sha256, graph }: ModelRecord, cut: StoredCut): CutContent {
  const named = (names: readonly string[]): Tensor[] => {
    const wanted = new Set(names);
    return graph!.tensors.filter((tensor) => wanted.has(tensor.name)); // only ready models are deployed
  };
  return {
    model: { id, name, sha256 },
    tensors: named(cut.tensors),
    ...(cut.edgeTensors === undefined ? {} : { edgeTensors: named(cut.edgeTensors) }),
  };
}
