import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { TelemetryTicker } from '../../src/client/telemetryTicker.js';
import { FakeClock } from './fakeClock.js';

describe('telemetry of a device', () => {
  let clock: FakeClock;
  let ticker: TelemetryTicker;
  let isWritable: boolean;
  let sent: { sequence: number; cpuLoad?: number | null | undefined; atMs: number }[];
  let load: number;
  beforeEach(() => {
    clock = new FakeClock();
    isWritable = true;
    sent = [];
    load = 0;
    ticker = new TelemetryTicker({
      clock,
      measure: () => ({ cpuLoad: load }),
      isWritable: () => isWritable,
      send: ({ type, ...frame }) => sent.push({ ...frame, atMs: clock.nowMs() }) > 0,
    });
  });

  it('goes out at once and then once per interval, with rising sequences', () => {
    ticker.start(1_000, 100);
    clock.advance(2_500);
    assert.deepEqual(
      sent.map(({ sequence, atMs }) => [sequence, atMs]),
      [
        [1, 0],
        [2, 1_000],
        [3, 2_000],
      ],
    );
  });

  it('is held back while the connection takes nothing: the latest goes then, and nothing has piled up', () => {
    ticker.start(1_000, 100);
    isWritable = false;
    for (let i = 1; i <= 100; i++) {
      load = i / 1_000;
      clock.advance(1_000);
    }
    assert.equal(sent.length, 1);
    assert.equal(ticker.heldBackCount, 100);
    assert.equal(clock.timerCount, 1);
    isWritable = true;
    clock.advance(1_000);
    assert.deepEqual(
      sent.map(({ sequence, cpuLoad }) => [sequence, cpuLoad]),
      [
        [1, 0],
        [2, 0.1],
      ],
    );
  });

  it('goes out sooner where something changed, never faster than its share', () => {
    ticker.start(1_000, 100);
    clock.advance(300);
    for (let i = 0; i < 50; i++) ticker.changed();
    assert.deepEqual(
      sent.map(({ atMs }) => atMs),
      [0, 300],
    );
    clock.advance(1_050);
    assert.deepEqual(
      sent.map(({ atMs }) => atMs),
      [0, 300, 400],
      'the changes after the first go together; then the interval counts anew',
    );
    clock.advance(50);
    assert.equal(sent.length, 4);
  });

  it('stops, and goes on with its sequence on the next connection', () => {
    ticker.start(1_000, 100);
    ticker.stop();
    clock.advance(5_000);
    ticker.changed();
    assert.equal(sent.length, 1);
    assert.equal(clock.timerCount, 0);
    ticker.start(1_000, 100);
    assert.equal(sent.at(-1)?.sequence, 2);
  });
});
