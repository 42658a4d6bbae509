/** A real TCP proxy between devices and the controller that delays, splits, stalls and cuts what goes through it. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { Chance } from './random.js';
import type { Faults } from './faults.js';

const connectionFaults = ['cut', 'reset', 'stall', 'delay', 'split'] as const;
type ConnectionFault = (typeof connectionFaults)[number];

class Pipe {
  #stalled = false;
  #delayMs = 0;
  #splits = false;

  constructor(
    private readonly client: Socket,
    private readonly server: Socket,
    private readonly chance: Chance,
    ended: () => void,
  ) {
    this.#forward(client, server);
    this.#forward(server, client);
    server.on('close', ended);
  }

  disturb(fault: ConnectionFault): void {
    if (fault === 'cut') this.end();
    else if (fault === 'reset') this.client.resetAndDestroy();
    else if (fault === 'stall') this.#stall();
    else if (fault === 'delay') this.#delayMs = this.chance.below(300);
    else this.#splits = true;
  }

  calm(): void {
    this.#delayMs = 0;
    this.#splits = false;
    // what was half-open is over: bytes are missing, so the connection must not go on
    if (this.#stalled) this.end();
  }

  end(): void {
    this.client.destroy();
    this.server.destroy();
  }

  /** Neither side hears of the other any more, and neither is told: a cable that was pulled. */
  #stall(): void {
    this.#stalled = true;
  }

  #forward(from: Socket, to: Socket): void {
    let last = Promise.resolve();
    from.on('data', (bytes: Buffer) => {
      if (this.#stalled) return;
      if (this.#delayMs === 0 && !this.#splits) {
        // order is kept: nothing overtakes what was delayed before
        last = last.then(() => write(to, bytes));
        return;
      }
      last = last.then(async () => {
        if (this.#delayMs > 0) await new Promise((resolve) => setTimeout(resolve, this.#delayMs));
        if (!this.#splits) write(to, bytes);
        else for (let at = 0; at < bytes.length; at += 7) write(to, bytes.subarray(at, at + 7));
      });
    });
    from.on('error', () => to.destroy());
    from.on('close', () => {
      // a stalled peer is not told: it must find out by itself
      if (!this.#stalled) to.destroy();
    });
  }
}

function write(to: Socket, bytes: Buffer): void {
  if (!to.destroyed) to.write(bytes);
}

export interface Proxy {
  readonly url: string;
  /** Something goes wrong with some of the connections. */
  disturb(share: number): void;
  /** From now on everything goes through as it is. */
  calm(): void;
  close(): Promise<void>;
}

export async function startProxy(target: string, chance: Chance, faults: Faults): Promise<Proxy> {
  const { port } = new URL(target);
  const pipes = new Set<Pipe>();
  const server: Server = createServer((client) => {
    client.setNoDelay(true);
    const upstream = connect(Number(port), '127.0.0.1');
    upstream.setNoDelay(true);
    const pipe = new Pipe(client, upstream, chance, () => pipes.delete(pipe));
    pipes.add(pipe);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    disturb(share) {
      for (const pipe of pipes) {
        if (!chance.happens(share)) continue;
        const fault =
          connectionFaults.find((each) => faults.counts[`proxy ${each}`] === undefined) ??
          chance.pick(connectionFaults);
        faults.count(`proxy ${fault}`);
        pipe.disturb(fault);
      }
    },
    calm() {
      for (const pipe of pipes) pipe.calm();
    },
    async close() {
      for (const pipe of pipes) pipe.end();
      server.close();
      await once(server, 'close');
    },
  };
}
