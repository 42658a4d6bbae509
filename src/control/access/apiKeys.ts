/** API keys of operators: few, held in memory, written through to the store. */
import type { Clock } from '../ports.js';
import { ControlError, notFound } from '../controlError.js';
import { createCredential, type CredentialCheck, type Hashing, type Verdict } from './credential.js';
import type { AccessStore, ApiKeyRecord, OperatorRole } from './records.js';

export interface NewApiKey {
  readonly label: string;
  readonly role: OperatorRole;
  readonly createdBy: string;
}

/** A credential with its secret, which is shown this once. */
export interface Issued<R> {
  readonly record: R;
  readonly secret: string;
}

/** Makes a key without keeping it. @param nowMs time of day */
export function issueApiKey(wanted: NewApiKey, hashing: Hashing, nowMs: number): Issued<ApiKeyRecord> {
  const { id, secret } = createCredential('cpk');
  const record = { id, ...wanted, digest: hashing.digest(secret), createdAtMs: nowMs, revokedAtMs: null };
  return { record, secret };
}

export class ApiKeys {
  readonly #byId = new Map<string, ApiKeyRecord>();
  /** Revoked, and the store has not taken that yet. */
  readonly #unstored = new Map<string, ApiKeyRecord>();

  constructor(
    private readonly store: AccessStore,
    private readonly clock: Clock,
    private readonly hashing: Hashing,
    private readonly check: CredentialCheck,
    private readonly maxKeys: number,
  ) {}

  /** @throws StoreError */
  load(): void {
    this.#byId.clear();
    for (const key of this.store.apiKeys()) this.#byId.set(key.id, this.#unstored.get(key.id) ?? key);
  }

  list(): readonly ApiKeyRecord[] {
    return [...this.#byId.values()];
  }

  /** Keys made by a command beside this process count too: where a check fails, what changed is read first. */
  verify(header: string | undefined): Verdict<ApiKeyRecord> {
    const find = (id: string) => this.#byId.get(id);
    const verdict = this.check.verify(header, find);
    if (verdict.ok || header === undefined || !this.store.wasChangedElsewhere()) return verdict;
    this.load();
    return this.check.verify(header, find);
  }

  /** @throws ControlError `limit`; StoreError */
  create(wanted: NewApiKey): Issued<ApiKeyRecord> {
    const live = this.list().filter((key) => key.revokedAtMs === null);
    if (live.length >= this.maxKeys) {
      const message = `There are ${live.length} API keys, as many as auth.maxKeys allows; revoke one first.`;
      throw new ControlError('limit', 'too-many-keys', message);
    }
    const issued = issueApiKey(wanted, this.hashing, this.clock.nowMs());
    this.store.saveApiKey(issued.record);
    this.#byId.set(issued.record.id, issued.record);
    this.#forgetRevoked();
    return issued;
  }

  /**
   * Ends the use of a key in this process, at once and whatever the store can do.
   * @throws ControlError `not-found`, `conflict` for the last key of an admin
   */
  refuse(id: string): void {
    const key = this.#byId.get(id);
    if (key === undefined || key.revokedAtMs !== null) throw notFound('key', id);
    const admins = this.list().filter(({ role, revokedAtMs }) => role === 'admin' && revokedAtMs === null);
    if (key.role === 'admin' && admins.length === 1) {
      const message = `Key ${id} is the last one of an admin; make another one first.`;
      throw new ControlError('conflict', 'last-admin-key', message);
    }
    const revoked = { ...key, revokedAtMs: this.clock.nowMs() };
    this.#unstored.set(id, revoked);
    this.#byId.set(id, revoked);
  }

  /**
   * Writes down that a key is revoked.
   * @throws StoreError
   */
  saveRefused(id: string): void {
    const key = this.#unstored.get(id);
    if (key === undefined) return;
    this.store.saveApiKey(key);
    this.#unstored.delete(id);
  }

  /** Revoked keys stay to be looked at, the latest `maxKeys` of them. */
  #forgetRevoked(): void {
    const revoked = this.list().filter((key) => key.revokedAtMs !== null && !this.#unstored.has(key.id));
    revoked.sort((a, b) => a.revokedAtMs! - b.revokedAtMs!);
    for (const { id } of revoked.slice(0, Math.max(0, revoked.length - this.maxKeys))) {
      this.store.deleteApiKey(id);
      this.#byId.delete(id);
    }
  }
}
