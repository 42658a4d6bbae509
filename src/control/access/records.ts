/** Who may do what: the nouns of access as the store keeps them. No record holds a secret, only its digest. */

/** From least to most: each role may do all that the ones before it may. */
export const operatorRoles = ['viewer', 'operator', 'admin'] as const;
export type OperatorRole = (typeof operatorRoles)[number];

/** Does a key with the role `held` do where `needed` is asked for? */
export function mayAct(held: OperatorRole, needed: OperatorRole): boolean {
  return operatorRoles.indexOf(held) >= operatorRoles.indexOf(needed);
}

interface CredentialRecord {
  /** Public; also the first part of the credential itself. */
  readonly id: string;
  /** What people call it. */
  readonly label: string;
  /** HMAC-SHA-256 of the whole credential under the pepper of this database. */
  readonly digest: Uint8Array;
  readonly createdAtMs: number;
  /** Id of the API key that made it; `start` or `command line` where none did. */
  readonly createdBy: string;
  /** Null while it may be used. */
  readonly revokedAtMs: number | null;
}

export interface ApiKeyRecord extends CredentialRecord {
  readonly role: OperatorRole;
}

export interface DeviceTokenRecord extends CredentialRecord {
  /** The one device that may use it. */
  readonly deviceId: string;
}

/** A change that an operator asked for, as it is written down before it is carried out. */
export interface AuditStart {
  readonly atMs: number;
  /** Id of the API key; `command line` for a command on the data folder, `start` for the first key. */
  readonly actor: string;
  readonly actorLabel: string;
  readonly role: OperatorRole;
  /** Network address that it came from; null for a command on the data folder and for the first key. */
  readonly address: string | null;
  /** Name of the operation, as in the OpenAPI document. */
  readonly operation: string;
  /** Path of the request. */
  readonly target: string;
}

/** What became of it. */
export interface AuditOutcome {
  readonly status: number;
  /** Code of the problem it was refused with; null where it was done. */
  readonly code: string | null;
  /** Path of what was made, where something was. */
  readonly target: string;
}

export interface AuditEntry extends AuditStart {
  /** Rises with time. */
  readonly id: number;
  /** Null: the process ended, or the database failed, before the outcome could be written down. */
  readonly status: number | null;
  readonly code: string | null;
}

/** The part of the store that keeps them. Like all of the store synchronous, durable at return, throwing StoreError. */
export interface AccessStore {
  /** 32 random bytes, made with the database and never changed. */
  pepper(): Uint8Array;
  apiKeys(): ApiKeyRecord[];
  saveApiKey(key: ApiKeyRecord): void;
  deleteApiKey(id: string): void;
  deviceTokens(): DeviceTokenRecord[];
  saveDeviceToken(token: DeviceTokenRecord): void;
  deleteDeviceToken(id: string): void;
  /** Has another process written to the database since this was last asked? */
  wasChangedElsewhere(): boolean;
  /** Returns the id under which the outcome is written down later. */
  startAudit(entry: AuditStart): number;
  finishAudit(id: number, outcome: AuditOutcome): void;
  /** Newest first; `beforeId` pages on. */
  audit(page: { limit: number; beforeId?: number | undefined }): AuditEntry[];
  /** Deletes the oldest entries above `keepRows`, at most `batchRows` of them; returns how many went. */
  pruneAudit(keepRows: number, batchRows: number): number;
}
