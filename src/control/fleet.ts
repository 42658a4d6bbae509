/** What devices may ask of control: their connections, their telemetry, their answers. */
import type { BasisKeeper } from './basis.js';
import type { Decider } from './decider.js';
import type { DecisionLog } from './decisionLog.js';
import type { Delivery } from './delivery.js';
import type { Deployments } from './deployments.js';
import type { AnswerRefusal, DeviceAnswer, Running } from './deviceAnswer.js';
import type { Devices, Hello } from './devices.js';
import { monotonicMs, type Clock, type DeviceConnection, type Events } from './ports.js';
import type { Telemetry } from './records.js';

export class Fleet {
  constructor(
    private readonly ports: { readonly clock: Clock; readonly events: Events },
    private readonly devices: Devices,
    private readonly deployments: Deployments,
    private readonly basis: BasisKeeper,
    private readonly decider: Decider,
    private readonly delivery: Delivery,
    private readonly log: DecisionLog,
  ) {}

  /** @throws ControlError `limit` */
  connect(hello: Hello, running: readonly Running[], connection: DeviceConnection): void {
    const { descriptionChanged } = this.devices.connect(hello, connection);
    this.log.schedule();
    this.delivery.resume(hello.deviceId, running);
    for (const session of this.deployments.ofDevice(hello.deviceId)) {
      if (descriptionChanged) {
        session.forgetContext();
        this.basis.refresh(session, 'device-connected');
      }
    }
    this.decider.markOfDevice(this.deployments.ofDevice(hello.deviceId), 'device-connected');
  }

  disconnect(deviceId: string, connection: DeviceConnection): void {
    if (!this.devices.disconnect(deviceId, connection)) return;
    this.log.schedule();
    this.delivery.disconnected(deviceId);
    // with the end device gone there is nobody to serve: its cut stays until it is back
    const served = this.deployments.ofDevice(deviceId).filter((each) => each.roleOf(deviceId) !== 'end');
    this.decider.markOfDevice(served, 'device-disconnected');
  }

  /** Decisions are behind: telemetry may wait unread, the latest frame of each device. */
  get isBehind(): boolean {
    return this.decider.isBehind;
  }

  telemetry(
    deviceId: string,
    connection: DeviceConnection,
    sequence: number,
    values: Telemetry,
    receivedAtMs = monotonicMs(this.ports.clock),
  ): 'accepted' | 'stale' | 'unexpected' {
    const outcome = this.devices.telemetry(deviceId, connection, sequence, values);
    this.ports.events.telemetryFrame(outcome);
    if (outcome !== 'accepted') return outcome;
    this.decider.markOfDevice(this.deployments.ofDevice(deviceId), 'telemetry', receivedAtMs);
    return outcome;
  }

  /** What a device says of a version of a deployment; null when that is taken. */
  answer(deviceId: string, answer: DeviceAnswer): AnswerRefusal | null {
    return this.delivery.answer(deviceId, answer);
  }
}
