/** A request whose sender resets the connection somewhere in the middle of it, or right behind it. */
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Random } from '../../../src/demo/random.js';

export interface RawRequest {
  readonly method: string;
  readonly address: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

export async function resetRequest(origin: string, request: RawRequest, random: Random): Promise<void> {
  const { hostname, port } = new URL(origin);
  const { method, address, headers, body } = request;
  const length: Record<string, string> =
    body === null ? {} : { 'content-length': `${Buffer.byteLength(body)}` };
  const lines = Object.entries({ host: hostname, ...headers, ...length }).map(
    ([name, value]) => `${name}: ${value}`,
  );
  const bytes = Buffer.from([`${method} ${address} HTTP/1.1`, ...lines, '', body ?? ''].join('\r\n'));
  // often the whole of it, so that it is carried out
  const end = random.uniform() < 0.5 ? bytes.length : Math.floor(random.uniform() * bytes.length);
  const socket = connect(Number(port), hostname).on('error', () => {}); // it is what is asked for
  await once(socket, 'connect');
  const closed = once(socket, 'close');
  // sometimes the controller has taken the connection before, sometimes not
  if (random.uniform() < 0.7) await new Promise((resolve) => setImmediate(resolve));
  socket.write(bytes.subarray(0, end));
  socket.resetAndDestroy();
  await closed;
}
