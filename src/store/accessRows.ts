/** API keys, device tokens and the audit as rows. */
import type { Database } from 'better-sqlite3';
import type {
  AccessStore,
  ApiKeyRecord,
  AuditEntry,
  AuditStart,
  DeviceTokenRecord,
  OperatorRole,
} from '../control/access/records.js';

interface CredentialRow {
  readonly id: string;
  readonly label: string;
  readonly digest: Uint8Array;
  readonly created_at_ms: number;
  readonly created_by: string;
  readonly revoked_at_ms: number | null;
}
interface KeyRow extends CredentialRow {
  readonly role: OperatorRole;
}
interface TokenRow extends CredentialRow {
  readonly device_id: string;
}
interface AuditRow {
  readonly id: number;
  readonly at_ms: number;
  readonly actor: string;
  readonly actor_label: string;
  readonly role: OperatorRole;
  readonly address: string | null;
  readonly operation: string;
  readonly target: string;
  readonly status: number | null;
  readonly code: string | null;
}

function rowOf({ id, label, digest, createdAtMs, createdBy, revokedAtMs }: ApiKeyRecord | DeviceTokenRecord) {
  const times = { created_at_ms: createdAtMs, created_by: createdBy, revoked_at_ms: revokedAtMs };
  return { id, label, digest, ...times };
}

function recordOf({ id, label, digest, created_at_ms, created_by, revoked_at_ms }: CredentialRow) {
  return { id, label, digest, createdAtMs: created_at_ms, createdBy: created_by, revokedAtMs: revoked_at_ms };
}

function entryOf({ at_ms, actor_label, ...row }: AuditRow): AuditEntry {
  return { ...row, atMs: at_ms, actorLabel: actor_label };
}

function credentialRows(db: Database) {
  const keys = db.prepare<[], KeyRow>('SELECT * FROM api_keys ORDER BY created_at_ms, id');
  const saveKey = db.prepare<KeyRow>(
    `INSERT INTO api_keys VALUES (@id, @label, @role, @digest, @created_at_ms, @created_by, @revoked_at_ms)
     ON CONFLICT (id) DO UPDATE SET revoked_at_ms = @revoked_at_ms`,
  );
  const removeKey = db.prepare<[string]>('DELETE FROM api_keys WHERE id = ?');
  const tokens = db.prepare<[], TokenRow>('SELECT * FROM device_tokens ORDER BY created_at_ms, id');
  const saveToken = db.prepare<TokenRow>(
    `INSERT INTO device_tokens VALUES
       (@id, @device_id, @label, @digest, @created_at_ms, @created_by, @revoked_at_ms)
     ON CONFLICT (id) DO UPDATE SET revoked_at_ms = @revoked_at_ms`,
  );
  const removeToken = db.prepare<[string]>('DELETE FROM device_tokens WHERE id = ?');
  return {
    apiKeys: (): ApiKeyRecord[] => keys.all().map((row) => ({ ...recordOf(row), role: row.role })),
    saveApiKey: (key: ApiKeyRecord): void => void saveKey.run({ ...rowOf(key), role: key.role }),
    deleteApiKey: (id: string): void => void removeKey.run(id),
    deviceTokens: (): DeviceTokenRecord[] =>
      tokens.all().map((row) => ({ ...recordOf(row), deviceId: row.device_id })),
    saveDeviceToken: (token: DeviceTokenRecord): void =>
      void saveToken.run({ ...rowOf(token), device_id: token.deviceId }),
    deleteDeviceToken: (id: string): void => void removeToken.run(id),
  };
}

function auditRows(db: Database) {
  const start = db.prepare<Omit<AuditRow, 'id' | 'status' | 'code'>>(
    `INSERT INTO audit (at_ms, actor, actor_label, role, address, operation, target)
     VALUES (@at_ms, @actor, @actor_label, @role, @address, @operation, @target)`,
  );
  const finish = db.prepare<[number, string | null, string, number]>(
    'UPDATE audit SET status = ?, code = ?, target = ? WHERE id = ?',
  );
  const latest = db.prepare<[number, number], AuditRow>(
    'SELECT * FROM audit WHERE id < ? ORDER BY id DESC LIMIT ?',
  );
  const prune = db.prepare<[number, number]>(
    `DELETE FROM audit WHERE id IN
       (SELECT id FROM audit WHERE id <= (SELECT max(id) FROM audit) - ? ORDER BY id LIMIT ?)`,
  );
  return {
    startAudit({ atMs, actorLabel, ...entry }: AuditStart): number {
      return Number(start.run({ ...entry, at_ms: atMs, actor_label: actorLabel }).lastInsertRowid);
    },
    finishAudit: (
      id: number,
      { status, code, target }: { status: number; code: string | null; target: string },
    ) => void finish.run(status, code, target, id),
    audit: ({
      limit,
      beforeId = Number.MAX_SAFE_INTEGER,
    }: {
      limit: number;
      beforeId?: number | undefined;
    }) => latest.all(beforeId, limit).map(entryOf),
    pruneAudit: (keepRows: number, batchRows: number): number => prune.run(keepRows, batchRows).changes,
  };
}

/** The part of the store that keeps who may do what. */
export function accessRows(db: Database): AccessStore {
  const version = db.prepare<[], { data_version: number }>('PRAGMA data_version');
  let seenVersion = version.get()!.data_version;
  const pepper = db.prepare<[], { pepper: Uint8Array }>('SELECT pepper FROM access_pepper');
  return {
    pepper: () => pepper.get()!.pepper,
    ...credentialRows(db),
    ...auditRows(db),
    wasChangedElsewhere(): boolean {
      const { data_version } = version.get()!;
      if (data_version === seenVersion) return false;
      seenVersion = data_version;
      return true;
    },
  };
}
