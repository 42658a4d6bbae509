import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { FrameRate } from '../../src/ws/frameRate.js';

const settings = { framesPerSecond: 10, frameBurst: 5 };
const take = (rate: FrameRate, times: readonly number[]) => times.map((ms) => rate.take(ms));

describe('the rate of frames', () => {
  it('lets a burst pass, then warns once, then drops', () => {
    const rate = new FrameRate(settings, 0);
    assert.deepEqual(take(rate, Array<number>(8).fill(0)), [
      ...Array<string>(5).fill('pass'),
      'warn',
      'drop',
      'drop',
    ]);
  });

  it('closes after another burst above, or after five seconds of it', () => {
    const flood = new FrameRate(settings, 0);
    assert.deepEqual(take(flood, Array<number>(11).fill(0)).slice(-2), ['drop', 'close']);
    const steady = new FrameRate(settings, 0);
    // one in 96 ms instead of 100: a frame is above now and then, and the bucket is never full again
    const verdicts: string[] = [];
    for (let n = 0; verdicts.at(-1) !== 'close'; n++) verdicts.push(steady.take(n * 96));
    assert.equal(verdicts.filter((verdict) => verdict === 'warn').length, 1);
    const aboveForMs = (verdicts.length - 1 - verdicts.indexOf('warn')) * 96;
    assert.ok(aboveForMs >= 5_000, `closed after ${aboveForMs} ms above`);
  });

  it('forgets when the bucket is full again', () => {
    const rate = new FrameRate(settings, 0);
    const burst = Array<number>(7).fill(0);
    assert.equal(take(rate, burst).at(-1), 'drop');
    assert.deepEqual(
      take(
        rate,
        burst.map(() => 10_000),
      ).slice(4),
      ['pass', 'warn', 'drop'],
    );
  });

  it('lets pass what was sent while nothing was read, and a burst beside it, and no more', () => {
    const rate = new FrameRate(settings, 0);
    assert.deepEqual(take(rate, Array<number>(5).fill(0)).at(-1), 'pass');
    rate.wasHeld(1_000, 1_000);
    assert.deepEqual(take(rate, Array<number>(11).fill(1_000)), [...Array<string>(10).fill('pass'), 'warn']);
    const silent = new FrameRate(settings, 0);
    for (let s = 1; s < 100; s++) silent.wasHeld(1_000, 1_000 * s);
    const verdicts = take(silent, Array<number>(20).fill(99_000));
    assert.equal(verdicts.filter((verdict) => verdict === 'pass').length, 15);
  });

  it('never touches who keeps to it', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 100, max: 400 }), { maxLength: 200 }), (pauses) => {
        const rate = new FrameRate(settings, 0);
        let now = 0;
        for (const pause of pauses) assert.equal(rate.take((now += pause)), 'pass');
      }),
    );
  });
});
