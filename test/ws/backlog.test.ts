import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import type { Store } from '../../src/control/ports.js';
import { StoreError } from '../../src/control/ports.js';
import { Backlog, mayWait } from '../../src/ws/backlog.js';
import { quickLink, slowLink, testSettings, until } from '../support/controlRig.js';
import { serviceRig } from '../support/serviceRig.js';

const frame = (owner: string, sequence: number) =>
  [owner, Buffer.from(`{"type":"telemetry","sequence":${sequence},"cpuLoad":0.5}`), sequence] as const;
const sequenceOf = ({ data }: { readonly data: Buffer }): number =>
  (JSON.parse(data.toString()) as { readonly sequence: number }).sequence;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const longestHoldMs = 1_000;

/** A backlog, who is held, and for how long each was. `next` is the frame that is read where one is called up at a time. */
function heldBacklog() {
  const held = new Set<string>();
  const heldMs = new Map<string, number>();
  const reading = {
    hold(owner: string) {
      assert.ok(!held.has(owner), `${owner} is held already`);
      held.add(owner);
    },
    release(owner: string, ms: number) {
      assert.ok(held.delete(owner), `${owner} is not held`);
      heldMs.set(owner, ms);
    },
  };
  const backlog = new Backlog<string>(reading, longestHoldMs);
  const next = () => {
    backlog.callUp(1, 0);
    return backlog.take();
  };
  return { backlog, held, heldMs, next };
}

describe('the backlog', () => {
  it('keeps the latest frame of each connection, whatever is put, taken and forgotten', () => {
    const step = fc.oneof(
      { weight: 5, arbitrary: fc.record({ owner: fc.nat({ max: 40 }), does: fc.constant('put' as const) }) },
      { weight: 2, arbitrary: fc.record({ owner: fc.nat(), does: fc.constant('take' as const) }) },
      {
        weight: 1,
        arbitrary: fc.record({ owner: fc.nat({ max: 40 }), does: fc.constant('forget' as const) }),
      },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
        const { backlog, held, next } = heldBacklog();
        const expected = new Map<string, number>();
        steps.forEach(({ owner, does }, i) => {
          const id = `device-${owner}`;
          if (does === 'put') {
            assert.equal(backlog.put(...frame(id, i)), expected.has(id) ? 'replaced' : 'added');
            expected.set(id, i);
          } else if (does === 'forget') {
            assert.equal(backlog.forget(id), expected.delete(id));
            held.delete(id);
          } else {
            const taken = next();
            if (taken === null) assert.equal(expected.size, 0);
            else {
              assert.equal(sequenceOf(taken), expected.get(taken.owner));
              expected.delete(taken.owner);
            }
          }
          assert.equal(backlog.size, expected.size);
          for (const owner of held) assert.ok(expected.has(owner), 'who is held has a frame that waits');
        });
        while (next() !== null);
        assert.deepEqual([backlog.size, held.size], [0, 0]);
      }),
      { numRuns: 300 },
    );
  });

  it('reads those that lose frames in turn, and of each the latest', () => {
    const { backlog, next } = heldBacklog();
    let sequence = 0;
    const owners = ['a', 'b', 'c', 'd', 'e', 'f'];
    const speak = (): void => owners.forEach((owner) => void backlog.put(...frame(owner, ++sequence)));
    const taken: string[] = [];
    speak();
    for (let i = 0; i < 18; i++) {
      const late = next()!;
      taken.push(late.owner);
      assert.ok(sequenceOf(late) > sequence - owners.length, 'none older than the interval');
      speak(); // six speak where one is read
    }
    assert.deepEqual(taken, [...owners, ...owners, ...owners]);
  });

  it('reads at once who speaks rarely, however many wait', () => {
    const { backlog, next } = heldBacklog();
    const speak = (i: number): void => {
      for (let n = 0; n < 50; n++) backlog.put(...frame(`busy-${n}`, i));
    };
    speak(1);
    for (let i = 2; i < 200; i++) {
      next();
      speak(i);
    }
    backlog.put(...frame('rare', 1));
    assert.equal(next()!.owner, 'rare');
    for (let i = 200; i < 400; i++) {
      assert.notEqual(next()!.owner, 'rare');
      speak(i);
    }
    backlog.put(...frame('rare', 400));
    assert.equal(next()!.owner, 'rare');
    backlog.put(...frame('rare', 401));
    speak(401);
    const both = [next()!.owner, next()!.owner];
    assert.ok(both.includes('rare'), 'also when it was read just now: it loses no frame');
  });

  it('lets nobody wait for ever, however many speak rarely', () => {
    const { backlog, next } = heldBacklog();
    backlog.put(...frame('busy', 1));
    backlog.put(...frame('busy', 2));
    assert.equal(next()!.owner, 'busy');
    for (let i = 0; i < 8; i++) backlog.put(...frame(`before-${i}`, 3));
    backlog.put(...frame('busy', 4));
    let reads = 0;
    for (let i = 5; ; i++) {
      backlog.put(...frame(`rare-${i}`, i));
      reads++;
      if (next()!.owner === 'busy') break;
      assert.ok(reads < 50, 'one that is as old as any is read in turn');
    }
    assert.ok(reads > 8, 'those that wait for longer, and lost nothing, go first');
  });

  it('holds who loses frames until its turn, and reads then what it said last', () => {
    const { backlog, held } = heldBacklog();
    for (const sequence of [1, 2]) backlog.put(...frame('busy', sequence));
    assert.deepEqual([...held], [], 'nobody knew that it would lose one');
    for (let i = 0; i < 3; i++) backlog.put(...frame(`rare-${i}`, 1));
    assert.equal(sequenceOf(backlog.take()!), 2);
    backlog.put(...frame('busy', 3));
    assert.deepEqual([...held], ['busy']);
    for (let i = 0; i < 3; i++) assert.equal(backlog.take()!.owner, `rare-${i}`);
    assert.equal(backlog.take(), null, 'what is held is not read');
    assert.equal(backlog.size, 1);
    backlog.callUp(1, 4);
    assert.deepEqual([...held], []);
    for (const sequence of [4, 5, 6]) backlog.put(...frame('busy', sequence));
    assert.deepEqual([...held], [], 'nor held again before it was read');
    for (let i = 0; i < 9; i++) backlog.put(...frame(`rare-${i}`, 7));
    let read = backlog.take()!;
    while (read.owner !== 'busy') read = backlog.take()!;
    assert.equal(sequenceOf(read), 6);
    assert.ok(backlog.size > 0);
    backlog.put(...frame('busy', 8));
    assert.deepEqual([...held], ['busy']);
    assert.equal(backlog.forget('busy'), true);
    backlog.callUp(1, longestHoldMs + 8);
    assert.deepEqual([...held], ['busy'], 'nobody is there to be read');
  });

  it('calls up so many as can be read, and who was held for a second in any case', () => {
    const { backlog, held, heldMs } = heldBacklog();
    const busy = Array.from({ length: 10 }, (_, i) => `busy-${i}`);
    const speak = (sequence: number, atMs: number): void =>
      busy.forEach((owner) => void backlog.put(owner, frame(owner, sequence)[1], atMs));
    for (const sequence of [1, 2]) speak(sequence, 0);
    backlog.put(...frame('rare', 1));
    for (const owner of busy) assert.equal(backlog.take()!.owner, owner);
    busy.forEach((owner, i) => void backlog.put(owner, frame(owner, 3)[1], 100 + i));
    assert.equal(held.size, busy.length);
    backlog.callUp(4, 200);
    assert.equal(held.size, 6);
    assert.deepEqual([...heldMs.values()], [100, 99, 98, 97]);
    backlog.callUp(4, 300);
    assert.equal(held.size, 6, 'those that are due were not read yet');
    backlog.callUp(4, 1106);
    assert.deepEqual([...held], ['busy-7', 'busy-8', 'busy-9']);
    assert.equal(heldMs.get('busy-6'), longestHoldMs);
    backlog.callUp(4, 1107);
    assert.deepEqual(
      [...held].sort(),
      ['busy-4', 'busy-5', 'busy-6', 'busy-8', 'busy-9'],
      'until the next call',
    );
    const turns: string[] = [];
    const read = (): void => {
      for (let next = backlog.take(); next !== null; next = backlog.take()) turns.push(next.owner);
    };
    read();
    backlog.callUp(4, 1107);
    read();
    const order = Array.from({ length: 8 }, (_, i) => `busy-${i}`);
    assert.deepEqual(turns, ['rare', ...order], 'who spoke has kept its place');
  });

  it('keeps little of those that left, however many came and went while nothing was read', async () => {
    const backlog = new Backlog<object>({ hold: () => undefined, release: () => undefined }, longestHoldMs);
    const left: WeakRef<object>[] = [];
    for (let i = 0; i < 5_000; i++) {
      const owner = {};
      left.push(new WeakRef(owner));
      backlog.put(owner, frame('', i)[1], i);
      backlog.forget(owner);
    }
    backlog.put({}, frame('', 1)[1], 1);
    // what a weak reference was made of stays until the end of the turn
    await new Promise((resolve) => setImmediate(resolve));
    collect();
    const kept = left.filter((owner) => owner.deref() !== undefined).length;
    assert.ok(kept <= 1_030, `${kept} of ${left.length}`);
    assert.equal(backlog.size, 1, 'it is still there itself');
  });

  it('remembers nobody when nothing waits any more, whoever was held', async () => {
    const backlog = new Backlog<object>({ hold: () => undefined, release: () => undefined }, longestHoldMs);
    // in a function of its own: this one would keep what it looked at last
    const left = ((): WeakRef<object>[] => {
      const owners = Array.from({ length: 100 }, () => ({}));
      const speak = (sequence: number): void =>
        owners.forEach((owner) => void backlog.put(owner, frame('', sequence)[1], sequence));
      for (const sequence of [1, 2]) speak(sequence);
      for (let i = 0; i < owners.length - 1; i++) backlog.take();
      speak(3); // all but one are held; then each goes
      for (const owner of owners) assert.equal(backlog.forget(owner), true);
      return owners.map((owner) => new WeakRef(owner));
    })();
    await new Promise((resolve) => setImmediate(resolve));
    collect();
    assert.equal(left.filter((owner) => owner.deref() !== undefined).length, 0);
    assert.equal(backlog.size, 0);
  });

  it('does not let an older frame take the place of a newer one', () => {
    const { backlog, next } = heldBacklog();
    backlog.put(...frame('a', 7));
    assert.equal(backlog.put(...frame('a', 6)), 'stale');
    assert.equal(sequenceOf(next()!), 7);
  });

  it('reads a sequence as JSON does, or not at all', () => {
    const put = (before: string, after: string): string => {
      const { backlog } = heldBacklog();
      const owner = 'a';
      backlog.put(owner, Buffer.from(`{"type":"telemetry",${before}}`), 1);
      return backlog.put(owner, Buffer.from(`{"type":"telemetry",${after}}`), 2);
    };
    const nine = '"cpuLoad":0.1,"sequence":9';
    const older = [
      '"sequence":8',
      '"sequence" :  8 ',
      '"cpuLoad":99,"sequence": 8,"rttSeconds":77',
      '"sequence":0',
    ];
    for (const after of older) assert.equal(put(nine, after), 'stale', after);
    for (const after of ['"sequence":10', '"sequence": 9', '"sequence":9007199254740991']) {
      assert.equal(put(nine, after), 'replaced', after);
    }
    const unread = [
      '"sequence":1e3',
      '"sequence":-8',
      '"sequence":8.5',
      '"sequence":"8"',
      '"sequence":',
      '"cpuLoad":1',
    ];
    for (const after of unread)
      assert.equal(put(nine, after), 'replaced', `${after} is for the reader to judge`);
    for (const before of unread) assert.equal(put(before, '"sequence":1'), 'replaced', before);
  });

  it('takes small telemetry alone', () => {
    assert.equal(mayWait(frame('a', 1)[1]), true);
    assert.equal(mayWait(Buffer.from('{"type":"ack","deploymentId":"d","version":1}')), false);
    assert.equal(mayWait(Buffer.from('{ "type": "telemetry" }')), false);
    assert.equal(mayWait(Buffer.from(`{"type":"telemetry",${' '.repeat(5000)}"sequence":1}`)), false);
  });
});

describe('telemetry while decisions are behind', () => {
  it('waits unread, the latest of each device, is counted, and is decided on afterwards', async () => {
    let broken = false;
    const wrap = (store: Store): Store => ({
      ...store,
      commit(decisions, deployments) {
        if (broken) throw new StoreError('io', 'disk gone');
        return store.commit(decisions, deployments);
      },
    });
    const decisions = { ...testSettings.decisions, queueRows: 1, batchDeployments: 1 };
    const rig = await serviceRig({ wrap, settings: { decisions } });
    try {
      const { id: modelId, done } = await rig.upload();
      await done;
      const end = await rig.device({ deviceId: 'camera', role: 'end', computeRatio: 4 });
      await rig.device({ deviceId: 'edge', role: 'edge', computeRatio: 0.5 });
      const deploy = () =>
        rig.control.operations.deploy({
          modelId,
          end: { deviceId: 'camera' },
          edge: { deviceId: 'edge' },
          requirements: {},
        });
      const sessions = [deploy(), deploy(), deploy()];
      await until(() => sessions.every((session) => session.durable.version === 1));
      broken = true;
      let sequence = 0;
      const tell = (values: object) => end.send({ type: 'telemetry', sequence: ++sequence, ...values });
      tell(quickLink);
      await until(() => rig.control.fleet.isBehind, 'falling behind');
      const acceptedBefore = rig.control.devices.get('camera').lastSequence;
      for (let i = 0; i < 20; i++) tell(slowLink);
      tell({ ...quickLink, rttSeconds: 0.002 });
      const shed = () => rig.recorded.of('dropped').filter(([what]) => what === 'shed-telemetry').length;
      await until(() => shed() === 20, 'shedding');
      assert.equal(rig.control.devices.get('camera').lastSequence, acceptedBefore, 'nothing more was read');
      broken = false;
      await until(() => rig.control.devices.get('camera').lastSequence === sequence);
      await until(() => sessions.every((s) => s.lastDecision?.context.hops[0]?.rttSeconds === 0.002));
      assert.deepEqual(rig.failures, []);
    } finally {
      await rig.dispose();
    }
  });
});
