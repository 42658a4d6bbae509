/**
 * The whole of control, put together: http and ws call `operations` and `fleet`, and read the registries.
 *
 * The way of a telemetry frame: fleet -> the device's latest values -> the deployments it touches are marked ->
 * the decider takes them in batches -> the log makes the decisions durable -> delivery pushes new cuts.
 */
import { BasisKeeper } from './basis.js';
import { Decider } from './decider.js';
import { DecisionLog } from './decisionLog.js';
import { Delivery } from './delivery.js';
import { Deployments } from './deployments.js';
import { Devices } from './devices.js';
import { Fleet } from './fleet.js';
import { Housekeeping } from './housekeeping.js';
import { Models } from './models.js';
import { Operations } from './operations.js';
import { Partitioners } from './partitioners.js';
import type { Clock, Events, ModelFiles, ModelImporter, PartitionerBuilder, Store } from './ports.js';
import { Profiles } from './profiles.js';
import { Questions } from './questions.js';
import { Refinements } from './refinements.js';
import type { ControlSettings } from './settings.js';

export interface ControlPorts {
  readonly store: Store;
  readonly importer: ModelImporter;
  readonly partitioners: PartitionerBuilder;
  readonly files: ModelFiles;
  readonly events: Events;
  readonly clock: Clock;
}

export class ControlPlane {
  readonly devices: Devices;
  readonly models: Models;
  readonly profiles: Profiles;
  readonly deployments: Deployments;
  readonly log: DecisionLog;
  readonly fleet: Fleet;
  readonly operations: Operations;
  readonly questions: Questions;
  readonly #basis: BasisKeeper;
  readonly #decider: Decider;
  readonly #delivery: Delivery;
  readonly #housekeeping: Housekeeping;
  readonly #refinements: Refinements;
  /** A start that failed has not gone beyond what the last process reserved, and must leave it to the next one. */
  #hasTakenUp = false;
  #settleTimer: NodeJS.Timeout | null = null;

  constructor(
    private readonly ports: ControlPorts,
    private readonly settings: ControlSettings,
  ) {
    const { store, clock, events } = ports;
    const { limits, decisions } = settings;
    this.devices = new Devices(clock, events, limits);
    this.profiles = new Profiles(store, clock, events, limits.maxProfilesPerModel);
    this.models = new Models(ports, this.profiles, settings, {
      ready: (modelId) => this.operations.refreshModel(modelId),
    });
    this.deployments = new Deployments(ports, this.models, this.profiles, limits, {
      flush: () => this.log.flush(),
      decided: (session, decision) => this.#decider.decided(session, decision),
    });
    const delivery = new Delivery(ports, this.devices, this.deployments, decisions, {
      reported: (session) => this.log.reported(session),
      decide: (session, reason) => this.#decider.mark(session, reason),
    });
    this.#delivery = delivery;
    this.log = new DecisionLog(store, this.devices, clock, events, decisions, {
      durable: (step) => delivery.durable(step),
      room: () => this.#decider.resume(),
    });
    this.questions = new Questions(clock, events, { ...limits, ...decisions });
    this.#refinements = new Refinements(clock, events, decisions.sliceMs, (session) =>
      this.#decider.mark(session, 'refinement'),
    );
    this.#decider = new Decider(ports, this.devices, this.deployments, this.log, decisions, (session) =>
      this.#refinements.want(session),
    );
    this.#basis = new BasisKeeper(
      this.devices,
      this.profiles,
      new Partitioners(ports.partitioners, events, settings.states.maxIdle),
      events,
      (session, reason) => this.#decider.mark(session, reason),
    );
    this.fleet = new Fleet(
      ports,
      this.devices,
      this.deployments,
      this.#basis,
      this.#decider,
      delivery,
      this.log,
    );
    this.operations = new Operations(
      store,
      this.devices,
      this.models,
      this.profiles,
      this.deployments,
      this.#basis,
      this.#decider,
      delivery,
    );
    this.#housekeeping = new Housekeeping(ports, this.devices, this.log, decisions.keepRows);
  }

  /** Goes on where the store says that the last process was. @throws StoreError */
  start(): void {
    this.devices.load(this.ports.store.devices());
    this.models.load();
    this.deployments.load();
    this.log.reserve(this.deployments.list());
    this.#hasTakenUp = true;
    for (const session of this.deployments.list()) this.#basis.refresh(session, 'restart');
    this.models.resume();
    this.#settleTimer = setTimeout(() => {
      this.#decider.settling = false;
      this.#decider.markAll('restart');
    }, this.settings.restartGraceMs);
    this.#housekeeping.start(this.deployments.list());
  }

  /**
   * Ends all work: no new decision, connections closed, what waits is committed. The store stays open.
   * @returns false when rows are left that the store could not take
   */
  async stop(): Promise<boolean> {
    if (this.#settleTimer !== null) clearTimeout(this.#settleTimer);
    this.#housekeeping.stop();
    this.#decider.stop();
    this.#refinements.stop();
    this.questions.stop();
    this.operations.stop();
    this.#basis.stop();
    this.#delivery.stop();
    this.devices.touchConnected();
    this.devices.closeAll('shutting-down');
    await this.models.stop();
    const allCommitted = this.log.flush();
    if (allCommitted && this.#hasTakenUp) this.log.release();
    this.log.close();
    return allCommitted;
  }
}
