/**
 * Credentials: how one is made, written, and checked.
 *
 * `cpk_` (API key) or `cpd_` (device token), a public id, and 256 random bits: `cpk_0f3a…_Xy…`. What is kept is an
 * HMAC of the whole text. A slow password hash would protect what people think up; nobody guesses 256 random bits,
 * and a slow check would be a way to keep the controller busy.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

export type CredentialKind = 'cpk' | 'cpd';

const SECRET_BYTES = 32;
const ID_BYTES = 8;
/** A longer text is no credential and is not hashed. */
const MAX_CHARACTERS = 128;
const CREDENTIAL = /^(cpk|cpd)_([0-9a-f]{16})_[A-Za-z0-9_-]{43}$/;

export interface NewCredential {
  readonly id: string;
  /** Shown once, kept nowhere. */
  readonly secret: string;
}

export function createCredential(kind: CredentialKind): NewCredential {
  const id = randomBytes(ID_BYTES).toString('hex');
  return { id, secret: `${kind}_${id}_${randomBytes(SECRET_BYTES).toString('base64url')}` };
}

/** The two steps of a check that touch a secret; a test counts them. */
export interface Hashing {
  readonly digest: (text: string) => Uint8Array;
  /** Takes the same time wherever two digests differ. */
  readonly isSame: (a: Uint8Array, b: Uint8Array) => boolean;
}

export function hashingWith(pepper: Uint8Array): Hashing {
  return {
    digest: (text) => createHmac('sha256', pepper).update(text).digest(),
    isSame: (a, b) => timingSafeEqual(a, b),
  };
}

/** Why a credential is not taken. It is for the log and the figures: whoever sent it gets one answer for all. */
export const rejections = ['missing', 'malformed', 'unknown', 'wrong', 'revoked'] as const;
export type Rejection = (typeof rejections)[number];

export type Verdict<R> =
  { readonly ok: true; readonly record: R } | { readonly ok: false; readonly reason: Rejection };

interface Checkable {
  readonly digest: Uint8Array;
  readonly revokedAtMs: number | null;
}

export class CredentialCheck {
  /** What the digest of an unknown credential is compared with; nothing has this digest. */
  readonly #nobody = randomBytes(32);

  constructor(
    private readonly kind: CredentialKind,
    private readonly hashing: Hashing,
  ) {}

  /**
   * Unknown, wrong, revoked and right credentials take the same way: one digest, one comparison.
   * @param header the value of `Authorization`
   * @param find the record with an id
   */
  verify<R extends Checkable>(header: string | undefined, find: (id: string) => R | undefined): Verdict<R> {
    if (header === undefined) return { ok: false, reason: 'missing' };
    const presented = /^Bearer +(\S+)$/i.exec(header)?.[1] ?? '';
    const [, kind, id] = CREDENTIAL.exec(presented) ?? [];
    const digest = this.hashing.digest(presented.slice(0, MAX_CHARACTERS));
    const record = id === undefined ? undefined : find(id);
    const isSame = this.hashing.isSame(digest, record?.digest ?? this.#nobody);
    if (kind !== this.kind) return { ok: false, reason: 'malformed' };
    if (record === undefined) return { ok: false, reason: 'unknown' };
    if (!isSame) return { ok: false, reason: 'wrong' };
    return record.revokedAtMs === null ? { ok: true, record } : { ok: false, reason: 'revoked' };
  }
}
