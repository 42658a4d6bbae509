/** Who may do what: operators by API key, devices by token, and a record of every change. */
import type { Clock, Events } from '../ports.js';
import { ApiKeys, type Issued } from './apiKeys.js';
import { Audit } from './audit.js';
import { CredentialCheck, hashingWith, type Rejection } from './credential.js';
import { DeviceTokens, type TokenLimits } from './deviceTokens.js';
import { FailedAttempts, type FailureLimits } from './failedAttempts.js';
import type { AccessStore, ApiKeyRecord } from './records.js';
import { Revocations } from './revocations.js';

export interface AccessSettings extends TokenLimits, FailureLimits {
  /** Devices without any token are taken. */
  readonly anonymousDevices: boolean;
  readonly maxKeys: number;
  readonly auditKeepRows: number;
}

export interface AccessPorts {
  readonly store: AccessStore;
  readonly events: Events;
  readonly clock: Clock;
}

/** The device that a connection speaks for; null: it came without a token, where that is allowed. */
export type DeviceIdentity = { readonly deviceId: string; readonly tokenId: string } | null;

/** `limited`: this address failed so often that it is only told to slow down. */
export type Refused = { readonly ok: false; readonly limited: boolean };
export type OperatorVerdict = { readonly ok: true; readonly key: ApiKeyRecord } | Refused;
export type DeviceVerdict = { readonly ok: true; readonly identity: DeviceIdentity } | Refused;

export class Access {
  readonly keys: ApiKeys;
  readonly tokens: DeviceTokens;
  readonly audit: Audit;
  readonly revocations: Revocations;
  readonly #failures: FailedAttempts;

  /** @throws StoreError */
  constructor(
    private readonly ports: AccessPorts,
    private readonly settings: AccessSettings,
  ) {
    const { store, clock, events } = ports;
    const hashing = hashingWith(store.pepper());
    this.keys = new ApiKeys(store, clock, hashing, new CredentialCheck('cpk', hashing), settings.maxKeys);
    this.tokens = new DeviceTokens(ports, hashing, new CredentialCheck('cpd', hashing), settings);
    this.audit = new Audit(ports, settings.auditKeepRows);
    this.revocations = new Revocations(this.audit, events);
    this.#failures = new FailedAttempts(settings, () => events.capHit('trackedAddresses'));
    this.keys.load();
    this.tokens.load();
    events.anonymousDevices(settings.anonymousDevices);
  }

  get takesAnonymousDevices(): boolean {
    return this.settings.anonymousDevices;
  }

  /**
   * The very first key, of an admin; null where there has been one before. It must be told to the operator now.
   * @throws StoreError
   */
  firstKey(): Issued<ApiKeyRecord> | null {
    if (this.keys.list().length > 0) return null;
    const audited = this.audit.start({
      actor: 'start',
      actorLabel: 'first start',
      role: 'admin',
      address: null,
      operation: 'createKey',
      target: '/v1/keys',
    });
    const issued = this.keys.create({ label: 'first key', role: 'admin', createdBy: 'start' });
    this.audit.finish(audited, { status: 201, code: null, target: `/v1/keys/${issued.record.id}` });
    return issued;
  }

  /** @param header the value of `Authorization` @param address of the other end, for the limit of failures */
  operator(header: string | undefined, address: string): OperatorVerdict {
    const verdict = this.keys.verify(header);
    if (verdict.ok) return { ok: true, key: verdict.record };
    return this.#refuse('operator', verdict.reason, address);
  }

  /**
   * @param header the value of `Authorization`
   * @param address of the other end, for the limit of failures
   * @param from `isPage`: a browser asks on behalf of a page, which is never taken without a token
   */
  device(
    header: string | undefined,
    address: string,
    from: { readonly isPage: boolean } = { isPage: false },
  ): DeviceVerdict {
    // whoever shows a token means it: a wrong one is refused also where none is needed
    if (header === undefined && this.settings.anonymousDevices && !from.isPage)
      return { ok: true, identity: null };
    const verdict = this.tokens.verify(header);
    if (!verdict.ok) return this.#refuse('device', verdict.reason, address);
    const { id, deviceId } = verdict.record;
    return { ok: true, identity: { deviceId, tokenId: id } };
  }

  /** May a connection say that it is this device? */
  maySpeakFor(identity: DeviceIdentity, deviceId: string): boolean {
    return identity === null ? !this.tokens.isGuarded(deviceId) : identity.deviceId === deviceId;
  }

  #refuse(face: 'operator' | 'device', reason: Rejection, address: string): Refused {
    const nowMs = Number(this.ports.clock.monotonicNanoseconds() / 1_000_000n);
    const isAdmitted = this.#failures.admit(address, nowMs);
    this.ports.events.authenticationFailed({ face, reason, address, limited: !isAdmitted });
    return { ok: false, limited: !isAdmitted };
  }
}
