import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { comeBack, defaultReconnect, Reconnect, type Ending } from '../../src/client/reconnect.js';
import { retryAfterMs } from '../../src/client/retryAfter.js';
import { closes } from '../../src/protocol/closeCodes.js';

const lost: Ending = { type: 'closed', code: 1006, reason: '' };
const refused = (status: number, retryAfterMs: number | null = null): Ending => ({
  type: 'refused',
  status,
  retryAfterMs,
});

describe('coming back', () => {
  it('follows every close code', () => {
    for (const [name, { code, comeBack: rule }] of Object.entries(closes)) {
      assert.equal(comeBack({ type: 'closed', code, reason: name }), rule, name);
    }
    assert.equal(comeBack({ type: 'closed', code: 4999, reason: 'of a later version' }), 'yes');
  });

  it('does not try a refused upgrade again where waiting changes nothing', () => {
    const rules = [400, 401, 403, 429, 502, 503].map((status) => comeBack(refused(status)));
    assert.deepEqual(rules, ['no', 'later', 'later', 'later', 'yes', 'yes']);
    assert.equal(new Reconnect(defaultReconnect, Math.random).pauseMs(refused(400), 0), null);
  });

  it('doubles its pauses up to the longest, with jitter between a half and one', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { maxLength: 40 }), (randoms) => {
        let next = 0;
        const reconnect = new Reconnect(defaultReconnect, () => randoms[next++]!);
        randoms.forEach((random, attempt) => {
          const whole = Math.min(60_000, 1_000 * 2 ** attempt);
          assert.equal(reconnect.pauseMs(lost, 0), whole * (0.5 + random / 2));
        });
      }),
    );
  });

  it('starts anew after a connection that held, not after one that only was welcomed', () => {
    const reconnect = new Reconnect(defaultReconnect, () => 1);
    assert.deepEqual(
      [0, 0, 9_999, 10_000, 0].map((heldMs) => reconnect.pauseMs(lost, heldMs)),
      [1_000, 2_000, 4_000, 1_000, 2_000],
    );
  });

  it('waits a minute or more where it is told to', () => {
    const later: Ending = { type: 'closed', code: closes['too-many-devices'].code, reason: '' };
    assert.equal(new Reconnect(defaultReconnect, () => 0).pauseMs(later, 60_000), 60_000);
    assert.equal(new Reconnect(defaultReconnect, () => 0.5).pauseMs(later, 0), 90_000);
  });

  it('stays away at least as long as an answer asks, up to an hour, and a fleet does not come back as one', () => {
    const pauses = (random: number, ...endings: Ending[]) => {
      const reconnect = new Reconnect(defaultReconnect, () => random);
      return endings.map((ending) => reconnect.pauseMs(ending, 0));
    };
    assert.deepEqual(pauses(0, refused(503, 5_000), refused(503, 5_000)), [5_000, 5_000]);
    assert.deepEqual(pauses(0.5, refused(503, 5_000)), [6_250]);
    assert.deepEqual(pauses(0, refused(429, 90_000)), [90_000]);
    assert.deepEqual(pauses(0, refused(429, 5_000)), [60_000], 'its own pause is longer');
    assert.deepEqual(pauses(0, refused(503, 86_400_000)), [3_600_000]);
    assert.deepEqual(pauses(0, refused(503, 0)), [500]);
    assert.deepEqual(pauses(0, refused(400, 1_000)), [null]);
  });

  it('reads seconds and times of day, by the clock of the other side', () => {
    const date = 'Wed, 21 Oct 2015 07:28:00 GMT';
    const read = (text: string, at?: string) => retryAfterMs({ 'retry-after': text, date: at });
    assert.equal(read('120'), 120_000);
    assert.equal(read(' 0 '), 0);
    assert.equal(read('Wed, 21 Oct 2015 07:28:30 GMT', date), 30_000);
    assert.equal(read('Wed, 21 Oct 2015 07:00:00 GMT', date), 0, 'over already');
    assert.equal(read('Wed, 21 Oct 2015 07:28:30 GMT'), null);
    for (const rubbish of ['', '-5', '1.5', 'soon', '1e9', '99999999999']) {
      assert.equal(read(rubbish, date), null, rubbish);
    }
    assert.equal(retryAfterMs({}), null);
  });
});
