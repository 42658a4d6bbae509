import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { WebSocket, WebSocketServer } from 'ws';
import { FragmentList } from '../../src/ws/fragmentList.js';
import { until } from '../support/controlRig.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as (options?: { readonly type: 'minor' }) => void;

/** A server whose connections say what they read. @param isReused whether their lists are */
async function serverOf(isReused: boolean) {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  const read: string[] = [];
  let bytes = 0;
  server.on('connection', (socket) => {
    const list = new FragmentList(socket);
    socket.on('message', (data: Buffer) => {
      if (isReused) list.reuse();
      bytes += data.length;
      if (data.length < 100) read.push(data.toString());
    });
  });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const clients = await Promise.all(
    Array.from({ length: 50 }, async () => {
      const client = new WebSocket(`ws://127.0.0.1:${port}`);
      await once(client, 'open');
      return client;
    }),
  );
  return {
    clients,
    read,
    bytes: () => bytes,
    async close(): Promise<void> {
      for (const client of clients) client.terminate();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const frameBytes = 2_000;

/** Bytes of frames that short runs of the collector leave, after `rounds` in which each client sends one frame. */
async function leftBy(isReused: boolean, rounds: number): Promise<number> {
  const server = await serverOf(isReused);
  const text = 'x'.repeat(frameBytes);
  try {
    const round = async (): Promise<void> => {
      const before = server.bytes();
      for (const client of server.clients) client.send(text);
      await until(() => server.bytes() === before + server.clients.length * frameBytes);
      // two: what survives both counts as old from then on
      for (let i = 0; i < 2; i++) collect({ type: 'minor' });
    };
    for (let i = 0; i < 5; i++) await round();
    collect();
    const before = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < rounds; i++) await round();
    return process.memoryUsage().arrayBuffers - before;
  } finally {
    await server.close();
  }
}

test('frames that were read leave nothing that only a long run of the collector clears', async () => {
  const rounds = 40;
  const sent = rounds * 50 * frameBytes;
  const kept = await leftBy(false, rounds);
  const left = await leftBy(true, rounds);
  assert.ok(left < 0.1 * sent, `${left} of ${sent} bytes are left`);
  // where this fails, the package lets go by itself, and the list can go
  assert.ok(kept > 0.5 * sent, `without it ${kept} of ${sent} are`);
});

test('messages are read as they were sent, in one fragment or in many', async () => {
  const server = await serverOf(true);
  try {
    const [client] = server.clients;
    const expected: string[] = [];
    for (let i = 0; i < 30; i++) {
      const parts = Array.from({ length: 1 + (i % 4) }, (_, n) => `${i}.${n} `);
      parts.forEach((part, n) => client!.send(part, { fin: n === parts.length - 1 }));
      if (i % 5 === 0) client!.ping();
      expected.push(parts.join(''));
    }
    client!.send('');
    await until(() => server.read.length === expected.length + 1);
    assert.deepEqual(server.read, [...expected, '']);
  } finally {
    await server.close();
  }
});
