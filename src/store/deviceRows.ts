/** Devices as rows. */
import type { Database } from 'better-sqlite3';
import type { DeviceRecord, Role } from '../control/records.js';
import { fromJson, toJson } from './json.js';

interface DeviceRow {
  readonly id: string;
  readonly role: Role;
  readonly description_json: string;
  readonly first_seen_at_ms: number;
  readonly last_seen_at_ms: number;
}

function deviceOf(row: DeviceRow): DeviceRecord {
  return {
    id: row.id,
    description: fromJson(row.description_json, `devices.description_json of ${row.id}`),
    firstSeenAtMs: row.first_seen_at_ms,
    lastSeenAtMs: row.last_seen_at_ms,
  };
}

/** The part of the store that keeps devices. */
export function deviceRows(db: Database) {
  const all = db.prepare<[], DeviceRow>('SELECT * FROM devices ORDER BY first_seen_at_ms, id');
  const save = db.prepare<DeviceRow>(
    `INSERT INTO devices VALUES (@id, @role, @description_json, @first_seen_at_ms, @last_seen_at_ms)
     ON CONFLICT (id) DO UPDATE SET role = @role, description_json = @description_json,
       first_seen_at_ms = @first_seen_at_ms, last_seen_at_ms = @last_seen_at_ms`,
  );
  const remove = db.prepare<[string]>('DELETE FROM devices WHERE id = ?');
  const saveAll = db.transaction((devices: readonly DeviceRecord[]) => {
    for (const device of devices) {
      save.run({
        id: device.id,
        role: device.description.role,
        description_json: toJson(device.description),
        first_seen_at_ms: device.firstSeenAtMs,
        last_seen_at_ms: device.lastSeenAtMs,
      });
    }
  });
  return {
    devices: (): DeviceRecord[] => all.all().map(deviceOf),
    saveDevices: (devices: readonly DeviceRecord[]): void => void saveAll.immediate(devices),
    deleteDevice: (id: string): void => void remove.run(id),
  };
}
