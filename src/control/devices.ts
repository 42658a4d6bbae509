/** The devices that the controller knows: what they said of themselves, their latest telemetry, their connection. */
import { Budget } from './budget.js';
import { ControlError, notFound } from './controlError.js';
import type { DeviceView } from './deploymentContext.js';
import { LatestTelemetry } from './latestTelemetry.js';
import { monotonicMs, type CloseReason, type Clock, type DeviceConnection, type Events } from './ports.js';
import type { DeviceDescription, DeviceRecord, Telemetry } from './records.js';
import type { ControlSettings } from './settings.js';

export interface Hello {
  readonly deviceId: string;
  readonly description: DeviceDescription;
  /** Counts (or names) the starts of the device: sequences of telemetry go on within one. */
  readonly bootEpoch?: number | undefined;
}

export interface Device extends DeviceView {
  readonly record: DeviceRecord;
  readonly description: DeviceDescription;
  readonly telemetryAtMs: number | null;
  readonly connection: DeviceConnection | null;
  /** True once it was connected since the controller started. */
  readonly seenSinceStart: boolean;
  readonly lastSequence: number | null;
}

/** Live: what is read of it is what is known at that moment. */
class Entry implements DeviceView {
  telemetry: LatestTelemetry | null = null;
  connection: DeviceConnection | null = null;
  seenSinceStart = false;
  bootEpoch: number | undefined = undefined;
  lastSequence: number | null = null;

  constructor(
    public record: DeviceRecord,
    readonly hellos: Budget,
  ) {}

  get description(): DeviceDescription {
    return this.record.description;
  }

  get connected(): boolean {
    return this.connection !== null;
  }
}

type DeviceLimits = Pick<ControlSettings['limits'], 'maxDevices' | 'hellosPerMinute' | 'helloBurst'>;

const unseen = { description: null, telemetry: null, connected: false, seenSinceStart: false };

export class Devices {
  readonly #entries = new Map<string, Entry>();
  readonly #unsaved = new Set<string>();

  constructor(
    private readonly clock: Clock,
    private readonly events: Events,
    private readonly limits: DeviceLimits,
  ) {}

  load(records: readonly DeviceRecord[]): void {
    for (const record of records) this.#entries.set(record.id, this.#entryOf(record));
    this.events.inventory({ devices: this.#entries.size });
  }

  list(): Device[] {
    return [...this.#entries.values()].map(toDevice);
  }

  ids(): Iterable<string> {
    return this.#entries.keys();
  }

  isKnown(id: string): boolean {
    return this.#entries.has(id);
  }

  get(id: string): Device {
    const entry = this.#entries.get(id);
    if (entry === undefined) throw notFound('device', id);
    return toDevice(entry);
  }

  /** What a decision needs of a device, live, to be read at once; also of one that nobody has seen yet. */
  view(id: string): DeviceView & { readonly seenSinceStart: boolean } {
    return this.#entries.get(id) ?? unseen;
  }

  connection(id: string): DeviceConnection | null {
    return this.#entries.get(id)?.connection ?? null;
  }

  /**
   * A device said hello on `connection`; an older connection of the same device is closed.
   * @throws ControlError `limit`, whose code is the reason to close with: the device is new and there is room for no more, or
   * it said hello too often, and then an older connection stays
   */
  connect(hello: Hello, connection: DeviceConnection): { readonly descriptionChanged: boolean } {
    const now = this.clock.nowMs();
    const known = this.#entries.get(hello.deviceId);
    if (known === undefined) this.#mustHaveRoom(hello.deviceId);
    const record: DeviceRecord = {
      id: hello.deviceId,
      description: hello.description,
      firstSeenAtMs: known?.record.firstSeenAtMs ?? now,
      lastSeenAtMs: now,
    };
    const entry = known ?? this.#entryOf(record);
    this.#mustBeRare(entry);
    const before = JSON.stringify(known?.record.description);
    const older = entry.connection;
    entry.record = record;
    entry.connection = connection; // before the older one is closed: its end is then nobody's disconnect
    older?.close('taken-over');
    entry.seenSinceStart = true;
    if (hello.bootEpoch === undefined || hello.bootEpoch !== entry.bootEpoch) entry.lastSequence = null;
    entry.bootEpoch = hello.bootEpoch;
    this.#entries.set(record.id, entry);
    this.#unsaved.add(record.id);
    this.events.inventory({ devices: this.#entries.size });
    return { descriptionChanged: before !== JSON.stringify(record.description) };
  }

  /** False when `connection` is not (or no longer) the one of the device. */
  disconnect(id: string, connection: DeviceConnection): boolean {
    const entry = this.#entries.get(id);
    if (entry === undefined || entry.connection !== connection) return false;
    entry.connection = null;
    this.#touch(entry);
    return true;
  }

  /** Takes a frame in, or says why not. A frame is all that the device knows: nothing of an older one stays. */
  telemetry(
    id: string,
    connection: DeviceConnection,
    sequence: number,
    values: Telemetry,
  ): 'accepted' | 'stale' | 'unexpected' {
    const entry = this.#entries.get(id);
    if (entry === undefined || entry.connection !== connection) return 'unexpected';
    if (entry.lastSequence !== null && sequence <= entry.lastSequence) return 'stale';
    entry.lastSequence = sequence;
    entry.telemetry ??= new LatestTelemetry();
    entry.telemetry.take(values, this.clock.nowMs());
    return 'accepted';
  }

  /** The caller has made sure that it is not connected and nothing uses it. */
  remove(id: string): void {
    this.#entries.delete(id);
    this.#unsaved.delete(id);
    this.events.inventory({ devices: this.#entries.size });
  }

  closeAll(reason: CloseReason): void {
    for (const entry of this.#entries.values()) entry.connection?.close(reason);
  }

  /**
   * Marks the connected devices as seen now, so that the store hears of it with the next commit.
   * @param parts given: each such one of them alone, from number `part` on
   */
  touchConnected(part = 0, parts = 1): void {
    let place = 0;
    for (const entry of this.#entries.values()) {
      if (place++ % parts === part && entry.connection !== null) this.#touch(entry);
    }
  }

  get hasUnsaved(): boolean {
    return this.#unsaved.size > 0;
  }

  /** At most `limit` of those that changed since they were saved. */
  unsaved(limit: number): DeviceRecord[] {
    const records: DeviceRecord[] = [];
    for (const id of this.#unsaved) {
      if (records.length === limit) break;
      records.push(this.#entries.get(id)!.record);
    }
    return records;
  }

  saved(records: readonly DeviceRecord[]): void {
    for (const record of records) {
      if (this.#entries.get(record.id)?.record === record) this.#unsaved.delete(record.id);
    }
  }

  #entryOf(record: DeviceRecord): Entry {
    return new Entry(record, new Budget(this.limits.helloBurst, monotonicMs(this.clock)));
  }

  #mustHaveRoom(deviceId: string): void {
    const { maxDevices: cap } = this.limits;
    if (this.#entries.size < cap) return;
    this.events.capHit('devices', { deviceId, cap });
    const message = `The controller keeps at most ${cap} devices; remove one that is gone, or raise limits.maxDevices.`;
    throw new ControlError('limit', 'too-many-devices', message);
  }

  /** A hello costs the more the more deployments the device has: all of them are looked at, and told what runs. */
  #mustBeRare({ record, hellos }: Entry): void {
    const { helloBurst: atOnce, hellosPerMinute: perMinute } = this.limits;
    if (hellos.take({ atOnce, perMinute }, monotonicMs(this.clock))) return;
    this.events.capHit('hellosPerMinute', { deviceId: record.id, cap: perMinute });
    const message = `Device ${record.id} said hello more than ${atOnce} times at once or ${perMinute} times a minute.`;
    throw new ControlError('limit', 'too-many-hellos', message);
  }

  #touch(entry: Entry): void {
    entry.record = { ...entry.record, lastSeenAtMs: this.clock.nowMs() };
    this.#unsaved.add(entry.record.id);
  }
}

function toDevice(entry: Entry): Device {
  return {
    record: entry.record,
    description: entry.record.description,
    telemetry: entry.telemetry?.snapshot() ?? null,
    telemetryAtMs: entry.telemetry?.atMs ?? null,
    connection: entry.connection,
    connected: entry.connected,
    seenSinceStart: entry.seenSinceStart,
    lastSequence: entry.lastSequence,
  };
}
