import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  initialCutState,
  stepCut,
  type CutEffect,
  type CutEvent,
  type CutState,
} from '../../src/client/cutState.js';
import type { CutMessage, DeviceMessage } from '../../src/protocol/messages.js';
import { cutMessage, local } from './cutMessages.js';

/** Plays the device around a state: it knows what is loaded and what serves, and complains where that is broken. */
class Played {
  state: CutState = initialCutState('d');
  readonly sent: DeviceMessage[] = [];
  readonly log: string[] = [];
  readonly loading: CutMessage[] = [];
  /** Loaded and not released. */
  readonly ready = new Set<CutMessage>();
  readonly aborted = new Set<CutMessage>();
  serving: CutMessage | 'local' | null = null;
  get servingVersion(): number | null {
    return this.serving === null || this.serving === 'local' ? null : this.serving.version;
  }

  /** The next switch goes wrong. */
  breaksNext = false;

  take(event: CutEvent): void {
    const { state, effects } = stepCut(this.state, event);
    this.state = state;
    effects.forEach((effect, index) => this.#run(effect, index === effects.length - 1));
  }

  tell(version: number, phase: 'prepare' | 'active', more: Partial<CutMessage> = {}): void {
    this.take({ type: 'cut', cut: cutMessage(version, phase, more) });
  }

  /** The oldest load ends. */
  finish(failure?: { code: string; message: string }): void {
    const cut = this.loading.shift();
    if (cut === undefined) return;
    if (failure === undefined) {
      this.ready.add(cut);
      this.take({ type: 'loaded', cut });
    } else this.take({ type: 'load-failed', cut, failure });
  }

  /** What was said since the last call, in short. */
  said(): string[] {
    return this.sent.splice(0).map((message) => {
      const { type } = message;
      const more = type === 'nack' ? ` ${message.code}` : type === 'fallback' ? ` ${message.reason}` : '';
      return `${type} ${'version' in message ? message.version : ''}${more}`;
    });
  }

  #run(effect: CutEffect, isLast: boolean): void {
    switch (effect.do) {
      case 'send':
        if (effect.message.type === 'ack') {
          assert.ok(
            typeof this.serving === 'object' && this.serving !== null,
            'an ack while nothing wanted serves',
          );
          assert.equal(this.serving.version, effect.message.version, 'an ack of another version than serves');
        }
        if (effect.message.type === 'prepared') {
          const { version } = effect.message;
          assert.ok(
            [...this.ready].some((cut) => cut.version === version),
            'prepared, but not loaded',
          );
        }
        this.sent.push(effect.message);
        break;
      case 'load':
        this.loading.push(effect.cut);
        break;
      case 'abort':
        assert.ok(this.loading.includes(effect.cut), 'only what loads is given up');
        this.aborted.add(effect.cut);
        break;
      case 'activate': {
        assert.ok(isLast, 'the outcome of a switch comes before anything else');
        assert.ok(this.ready.has(effect.cut), 'a switch to what is not loaded');
        if (this.breaksNext) {
          this.breaksNext = false;
          this.take({ type: 'activation-failed', cut: effect.cut, failure: { code: 'broken', message: '' } });
        } else {
          this.serving = effect.cut;
          this.log.push(`activate ${effect.cut.version}`);
          this.take({ type: 'activated', cut: effect.cut });
        }
        break;
      }
      case 'fall-back':
        this.serving = 'local';
        this.log.push(`fall back from ${effect.cut.version}`);
        break;
      case 'release':
        assert.ok(this.ready.delete(effect.cut), 'released twice, or never loaded');
        if (this.state.desired !== null) assert.notEqual(this.serving, effect.cut, 'what serves is released');
        break;
      case 'keep-previous':
        assert.ok(this.ready.has(effect.cut));
        break;
    }
  }
}

describe('a cut on a device', () => {
  it('is loaded, answered with prepared, and switched to when it is active', () => {
    const device = new Played();
    device.tell(1, 'prepare');
    assert.deepEqual(device.said(), []);
    device.finish();
    assert.deepEqual(device.said(), ['prepared 1']);
    assert.equal(device.serving, null);
    device.tell(1, 'active');
    assert.deepEqual(device.said(), ['ack 1']);
    assert.deepEqual(device.log, ['activate 1']);
  });

  it('is loaded first where it is active at once, and the one before serves until then', () => {
    const device = new Played();
    device.tell(1, 'active');
    device.finish();
    device.tell(2, 'active');
    assert.equal(device.servingVersion, 1);
    device.finish();
    assert.deepEqual(device.said(), ['ack 1', 'ack 2']);
    assert.equal(device.state.previous?.version, 1);
    device.take({ type: 'previous-over', version: 1 });
    assert.deepEqual(
      [...device.ready].map((cut) => cut.version),
      [2],
    );
  });

  it('releases the one before the one before at the next switch, its time over or not', () => {
    const device = new Played();
    for (const version of [1, 2, 3]) {
      device.tell(version, 'active');
      device.finish();
    }
    assert.deepEqual(
      [...device.ready].map((cut) => cut.version),
      [2, 3],
    );
  });

  it('is answered again where it comes again, and is not loaded twice', () => {
    const device = new Played();
    device.tell(1, 'prepare');
    device.tell(1, 'prepare');
    assert.equal(device.loading.length, 1);
    device.finish();
    device.tell(1, 'prepare');
    assert.deepEqual(device.said(), ['prepared 1', 'prepared 1']);
    device.tell(1, 'active');
    device.tell(1, 'active');
    device.tell(1, 'prepare');
    assert.deepEqual(device.said(), ['ack 1', 'ack 1', 'prepared 1']);
    assert.deepEqual(device.log, ['activate 1']);
  });

  it('gives an older version up, and says nothing of it any more', () => {
    const device = new Played();
    device.tell(1, 'prepare');
    const [first] = device.loading;
    device.tell(2, 'prepare');
    assert.ok(device.aborted.has(first!));
    device.finish(); // the first one all the same
    assert.equal(device.ready.size, 0);
    device.finish();
    device.tell(1, 'active');
    assert.deepEqual(device.said(), ['prepared 2']);
  });

  it('refuses what cannot be loaded with the version that runs, and tries again when it is sent again', () => {
    const device = new Played();
    device.tell(1, 'active');
    device.finish();
    device.tell(2, 'prepare');
    device.finish({ code: 'no-memory', message: 'too little' });
    assert.deepEqual(device.sent.at(-1), {
      type: 'nack',
      deploymentId: 'd',
      version: 2,
      code: 'no-memory',
      message: 'too little',
      running: 1,
    });
    device.said();
    device.tell(2, 'prepare');
    device.finish();
    assert.deepEqual(device.said(), ['prepared 2']);
  });

  it('names no version as running where the safe local cut runs', () => {
    const device = new Played();
    device.tell(1, 'active');
    device.finish();
    device.take({ type: 'edge-lost' });
    device.tell(2, 'prepare');
    device.finish({ code: 'no-memory', message: '' });
    assert.deepEqual(device.sent.at(-1), {
      type: 'nack',
      deploymentId: 'd',
      version: 2,
      code: 'no-memory',
      message: '',
    });
  });

  it('refuses what cannot be switched to, and goes on with the one before', () => {
    const device = new Played();
    device.tell(1, 'active');
    device.finish();
    device.breaksNext = true;
    device.tell(2, 'active');
    device.finish();
    assert.deepEqual(device.said(), ['ack 1', 'nack 2 broken']);
    assert.equal(device.servingVersion, 1);
    assert.equal(device.ready.size, 1);
  });

  it('falls back to the safe local cut when the edge is lost, and returns with an ack', () => {
    const device = new Played();
    device.tell(1, 'active');
    device.finish();
    device.take({ type: 'edge-lost' });
    assert.equal(device.serving, 'local');
    device.tell(1, 'active'); // sent again: the edge is still gone
    device.take({ type: 'edge-back' });
    assert.deepEqual(device.said(), ['ack 1', 'fallback 1 edge-lost', 'fallback 1 edge-lost', 'ack 1']);
  });

  it('falls back when its time is over, and returns with a sign of life of the same connection', () => {
    const device = new Played();
    device.tell(1, 'active');
    device.finish();
    device.take({ type: 'time-to-live-over' });
    device.take({ type: 'sign-of-life' });
    assert.deepEqual(device.said(), ['ack 1', 'fallback 1 time-to-live', 'ack 1']);
  });

  it('waits after a reconnect until the controller says what it wants', () => {
    const device = new Played();
    device.tell(1, 'active');
    device.finish();
    device.take({ type: 'disconnected' });
    device.take({ type: 'time-to-live-over' });
    device.said();
    device.take({ type: 'sign-of-life' });
    assert.equal(device.serving, 'local');
    device.take({ type: 'current', version: 1 });
    assert.deepEqual(device.said(), ['ack 1']);
    assert.equal(device.servingVersion, 1);
    device.take({ type: 'time-to-live-over' });
    device.take({ type: 'sign-of-life' });
    assert.equal(device.servingVersion, 1, 'what is wanted was said on this connection');
  });

  it('goes from the safe local cut straight to a newer version', () => {
    const device = new Played();
    device.tell(1, 'active');
    device.finish();
    device.take({ type: 'disconnected' });
    device.take({ type: 'time-to-live-over' });
    device.tell(2, 'active');
    device.finish();
    assert.deepEqual(device.log, ['activate 1', 'fall back from 1', 'activate 2']);
    assert.deepEqual(device.state.fallback, []);
  });

  it('does not switch to what was loaded while nobody was heard for longer than it holds', () => {
    const device = new Played();
    device.tell(1, 'active');
    device.finish();
    device.tell(2, 'active');
    device.take({ type: 'disconnected' });
    device.take({ type: 'time-to-live-over' });
    device.finish();
    assert.equal(device.serving, 'local');
    device.tell(2, 'active');
    assert.equal(device.servingVersion, 2);
  });

  it('has nothing to fall back from where all runs on the end device, or on an edge', () => {
    for (const more of [local, { tier: 'edge' } as const]) {
      const device = new Played();
      device.tell(1, 'active', more);
      device.finish();
      device.take({ type: 'edge-lost' });
      device.take({ type: 'time-to-live-over' });
      assert.deepEqual(device.said(), ['ack 1']);
    }
  });

  it('stays on the safe local cut where it cannot return, and says so', () => {
    const device = new Played();
    device.tell(1, 'active');
    device.finish();
    device.take({ type: 'edge-lost' });
    device.breaksNext = true;
    device.take({ type: 'edge-back' });
    assert.deepEqual(device.said(), ['ack 1', 'fallback 1 edge-lost', 'nack 1 broken']);
    device.take({ type: 'sign-of-life' });
    assert.equal(device.serving, 'local');
    device.breaksNext = true;
    device.take({ type: 'edge-back' });
    assert.deepEqual(device.said(), ['nack 1 broken'], 'the edge is back once more: another try');
    device.tell(1, 'active');
    assert.deepEqual(device.said(), ['ack 1']);
  });

  it('leaves nothing behind when the deployment is removed', () => {
    const device = new Played();
    for (const version of [1, 2]) {
      device.tell(version, 'active');
      device.finish();
    }
    device.tell(3, 'prepare');
    device.take({ type: 'removed' });
    device.finish();
    assert.equal(device.ready.size, 0);
  });
});

const action = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('cut'),
      rise: fc.integer({ min: -1, max: 2 }),
      phase: fc.constantFrom('prepare', 'active'),
      isLocal: fc.boolean(),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('finish'),
      fails: fc.integer({ min: 0, max: 3 }).map((n) => n === 0),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        'edge-lost',
        'edge-back',
        'time-to-live-over',
        'sign-of-life',
        'disconnected',
        'current',
        'break',
        'previous-over',
      ),
    }),
  },
);

function play(device: Played, actions: readonly Record<string, unknown>[]): void {
  let version = 1;
  for (const { kind, rise, phase, isLocal, fails } of actions) {
    if (kind === 'cut') {
      version = Math.max(1, version + (rise as number));
      device.tell(version, phase as 'prepare' | 'active', isLocal === true ? local : {});
    } else if (kind === 'finish')
      device.finish(fails === true ? { code: 'no-memory', message: '' } : undefined);
    else if (kind === 'break') device.breaksNext = true;
    else if (kind === 'current')
      device.take({ type: 'current', version: device.state.running?.version ?? 1 });
    else if (kind === 'previous-over') {
      device.take({ type: 'previous-over', version: device.state.previous?.version ?? 0 });
    } else device.take({ type: kind as 'edge-lost' });
    held(device);
  }
}

/** What is loaded is exactly what the state holds, and what serves is what it says. */
function held({ state, ready, loading, aborted, serving }: Played): void {
  const known = [state.loaded, state.running, state.previous].filter((cut) => cut !== null);
  assert.deepEqual(new Set(known), ready);
  assert.equal(known.length, ready.size, 'one cut in two places');
  const live = loading.filter((cut) => !aborted.has(cut));
  assert.deepEqual(live, state.loading === null ? [] : [state.loading], 'one load at a time');
  if (state.running !== null) assert.equal(serving, state.fallback.length === 0 ? state.running : 'local');
}

describe('a switch that fails on the way back from the safe local cut', () => {
  it('leaves the safe local cut in force, and says so', () => {
    const device = new Played();
    device.tell(1, 'active');
    device.finish();
    device.tell(2, 'active');
    device.take({ type: 'time-to-live-over' });
    device.finish();
    device.breaksNext = true;
    device.take({ type: 'current', version: 1 });
    assert.equal(device.serving, 'local');
    assert.deepEqual(device.state.fallback, ['time-to-live']);
    device.take({ type: 'current', version: 1 });
    assert.equal(device.servingVersion, 1);
  });
});

describe('whatever comes in whatever order', () => {
  it('nothing is switched to that is not loaded, nothing leaks, acks tell the truth, versions rise', () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60, size: 'max' }), (actions) => {
        const device = new Played();
        play(device, actions);
        const activated = device.log
          .filter((line) => line.startsWith('activate'))
          .map((line) => Number(line.slice(9)));
        assert.deepEqual(
          activated,
          [...activated].sort((a, b) => a - b),
        );
      }),
      { numRuns: 2_000 },
    );
  });

  it('ends at the version that is wanted once all is well again', () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60, size: 'max' }), (actions) => {
        const device = new Played();
        play(device, actions);
        device.breaksNext = false;
        const version = (device.state.desired?.version ?? 0) + 1;
        device.tell(version, 'active');
        while (device.loading.length > 0) device.finish();
        device.take({ type: 'edge-back' });
        assert.equal(device.servingVersion, version);
        assert.equal(device.state.running?.version, version);
        assert.deepEqual(device.said().at(-1), `ack ${version}`);
      }),
      { numRuns: 1_000 },
    );
  });
});
