/** All connections of devices: their number is bounded, and one timer beats for all. */
import type { WebSocket } from 'ws';
import type { DeviceIdentity } from '../control/access/access.js';
import { protocolName } from '../protocol/messages.js';
import { Backlog, mayWait, type Reading } from './backlog.js';
import { createDecoder } from './codec.js';
import { CutTexts } from './cutTexts.js';
import { DeviceSocket, type SocketPorts } from './deviceSocket.js';
import type { SocketSettings } from './socketSettings.js';

export interface HubSettings extends SocketSettings {
  /** Sockets that may be open at once, greeted or not. */
  readonly maxConnections: number;
  /** Whether a device may ask for permessage-deflate. */
  readonly compression: 'off' | 'on';
}

/** Why an upgrade is not made; http answers with it. */
export interface UpgradeRefusal {
  readonly status: 400 | 503;
  readonly code: 'subprotocol-missing' | 'too-many-connections' | 'shutting-down';
  readonly message: string;
}

/** The pings of one heartbeat are spread over so many turns, or ten thousand of them would hold up telemetry. */
const turns = 100;
/** Turns are not closer than this, ms. */
const leastTurnMs = 10;

export type HubPorts = Omit<SocketPorts, 'decode' | 'cutTexts' | 'defer'> & {
  /** A clock that does not go back. */
  readonly monotonicMs: () => number;
};

/** Frames of the backlog that are read in one go. */
const readPerRound = 256;
/** A device that goes round may have to wait so long with all that it says, ms. */
const longestHoldMs = 1_000;
/** Nor for a larger part of the time that it has to prepare a cut. */
const heldShareOfPrepare = 4;
/** Between two looks while decisions do not get on at all (a store that fails), ms. */
const stuckMs = 5;

export class DeviceHub {
  readonly #backlog: Backlog<DeviceSocket>;
  readonly #monotonicMs: () => number;
  /** Ends the wait for the next round of reading; null where none is due. */
  #cancelReading: (() => void) | null = null;
  readonly #sockets = new Set<DeviceSocket>();
  /** How many of them came with a token of a device, by its id. */
  readonly #ofDevice = new Map<string, number>();
  /** The sockets by the turn in which they are pinged. */
  readonly #turns: readonly Set<DeviceSocket>[];
  #accepted = 0;
  /** Turns that were due so far; the timer alone comes late on a busy machine, and heartbeats would stretch. */
  #turn = 0;
  readonly #startMs = performance.now();
  readonly #ports: SocketPorts;
  readonly #timer: NodeJS.Timeout;
  #stopped = false;

  constructor(
    ports: HubPorts,
    private readonly settings: HubSettings,
  ) {
    this.#monotonicMs = ports.monotonicMs;
    const reading: Reading<DeviceSocket> = {
      hold: (socket) => socket.hold(),
      release: (socket, heldMs) => socket.release(heldMs),
    };
    this.#backlog = new Backlog(
      reading,
      Math.min(longestHoldMs, settings.prepareTimeoutMs / heldShareOfPrepare),
    );
    const defer = (socket: DeviceSocket, data: Buffer) => this.#defer(socket, data);
    const cutTexts = new CutTexts(settings.timeToLiveMs);
    this.#ports = { ...ports, decode: createDecoder(settings.jsonDepth), cutTexts, defer };
    const count = Math.max(1, Math.min(turns, Math.floor(settings.heartbeatMs / leastTurnMs)));
    this.#turns = Array.from({ length: count }, () => new Set<DeviceSocket>());
    this.#timer = setInterval(() => this.#beat(), settings.heartbeatMs / count);
  }

  get connectionCount(): number {
    return this.#sockets.size;
  }

  /** Connections of which nothing is read now, counted at each call. */
  get heldCount(): number {
    let count = 0;
    for (const socket of this.#sockets) if (socket.isHeld) count++;
    return count;
  }

  /** Options for the WebSocket server that takes the upgrades. */
  get serverOptions() {
    return {
      maxPayload: this.settings.frameBytes,
      // off unless asked for: a small frame can become a large one. If on, maxPayload counts what comes out of it
      perMessageDeflate: this.settings.compression === 'on' && {
        serverNoContextTakeover: true, // no window kept per socket
        clientNoContextTakeover: true,
        threshold: 1_024,
      },
      handleProtocols: (offered: Set<string>) => (offered.has(protocolName) ? protocolName : false),
    } as const;
  }

  /** @param offered the header sec-websocket-protocol of the request */
  checkUpgrade(offered: string | undefined): UpgradeRefusal | null {
    if (this.#stopped) {
      return { status: 503, code: 'shutting-down', message: 'The controller is stopping; come back later.' };
    }
    const protocols = (offered ?? '').split(',').map((name) => name.trim());
    if (!protocols.includes(protocolName)) {
      const message = `Ask for the WebSocket subprotocol ${protocolName} (header Sec-WebSocket-Protocol).`;
      return { status: 400, code: 'subprotocol-missing', message };
    }
    return null;
  }

  /**
   * Is there a place? At the cap there is one for a device whose connection this one replaces: after a cut of the
   * network the places are held by connections that nobody is at any more.
   */
  checkRoom(identity: DeviceIdentity): UpgradeRefusal | null {
    const { maxConnections } = this.settings;
    if (this.#sockets.size < maxConnections) return null;
    if (identity !== null && this.#ofDevice.get(identity.deviceId) === 1) return null;
    this.#ports.events.capHit('connections', { cap: maxConnections });
    const message = `All ${maxConnections} connections are in use; come back later.`;
    return { status: 503, code: 'too-many-connections', message };
  }

  /** Takes over an upgraded socket; synchronous, so that no frame is lost. */
  accept(socket: WebSocket, identity: DeviceIdentity): void {
    const device = new DeviceSocket(socket, identity, this.#ports, this.settings);
    this.#sockets.add(device);
    const turn = this.#turns[this.#accepted++ % this.#turns.length]!;
    turn.add(device);
    this.#count(identity, 1);
    // the one that the plugin attached keeps the request of the upgrade for as long as the device stays
    socket.removeAllListeners('error');
    socket.on('error', (error) => this.socketError(error));
    socket.on('close', () => {
      this.#sockets.delete(device);
      this.#count(identity, -1);
      turn.delete(device);
      if (this.#backlog.forget(device)) this.#ports.events.dropped('shed-telemetry');
    });
  }

  #count(identity: DeviceIdentity, change: 1 | -1): void {
    if (identity === null) return;
    const count = (this.#ofDevice.get(identity.deviceId) ?? 0) + change;
    if (count === 0) this.#ofDevice.delete(identity.deviceId);
    else this.#ofDevice.set(identity.deviceId, count);
  }

  /** Closes what came with this token, greeted or not. */
  closeRevoked(tokenId: string): void {
    for (const socket of this.#sockets) if (socket.tokenId === tokenId) socket.close('revoked');
  }

  /** An error of a socket, e.g. a frame that is too large; ws closes it with the fitting code. */
  socketError(error: Error & { readonly code?: string }): void {
    const code = error.code ?? 'socket-error';
    if (code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH') {
      this.#ports.events.capHit('frameBytes', { cap: this.settings.frameBytes });
      this.#ports.events.refused('frame', 'too-large');
    } else if (code.startsWith('WS_ERR_')) {
      this.#ports.events.refused('frame', 'malformed', { error });
    }
    // what is left are connections that broke: their close event says all there is
  }

  /** No new connection, no more heartbeats; closes what is open. */
  stop(): void {
    this.#stopped = true;
    clearInterval(this.#timer);
    this.#cancelReading?.();
    for (const socket of this.#sockets) socket.close('shutting-down');
  }

  #beat(): void {
    const { length } = this.#turns;
    const due = Math.floor(((performance.now() - this.#startMs) * length) / this.settings.heartbeatMs);
    // after a stall of more than a heartbeat nobody has missed more than one
    for (let turn = Math.max(this.#turn, due - length); turn < due; turn++) {
      for (const socket of this.#turns[turn % length]!) socket.beat();
    }
    this.#turn = due;
  }

  /** Keeps a telemetry frame while decisions are behind, instead of reading it: a later one may take its place. */
  #defer(owner: DeviceSocket, data: Buffer): boolean {
    if (this.#backlog.size === 0 && !this.#ports.fleet.isBehind) return false;
    if (!mayWait(data)) return false;
    const became = this.#backlog.put(owner, data, this.#monotonicMs());
    if (became === 'replaced') this.#ports.events.dropped('shed-telemetry');
    else if (became === 'stale') this.#ports.events.telemetryFrame('stale');
    this.#readOn();
    return true;
  }

  /** Reads what waits in rounds, with other work of the process in between. */
  #readOn(): void {
    if (this.#cancelReading !== null || this.#backlog.size === 0 || this.#stopped) return;
    const round = () => {
      this.#cancelReading = null;
      for (let left = readPerRound; left > 0 && !this.#ports.fleet.isBehind; left--) {
        const frame = this.#backlog.take();
        if (frame === null) break;
        frame.owner.takeLate(frame.data, frame.receivedAtMs);
      }
      this.#backlog.callUp(readPerRound, this.#monotonicMs());
      this.#readOn();
    };
    if (this.#ports.fleet.isBehind) {
      const timer = setTimeout(round, stuckMs);
      this.#cancelReading = () => clearTimeout(timer);
    } else {
      const immediate = setImmediate(round);
      this.#cancelReading = () => clearImmediate(immediate);
    }
  }
}
