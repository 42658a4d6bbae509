/** Tokens of devices: each speaks for one device. Held in memory, written through to the store. */
import type { Clock, Events } from '../ports.js';
import { ControlError, notFound } from '../controlError.js';
import type { Issued } from './apiKeys.js';
import { createCredential, type CredentialCheck, type Hashing, type Verdict } from './credential.js';
import type { AccessStore, DeviceTokenRecord } from './records.js';

export interface TokenLimits {
  readonly maxTokensPerDevice: number;
  /** Of all devices together; also for those that are revoked, and for the devices that have or had one. */
  readonly maxDeviceTokens: number;
}

export interface NewDeviceToken {
  readonly deviceId: string;
  readonly label: string;
  readonly createdBy: string;
}

export interface TokenPorts {
  readonly store: AccessStore;
  readonly clock: Clock;
  readonly events: Events;
}

export class DeviceTokens {
  readonly #byId = new Map<string, DeviceTokenRecord>();
  readonly #byDevice = new Map<string, Set<string>>();
  /** In the order in which they were revoked. */
  readonly #revoked = new Set<string>();

  constructor(
    private readonly ports: TokenPorts,
    private readonly hashing: Hashing,
    private readonly check: CredentialCheck,
    private readonly limits: TokenLimits,
  ) {}

  /** @throws StoreError */
  load(): void {
    for (const token of this.ports.store.deviceTokens()) this.#keep(token);
    const revoked = [...this.#byId.values()].filter((token) => !isLive(token)).sort(byRevocation);
    for (const { id } of revoked) this.#revoked.add(id);
  }

  /** Also those revoked lately. */
  ofDevice(deviceId: string): readonly DeviceTokenRecord[] {
    return [...(this.#byDevice.get(deviceId) ?? [])].map((id) => this.#byId.get(id)!);
  }

  /**
   * A device that ever had a token is not taken without one, whoever else may come anonymously: else a revoked one
   * would come back. So its last token is kept until the device is forgotten.
   */
  isGuarded(deviceId: string): boolean {
    return this.#byDevice.has(deviceId);
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
    this.#checkRoom(wanted.deviceId);
    const { id, secret } = createCredential('cpd');
    const digest = this.hashing.digest(secret);
    const record = { id, ...wanted, digest, createdAtMs: this.ports.clock.nowMs(), revokedAtMs: null };
    this.ports.store.saveDeviceToken(record);
    this.#keep(record);
    return { record, secret };
  }

  /**
   * Ends the use of a token in this process, at once and whatever the store can do.
   * @throws ControlError `not-found`
   */
  refuse(deviceId: string, id: string): void {
    const token = this.#byId.get(id);
    if (token?.deviceId !== deviceId || !isLive(token)) throw notFound('token', id);
    this.#byId.set(id, { ...token, revokedAtMs: this.ports.clock.nowMs() });
    this.#revoked.add(id);
  }

  /**
   * Writes down that a token is revoked; nothing is to be done where it was forgotten meanwhile.
   * @throws StoreError
   */
  saveRefused(id: string): void {
    const token = this.#byId.get(id);
    if (token === undefined) return;
    this.ports.store.saveDeviceToken(token);
    this.#prune(token.deviceId);
  }

  /**
   * Ends a token for good, revoked or not: of a device that is forgotten nothing stays.
   * @throws StoreError
   */
  forget(token: DeviceTokenRecord): void {
    const { id, deviceId } = token;
    this.ports.store.deleteDeviceToken(id);
    this.#revoked.delete(id);
    this.#byId.delete(id);
    const ids = this.#byDevice.get(deviceId)!;
    ids.delete(id);
    if (ids.size === 0) this.#byDevice.delete(deviceId);
  }

  #checkRoom(deviceId: string): void {
    const { maxTokensPerDevice, maxDeviceTokens } = this.limits;
    const tooMany = (message: string) => new ControlError('limit', 'too-many-tokens', message);
    if (this.ofDevice(deviceId).filter(isLive).length >= maxTokensPerDevice) {
      throw tooMany(
        `Device ${deviceId} has ${maxTokensPerDevice} tokens, as many as auth.maxTokensPerDevice allows; revoke one first.`,
      );
    }
    const liveCount = this.#byId.size - this.#revoked.size;
    if (liveCount >= maxDeviceTokens) {
      throw tooMany(`There are ${liveCount} device tokens, as many as auth.maxDeviceTokens allows.`);
    }
    if (!this.#byDevice.has(deviceId) && this.#byDevice.size >= maxDeviceTokens) {
      throw tooMany(
        `${this.#byDevice.size} devices have or had a token, as many as auth.maxDeviceTokens allows; forget those that are gone (DELETE /v1/devices/ID).`,
      );
    }
  }

  #keep(token: DeviceTokenRecord): void {
    this.#byId.set(token.id, token);
    const ids = this.#byDevice.get(token.deviceId);
    if (ids === undefined) this.#byDevice.set(token.deviceId, new Set([token.id]));
    else ids.add(token.id);
  }

  /**
   * Revoked tokens stay to be looked at, the latest `maxTokensPerDevice` of a device and the latest `maxDeviceTokens`
   * of all, and the last one of each device.
   */
  #prune(deviceId: string): void {
    const { maxTokensPerDevice, maxDeviceTokens } = this.limits;
    const ofDevice = this.ofDevice(deviceId)
      .filter((token) => !isLive(token))
      .sort(byRevocation);
    try {
      for (const token of ofDevice.slice(0, -maxTokensPerDevice)) this.forget(token);
      for (const id of this.#revoked) {
        if (this.#revoked.size <= maxDeviceTokens) return;
        const token = this.#byId.get(id)!;
        if (this.#byDevice.get(token.deviceId)!.size > 1) this.forget(token);
      }
    } catch (error) {
      this.ports.events.storeFailed({ operation: 'forget revoked tokens', error }); // the next one tries again
    }
  }
}

function isLive(token: DeviceTokenRecord): boolean {
  return token.revokedAtMs === null;
}

function byRevocation(a: DeviceTokenRecord, b: DeviceTokenRecord): number {
  return a.revokedAtMs! - b.revokedAtMs!;
}
