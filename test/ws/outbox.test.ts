import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Outbox } from '../../src/ws/outbox.js';

/** A socket whose peer reads when it is told to. */
class SlowSocket {
  bufferedAmount = 0;
  readonly sent: string[] = [];
  readonly #callbacks: (() => void)[] = [];
  send(text: string, done: () => void): void {
    this.sent.push(text);
    this.bufferedAmount += text.length;
    this.#callbacks.push(done);
  }
  drain(): void {
    this.bufferedAmount = 0;
    for (const done of this.#callbacks.splice(0)) done();
  }
}

function outboxOf(limitBytes: number) {
  const socket = new SlowSocket();
  const told = { overflow: 0, superseded: 0 };
  const outbox = new Outbox(socket, limitBytes, {
    overflow: () => told.overflow++,
    superseded: () => told.superseded++,
  });
  return { socket, told, outbox };
}

describe('the outbox', () => {
  it('sends nothing with a key before it is opened, and the latest then', () => {
    const { socket, told, outbox } = outboxOf(100);
    outbox.sendLatest('a', 'a1');
    outbox.sendNow('welcome');
    outbox.sendLatest('a', 'a2');
    assert.deepEqual(socket.sent, ['welcome']);
    outbox.open();
    assert.deepEqual(socket.sent, ['welcome', 'a2']);
    assert.equal(told.superseded, 1);
  });

  it('keeps only the latest of each key while the peer does not read', () => {
    const { socket, told, outbox } = outboxOf(100);
    outbox.open();
    outbox.sendNow('x'.repeat(60));
    for (let i = 0; i < 50; i++) {
      outbox.sendLatest('a', `a${i}`);
      outbox.sendLatest('b', `b${i}`);
    }
    assert.equal(socket.sent.length, 1);
    assert.equal(outbox.waitingCount, 2);
    socket.drain();
    assert.deepEqual(socket.sent.slice(1), ['a49', 'b49']);
    assert.deepEqual(told, { overflow: 0, superseded: 98 });
  });

  it('says that the consumer is too slow instead of growing', () => {
    const { socket, told, outbox } = outboxOf(100);
    outbox.open();
    outbox.sendNow('x'.repeat(90));
    outbox.sendLatest('a', 'y'.repeat(9));
    assert.equal(told.overflow, 0);
    outbox.sendLatest('b', 'y'.repeat(9));
    assert.equal(told.overflow, 1);
    outbox.sendNow('y'.repeat(9));
    assert.equal(told.overflow, 2);
    assert.equal(socket.sent.length, 1);
  });

  it('lets all that waited at the opening go, beyond the bound, and is bounded as before when it is read', () => {
    const { socket, told, outbox } = outboxOf(100);
    for (let i = 0; i < 20; i++) outbox.sendLatest(`d${i}`, 'y'.repeat(30));
    outbox.sendNow('welcome');
    outbox.open();
    outbox.sendLatest('d0', 'z'.repeat(30));
    while (outbox.waitingCount > 0) {
      assert.ok(socket.bufferedAmount <= 100);
      socket.drain();
    }
    assert.equal(told.overflow, 0);
    assert.equal(socket.sent.filter((text) => text.startsWith('y')).length, 20);
    socket.drain();
    outbox.sendLatest('a', 'y'.repeat(101));
    assert.equal(told.overflow, 1);
  });

  it('does not let what waited at the opening pass for room to leave more unread', () => {
    const { told, outbox } = outboxOf(100);
    for (let i = 0; i < 20; i++) outbox.sendLatest(`d${i}`, 'y'.repeat(30));
    outbox.open();
    outbox.sendNow('x'.repeat(100));
    assert.equal(told.overflow, 0);
    outbox.sendNow('x');
    assert.equal(told.overflow, 1);
  });

  it('sends nothing after it is closed', () => {
    const { socket, outbox } = outboxOf(100);
    outbox.sendLatest('a', 'a');
    outbox.close();
    outbox.open();
    outbox.sendNow('b');
    assert.deepEqual(socket.sent, []);
  });
});
