import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket, WebSocketServer } from 'ws';
import { ReadStop } from '../../src/ws/readStop.js';
import { until } from '../support/controlRig.js';

/** One connection, and what its server read of it. */
async function connection() {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  const connected = once(server, 'connection') as Promise<[WebSocket]>;
  const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const [socket] = await connected;
  await once(client, 'open');
  const read: string[] = [];
  socket.on('message', (data: Buffer) => read.push(data.toString()));
  return {
    client,
    socket,
    read,
    close: async (): Promise<void> => {
      client.terminate();
      socket.terminate();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

test('nothing is read while reading is stopped, and all of it afterwards', async () => {
  const { client, socket, read, close } = await connection();
  try {
    const stop = new ReadStop(socket);
    // in the event of a message, as where a frame shows that its device speaks too often
    socket.once('message', () => stop.stop());
    client.send('0');
    await until(() => read.length === 1);
    assert.equal(stop.isStopped, true);
    for (let i = 1; i < 100; i++) {
      client.send(String(i));
      if (i % 20 === 0) await sleep(5);
    }
    client.ping();
    await sleep(50);
    assert.deepEqual(read, ['0']);
    const pong = once(client, 'pong');
    stop.start();
    await pong;
    assert.deepEqual(
      read,
      Array.from({ length: 100 }, (_, i) => String(i)),
    );
    stop.start();
    client.send('again');
    await until(() => read.at(-1) === 'again');
  } finally {
    await close();
  }
});

test('the end of a connection is seen when reading starts again', async () => {
  const { client, socket, close } = await connection();
  try {
    const stop = new ReadStop(socket);
    stop.stop();
    const closed = once(socket, 'close');
    client.close(4000, 'gone');
    await sleep(20);
    assert.equal(socket.readyState, WebSocket.OPEN);
    stop.start();
    const [code] = (await closed) as [number];
    assert.equal(code, 4000);
    stop.stop();
    assert.equal(stop.isStopped, false, 'there is nothing to stop');
  } finally {
    await close();
  }
});
