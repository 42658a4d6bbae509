import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  createCredential,
  CredentialCheck,
  hashingWith,
  type Hashing,
} from '../../../src/control/access/credential.js';

interface Kept {
  readonly digest: Uint8Array;
  readonly revokedAtMs: number | null;
}

describe('a credential', () => {
  const hashing = hashingWith(randomBytes(32));
  const { id, secret } = createCredential('cpd');
  const gone = createCredential('cpd');
  const kept = new Map<string, Kept>([
    [id, { digest: hashing.digest(secret), revokedAtMs: null }],
    [gone.id, { digest: hashing.digest(gone.secret), revokedAtMs: 1 }],
  ]);
  const verify = (header: string | undefined, by: Hashing = hashing) =>
    new CredentialCheck('cpd', by).verify(header, (wanted) => kept.get(wanted));

  it('is taken whole, or not', () => {
    const verdict = verify(`Bearer ${secret}`);
    assert.ok(verdict.ok && verdict.record === kept.get(id));
    assert.ok(verify(`bearer  ${secret}`).ok, 'the scheme has no case');
    fc.assert(
      fc.property(fc.nat(secret.length - 1), fc.constantFrom(...'aZ0-_9'), (at, character) => {
        const other = secret.slice(0, at) + character + secret.slice(at + 1);
        return other === secret || !verify(`Bearer ${other}`).ok;
      }),
    );
    fc.assert(fc.property(fc.string(), (text) => !verify(text).ok && !verify(`Bearer ${text}`).ok));
    for (const text of [
      `Bearer ${secret} `,
      `Bearer ${secret}x`,
      secret,
      `Bearer ${secret},`,
      `Basic ${secret}`,
    ])
      assert.equal(verify(text).ok, false, text);
  });

  it('is not good at another database, nor as another kind', () => {
    assert.equal(verify(`Bearer ${secret}`, hashingWith(randomBytes(32))).ok, false);
    const operators = new CredentialCheck('cpk', hashing);
    assert.deepEqual(
      operators.verify(`Bearer ${secret}`, (wanted) => kept.get(wanted)),
      { ok: false, reason: 'malformed' },
    );
  });

  it('costs the same work whether it is unknown, wrong, revoked, right or no credential at all', () => {
    const unknown = createCredential('cpd').secret;
    const wrong = secret.slice(0, -4) + (secret.endsWith('AAAA') ? 'BBBB' : 'AAAA');
    const presented: [string, string | null][] = [
      [unknown, 'unknown'],
      [wrong, 'wrong'],
      [gone.secret, 'revoked'],
      [secret, null],
      ['x'.repeat(secret.length), 'malformed'],
    ];
    for (const [text, reason] of presented) {
      const work: string[] = [];
      const counting: Hashing = {
        digest(input) {
          work.push(`digest of ${input.length}`);
          return hashing.digest(input);
        },
        isSame(a, b) {
          work.push(`compare ${a.length} with ${b.length}`);
          return hashing.isSame(a, b);
        },
      };
      const verdict = verify(`Bearer ${text}`, counting);
      assert.equal(verdict.ok ? null : verdict.reason, reason);
      assert.deepEqual(work, [`digest of ${secret.length}`, 'compare 32 with 32'], String(reason));
    }
  });

  it('that is far too long is not worked on in full', () => {
    let longest = 0;
    const counting: Hashing = {
      digest(input) {
        longest = Math.max(longest, input.length);
        return hashing.digest(input);
      },
      isSame: (a, b) => hashing.isSame(a, b),
    };
    assert.equal(verify(`Bearer ${'x'.repeat(1_000_000)}`, counting).ok, false);
    assert.equal(longest, 128);
    assert.equal(verify(`Bearer ${secret}${'x'.repeat(1_000)}`).ok, false);
  });

  it('never repeats', () => {
    const all = new Set(Array.from({ length: 1_000 }, () => createCredential('cpk').secret.slice(-43)));
    assert.equal(all.size, 1_000);
  });
});
