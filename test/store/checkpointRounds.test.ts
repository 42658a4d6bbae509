import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CheckpointRounds, type Copied } from '../../src/store/checkpointRounds.js';

const maxLogPages = 40_000;

/** Rounds over these checkpoints, and what they asked for and told. */
function rounds(...copies: (Copied | Error)[]) {
  const done: string[] = [];
  const one = new CheckpointRounds(
    {
      copy() {
        const next = copies.shift();
        assert.ok(next !== undefined, 'one more checkpoint than there is reason for');
        done.push('copy');
        if (next instanceof Error) throw next;
        return next;
      },
      askToWait: (asks) => done.push(asks ? 'wait' : 'go on'),
      tell: ({ pages, isFull }) => done.push(`${pages}${isFull ? ' full' : ''}`),
    },
    maxLogPages,
  );
  return { one, done, left: copies };
}

const whole = (log: number): Copied => ({ log, checkpointed: log });

describe('rounds of checkpoints', () => {
  it('ask nobody to wait while the log is short', () => {
    const { one, done } = rounds(whole(9_999), whole(9_999));
    one.run();
    one.run();
    assert.deepEqual(done, ['copy', '9999', 'copy'], 'what has not changed is told once');
  });

  it('ask to wait once little is left, and again only after as much has been written', () => {
    const { one, done, left } = rounds(whole(10_000), whole(10_500), whole(10_500), whole(10_500));
    one.run();
    assert.deepEqual(done, ['copy', '10000', 'copy', 'wait', 'copy', 'copy', 'go on']);
    left.push(whole(20_000), whole(20_499)); // a reader kept it: it did not begin anew
    one.run();
    assert.deepEqual(done.slice(7), ['copy', '20000']);
    left.splice(0, 1, whole(300));
    one.run();
    left.splice(0, 1, whole(10_000), whole(10_000), whole(10_000), whole(10_000));
    one.run();
    assert.deepEqual(done.slice(11), ['copy', '10000', 'copy', 'wait', 'copy', 'copy', 'go on']);
  });

  it('do not ask to wait while more comes than is copied, before the log is at its cap', () => {
    const { one, done, left } = rounds(whole(20_000), whole(20_513));
    one.run();
    assert.deepEqual(done, ['copy', '20000', 'copy']);
    left.push(whole(39_000), whole(40_000), whole(40_100), whole(40_100));
    one.run();
    assert.deepEqual(done.slice(3), ['copy', '39000', 'copy', 'wait', 'copy', 'copy', 'go on']);
  });

  it('do not ask to wait where a reader keeps the log', () => {
    const kept = { log: 50_000, checkpointed: 10 };
    const { one, done } = rounds(kept, whole(50_000), kept);
    one.run();
    one.run();
    assert.deepEqual(done, ['copy', '50000 full', 'copy', 'copy']);
  });

  it('let commits go on when the disk fails', () => {
    const { one, done } = rounds(whole(10_000), whole(10_000), new Error('SQLITE_IOERR'));
    assert.throws(() => one.run(), /SQLITE_IOERR/);
    assert.deepEqual(done.slice(3), ['wait', 'copy', 'go on']);
  });
});
