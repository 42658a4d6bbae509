/**
 * TCP connections of which nobody has shown a credential yet. Of one network address so many may be open; then the
 * oldest is closed for the newest: what shows a right credential soon gets through also where a stranger behind the
 * same address holds connections open.
 */
import type { Server } from 'node:http';
import { BlockList, isIP, type Socket } from 'node:net';

/** In place of an address, where a connection was reset before anyone could ask for it. */
const UNKNOWN_ADDRESS = 'unknown';

export class Strangers {
  /** By address, then by port at the other end; the oldest first. With TLS a request has another socket than these. */
  readonly #open = new Map<string, Map<number, Socket>>();

  readonly #proxies = new BlockList();

  /**
   * @param maxPerAddress at once
   * @param proxies addresses and networks behind which are many others: their connections are not bounded so
   * @param closed told of each that had to go
   */
  constructor(
    private readonly maxPerAddress: number,
    proxies: readonly string[],
    private readonly closed: (address: string) => void,
  ) {
    for (const proxy of proxies) {
      const [address = '', bits] = proxy.split('/');
      const family = familyOf(address);
      if (bits === undefined) this.#proxies.addAddress(address, family);
      else this.#proxies.addSubnet(address, Number(bits), family);
    }
  }

  /** To be called before the server listens. */
  follow(server: Server): void {
    server.on('connection', (socket: Socket) => this.#add(socket));
    // a socket remembers its address once it was asked: else a reset in the middle of a request would take it away
    server.on('secureConnection', (socket: Socket) => addressOf(socket));
  }

  /** Somebody showed a right credential on this connection. */
  isKnown(socket: Socket): void {
    this.#remove(addressOf(socket), socket.remotePort ?? 0);
  }

  /** At a stop: a connection that sends nothing is in no request and would hold it up until its end. */
  closeAll(): void {
    for (const ofAddress of this.#open.values()) for (const socket of ofAddress.values()) socket.destroy();
  }

  #add(socket: Socket): void {
    const address = addressOf(socket);
    const port = socket.remotePort ?? 0;
    const ofAddress = this.#open.get(address) ?? new Map<number, Socket>();
    this.#open.set(address, ofAddress);
    ofAddress.set(port, socket);
    socket.once('close', () => {
      if (this.#open.get(address)?.get(port) === socket) this.#remove(address, port);
    });
    if (ofAddress.size <= this.maxPerAddress || this.#isProxy(address)) return;
    const [oldestPort, oldest] = ofAddress.entries().next().value!;
    this.#remove(address, oldestPort);
    oldest.destroy();
    this.closed(address);
  }

  #isProxy(address: string): boolean {
    return isIP(address) !== 0 && this.#proxies.check(address, familyOf(address));
  }

  #remove(address: string, port: number): void {
    const ofAddress = this.#open.get(address);
    if (!ofAddress?.delete(port)) return;
    if (ofAddress.size === 0) this.#open.delete(address);
  }
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 4 ? 'ipv4' : 'ipv6';
}

/** Network address of the other end, also after it reset the connection; never undefined. */
function addressOf(socket: Socket): string {
  return socket.remoteAddress ?? UNKNOWN_ADDRESS;
}

/** Who a request comes from, for limits, the audit and the log. */
export function sourceOf(request: { readonly ip: string | undefined }): string {
  return request.ip ?? UNKNOWN_ADDRESS;
}
