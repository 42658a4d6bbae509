import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FailedAttempts } from '../../../src/control/access/failedAttempts.js';

const limits = { failuresPerMinute: 6, maxTrackedAddresses: 3 };

test('an address has its budget at once and again each minute, and no more in any minute than two of them', () => {
  const attempts = new FailedAttempts(limits, () => assert.fail('nothing is forgotten'));
  const admitted = (count: number, nowMs: number) =>
    Array.from({ length: count }, () => attempts.admit('10.0.0.1', nowMs)).filter(Boolean).length;
  assert.equal(admitted(10, 0), 6);
  assert.equal(admitted(10, 9_999), 0);
  assert.equal(admitted(10, 10_001), 1, 'one comes back every ten seconds');
  assert.equal(admitted(10, 1_000_000), 6);
  fc.assert(
    fc.property(fc.array(fc.nat(5_000), { maxLength: 200 }), (pauses) => {
      const one = new FailedAttempts(limits, () => assert.fail('nothing is forgotten'));
      let nowMs = 0;
      const times = pauses.flatMap((pause) => (one.admit('a', (nowMs += pause)) ? [nowMs] : []));
      return times.every((from) => times.filter((at) => at >= from && at < from + 60_000).length <= 12);
    }),
  );
});

test('addresses that are remembered are bounded, and the one that failed the longest ago goes first', () => {
  let forgotten = 0;
  const attempts = new FailedAttempts(limits, () => forgotten++);
  for (let i = 0; i < 6; i++) attempts.admit('a', 0);
  for (const address of ['b', 'c']) attempts.admit(address, 1);
  assert.equal(attempts.admit('a', 2), false, 'a is remembered, and now the latest');
  attempts.admit('d', 3);
  assert.deepEqual([attempts.trackedAddresses, forgotten], [3, 1]);
  assert.equal(attempts.admit('a', 4), false, 'b went, not a');
  for (let i = 0; i < 1_000; i++) attempts.admit(`many-${i}`, 5);
  assert.equal(attempts.trackedAddresses, 3);
});

test('a /64 of IPv6 counts as one address, a mapped IPv4 address as itself', () => {
  const same: [string, string, boolean][] = [
    ['2001:db8:1:2::1', '2001:db8:1:2:ffff:1:2:3', true],
    ['2001:db8:1:2::1', '2001:db8:1:3::1', false],
    ['::1', '::2', true],
    ['2001:db8::1', '2001:db8:0:0:5::9', true],
    ['::ffff:10.0.0.1', '10.0.0.1', true],
    ['10.0.0.1', '10.0.0.2', false],
  ];
  for (const [one, other, isSame] of same) {
    const attempts = new FailedAttempts({ ...limits, failuresPerMinute: 1 }, () => undefined);
    attempts.admit(one, 0);
    assert.equal(attempts.admit(other, 0), !isSame, `${one} and ${other}`);
  }
});
