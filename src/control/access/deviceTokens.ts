/** Tokens of devices: each speaks for one device. Held in memory, written through to the store. */
import type { Clock } from '../ports.js';
import { ControlError, notFound } from '../controlError.js';
import type { Issued } from './apiKeys.js';
import { createCredential, type CredentialCheck, type Hashing, type Verdict } from './credential.js';
import type { AccessStore, DeviceTokenRecord } from './records.js';

export interface TokenLimits {
  readonly maxTokensPerDevice: number;
  /** Of all devices together. */
  readonly maxDeviceTokens: number;
}

export interface NewDeviceToken {
  readonly deviceId: string;
  readonly label: string;
  readonly createdBy: string;
}

export class DeviceTokens {
  readonly #byId = new Map<string, DeviceTokenRecord>();
  readonly #byDevice = new Map<string, Set<string>>();
  #liveCount = 0;

  constructor(
    private readonly store: AccessStore,
    private readonly clock: Clock,
    private readonly hashing: Hashing,
    private readonly check: CredentialCheck,
    private readonly limits: TokenLimits,
  ) {}

  /** @throws StoreError */
  load(): void {
    for (const token of this.store.deviceTokens()) this.#keep(token);
    this.#liveCount = [...this.#byId.values()].filter(isLive).length;
  }

  /** Also those revoked lately. */
  ofDevice(deviceId: string): readonly DeviceTokenRecord[] {
    return [...(this.#byDevice.get(deviceId) ?? [])].map((id) => this.#byId.get(id)!);
  }

  /** A device with a token of its own is not taken without one, whoever else may come anonymously. */
  isGuarded(deviceId: string): boolean {
    return this.ofDevice(deviceId).some(isLive);
  }

  isLive(tokenId: string): boolean {
    const token = this.#byId.get(tokenId);
    return token !== undefined && isLive(token);
  }

  verify(header: string | undefined): Verdict<DeviceTokenRecord> {
    return this.check.verify(header, (id) => this.#byId.get(id));
  }

  /** @throws ControlError `limit`; StoreError */
  create(wanted: NewDeviceToken): Issued<DeviceTokenRecord> {
    const { maxTokensPerDevice, maxDeviceTokens } = this.limits;
    const { deviceId } = wanted;
    if (this.ofDevice(deviceId).filter(isLive).length >= maxTokensPerDevice) {
      const message = `Device ${deviceId} has ${maxTokensPerDevice} tokens, as many as auth.maxTokensPerDevice allows; revoke one first.`;
      throw new ControlError('limit', 'too-many-tokens', message);
    }
    if (this.#liveCount >= maxDeviceTokens) {
      const message = `There are ${this.#liveCount} device tokens, as many as auth.maxDeviceTokens allows.`;
      throw new ControlError('limit', 'too-many-tokens', message);
    }
    const { id, secret } = createCredential('cpd');
    const digest = this.hashing.digest(secret);
    const record = { id, ...wanted, digest, createdAtMs: this.clock.nowMs(), revokedAtMs: null };
    this.store.saveDeviceToken(record);
    this.#keep(record);
    this.#liveCount++;
    this.#forgetRevoked(deviceId);
    return { record, secret };
  }

  /** @throws ControlError `not-found`; StoreError */
  revoke(deviceId: string, id: string): void {
    const token = this.#byId.get(id);
    if (token?.deviceId !== deviceId || !isLive(token)) throw notFound('token', id);
    const revoked = { ...token, revokedAtMs: this.clock.nowMs() };
    this.store.saveDeviceToken(revoked);
    this.#byId.set(id, revoked);
    this.#liveCount--;
  }

  /**
   * Ends a token for good, revoked or not: of a device that is forgotten nothing stays.
   * @throws StoreError
   */
  forget(token: DeviceTokenRecord): void {
    const { id, deviceId } = token;
    this.store.deleteDeviceToken(id);
    if (this.isLive(id)) this.#liveCount--;
    this.#byId.delete(id);
    const ids = this.#byDevice.get(deviceId)!;
    ids.delete(id);
    if (ids.size === 0) this.#byDevice.delete(deviceId);
  }

  #keep(token: DeviceTokenRecord): void {
    this.#byId.set(token.id, token);
    const ids = this.#byDevice.get(token.deviceId);
    if (ids === undefined) this.#byDevice.set(token.deviceId, new Set([token.id]));
    else ids.add(token.id);
  }

  /** Revoked tokens stay to be looked at, the latest `maxTokensPerDevice` of a device. */
  #forgetRevoked(deviceId: string): void {
    const revoked = this.ofDevice(deviceId).filter((token) => !isLive(token));
    revoked.sort((a, b) => a.revokedAtMs! - b.revokedAtMs!);
    const excess = Math.max(0, revoked.length - this.limits.maxTokensPerDevice);
    for (const token of revoked.slice(0, excess)) this.forget(token);
  }
}

function isLive(token: DeviceTokenRecord): boolean {
  return token.revokedAtMs === null;
}
