import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../../src/client/clock.js';

it('a deadline that passed while the program was held up comes after what the network brought by then', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [connection] = await Promise.all([once(server, 'connection'), once(socket, 'connect')]);
  const peer = connection[0] as Socket;
  try {
    const seen: string[] = [];
    socket.on('data', () => seen.push('data'));
    await sleep(10); // until it reads
    peer.write('ping');
    const over = new Promise<void>((resolve) => {
      systemClock.after(1, () => {
        seen.push('deadline');
        resolve();
      });
    });
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
    await over;
    assert.deepEqual(seen, ['data', 'deadline']);
  } finally {
    socket.destroy();
    server.close();
  }
});

it('a deadline that is taken back does not come, also where its time is over', async () => {
  let came = 0;
  const stop = systemClock.after(1, () => came++);
  setTimeout(stop, 1); // in the same turn as its own timer, and after it
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
  await sleep(20);
  assert.equal(came, 0);
});
